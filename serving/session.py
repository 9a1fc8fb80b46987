"""What a SavedModel answers in a fresh process, where TensorFlow is all that there is.

The process can import neither Keras nor this project, and XLA is off, as in TensorFlow Serving, or
on, as it is there by a flag. It loads the version as TensorFlow Serving does, into a session; where
a version only works in the process that made it, or only in Python, it fails here as it would fail
there.
"""

import ctypes
import importlib.util
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np


def ask(version, requests, xla=False):
    """The answers to `[(signature, {input: values})]`: a list of `{output: array}`.

    Args:
        version: its folder.
        requests: what is asked.
        xla: whether XLA is on.

    Raises:
        ValueError: if the version does not load, or does not answer.
    """
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        (folder / "requests.json").write_text(json.dumps(requests))
        # -P: the folder of this file is none to import from.
        asked = [str(Path(version).absolute()), str(folder), "xla" if xla else "no xla"]
        command = [sys.executable, "-P", __file__, *asked]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
        if done.returncode:
            said = done.stderr.strip().splitlines() or [f"exit status {done.returncode}"]
            without = "Keras and this project" if xla else "Keras, this project and XLA"
            raise ValueError(f"it fails without {without}: {said[-1]}")
        answers = [np.load(folder / f"{i}.npz", allow_pickle=True) for i in range(len(requests))]
        return [dict(answer) for answer in answers]


def _answer(version, folder, xla):
    for name in ("keras", "zoo", "training", "serving", "attention_zoo"):
        sys.modules[name] = None  # any import of it now fails
    import tensorflow as tf

    if xla != "xla":
        library = Path(tf.__file__).parent / "libtensorflow_cc.so.2"
        ctypes.CDLL(str(library))._ZN10tensorflow21DisableXlaCompilationEv()
    _load_text_ops(tf)
    with tf.compat.v1.Session(graph=tf.Graph()) as session:
        loaded = tf.compat.v1.saved_model.loader.load(session, ["serve"], version)
        requests = json.loads((Path(folder) / "requests.json").read_text())
        for i, (name, given) in enumerate(requests):
            signature = loaded.signature_def[name]
            outputs = {key: info.name for key, info in signature.outputs.items()}
            given = {signature.inputs[key].name: column for key, column in given.items()}
            np.savez(Path(folder) / f"{i}.npz", **session.run(outputs, given))


def _load_text_ops(tf):
    """tensorflow-text's ops, not the package, which imports Keras."""
    found = importlib.util.find_spec("tensorflow_text")
    for folder in found.submodule_search_locations if found else ():
        for path in sorted(Path(folder).glob("python/ops/*.so")):
            tf.load_op_library(str(path))


if __name__ == "__main__":
    try:
        _answer(*sys.argv[1:])
    except Exception as error:  # whatever it is, in one line
        sys.exit(f"{type(error).__name__}: {' '.join(str(error).split())[:500]}")
