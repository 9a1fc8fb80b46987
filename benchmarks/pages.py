"""Tables of figures, and what they were measured on, as Markdown."""

import contextlib
import os
import platform
from pathlib import Path

import tensorflow as tf

from training.run import versions


def table(rows):
    """Rows of strings as a table; the first is the heading."""
    heading, *rows = rows
    lines = [heading, ["---"] * len(heading), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def machine():
    """The processors, and the versions that numbers depend on."""
    names = []
    with contextlib.suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        names = [line.partition(": ")[2] for line in lines if line.startswith("model name")]
    gpus = tf.config.list_physical_devices("GPU")
    gpus = [tf.config.experimental.get_device_details(gpu)["device_name"] for gpu in gpus]
    made_with = [f"{name} {version}" for name, version in versions().items()]
    processor = names[0] if names else platform.machine()
    return ", ".join([*gpus, processor, f"{os.cpu_count()} cores", *made_with])
