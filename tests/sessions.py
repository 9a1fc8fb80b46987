"""What a SavedModel answers in a fresh process, without Keras and XLA."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np

# Runs where neither this package nor Keras can be imported.
SESSION = """
import ctypes, json, pathlib, sys
for name in ("keras", "zoo", "training", "serving"):
    sys.modules[name] = None
import numpy as np
import tensorflow as tf
library = pathlib.Path(tf.__file__).parent / "libtensorflow_cc.so.2"
ctypes.CDLL(str(library))._ZN10tensorflow21DisableXlaCompilationEv()
path, folder = sys.argv[1], pathlib.Path(sys.argv[2])
with tf.compat.v1.Session(graph=tf.Graph()) as session:
    loaded = tf.compat.v1.saved_model.loader.load(session, ["serve"], path)
    for name, given in json.loads((folder / "requests.json").read_text()).items():
        signature = loaded.signature_def[name]
        outputs = {key: info.name for key, info in signature.outputs.items()}
        given = {signature.inputs[key].name: column for key, column in given.items()}
        np.savez(folder / f"{name}.npz", **session.run(outputs, given))
"""


def ask(version, requests, folder):
    """The answers to `{signature: {input: values}}`: `{signature: {output: array}}`."""
    folder = Path(folder)
    (folder / "requests.json").write_text(json.dumps(requests))
    command = [sys.executable, "-c", SESSION, str(version), str(folder)]
    subprocess.run(command, check=True, cwd=folder)
    answers = {name: np.load(folder / f"{name}.npz", allow_pickle=True) for name in requests}
    return {name: dict(answer) for name, answer in answers.items()}
