"""Whether training fits into the machine's memory, before it starts."""

import math
import os
import re
from pathlib import Path

import keras

MEMINFO = Path("/proc/meminfo")  # of Linux
FLOAT = 4  # bytes
LOGITS = 3  # copies: they themselves, their softmax and their gradient


def check_memory(model, training, validation, recipe, rows=math.inf):
    """Refuse what is sure not to fit; with a GPU, whose memory is its own, nothing.

    Args:
        model: with its optimizer built, so that both have their memory already.
        training, validation: their `ArrayBatches`.
        recipe: the `Recipe`.
        rows: how many positions' logits there are at a time in training, at most.

    Raises:
        ValueError: in one line, with what to lower.
    """
    # JAX raises where it is asked for GPUs and has none; by default both backends give the best.
    if keras.distribution.list_devices()[0].startswith("cpu"):
        refuse_beyond(available(), estimate(model, training, validation, rows), recipe)


def estimate(model, training, validation, rows=math.inf):
    """The bytes that training will take at the least, by what takes them.

    The model's inner activations are not counted. The logits of a batch take
    `pairs * target length * target vocabulary * 4 bytes`, three times; the pairs of one worker.
    """
    positions = max(min(_positions(training), rows), _positions(validation))
    sides = [side for b in (training, validation) for side in (b.pairs.source, b.pairs.target)]
    return {
        "logits": positions * model.output_shape[-1] * FLOAT * LOGITS,
        "gradients": model.count_params() * FLOAT,
        "data": sum(side.values.nbytes + side.offsets.nbytes for side in sides),
    }


def _positions(batches):
    """Of the targets of one worker's largest batch."""
    plan = batches.plan
    return max(-(-shape.rows // plan.workers) * shape.target for shape in plan.shapes)


def available():
    """The bytes that can be had without swapping; all of the machine's, where it does not say."""
    if MEMINFO.is_file() and (line := re.search(r"MemAvailable:\s*(\d+) kB", MEMINFO.read_text())):
        return int(line[1]) * 1024
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def refuse_beyond(limit, needed, recipe):
    """Raise one line where the bytes of `needed`, by what takes them, are more than `limit`."""
    if sum(needed.values()) <= limit:
        return
    flags = {
        "logits": "--batch-tokens" if recipe.batch_tokens else "--batch-size",
        "gradients": "--vocabulary-size, or the model's sizes in --overrides",
        "data": "--max-examples",
    }
    largest = max(needed, key=needed.get)
    parts = ", ".join(f"{name} {size / 1e9:.1f}" for name, size in needed.items())
    raise ValueError(
        f"training takes {sum(needed.values()) / 1e9:.1f} GB of memory at least ({parts}) and "
        f"{limit / 1e9:.1f} GB are available; lower {flags[largest]}"
    )
