"""Variables in a file, written so that neither a kill nor a full disk leaves half of them.

Not in HDF5, whose library can end the process with a segmentation fault where the disk is full.
"""

import contextlib
import os

import numpy as np
from keras import ops

from zoo.replacing import replacing


def write(file, variables, note=""):
    """Write variables, and a string beside them, into an open file, down to the disk."""
    arrays = {f"variable_{i}": ops.convert_to_numpy(v) for i, v in enumerate(variables)}
    np.savez(file, note=note, **arrays)
    file.flush()
    os.fsync(file.fileno())  # or a rename could reach the disk before what is renamed


def read(path, variables):
    """Values for these variables, and the string that was written beside them.

    Raises:
        ValueError: for a file that is damaged, or holds variables of other shapes.
    """
    try:
        with np.load(path) as arrays:
            note = str(arrays["note"])
            values = [arrays[f"variable_{i}"] for i in range(len(arrays.files) - 1)]
    except Exception as error:  # what NumPy raises depends on where the damage is
        raise damaged(path) from error
    if [value.shape for value in values] != [tuple(v.shape) for v in variables]:
        raise damaged(path)
    return values, note


def assign(variables, values):
    """Set each variable to its value."""
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)


@contextlib.contextmanager
def writing(path):
    """`zoo.replacing`, with one line to say what to do if the disk is full."""
    try:
        with replacing(path) as beside:
            yield beside
    except OSError as error:
        raise OSError(
            f"can't write {path} ({error.strerror or error}); make room and give the same command: "
            "the run goes on from its last checkpoint"
        ) from error


def damaged(path):
    """The error for a file without which a run can't go on."""
    return ValueError(f"{path} is missing or damaged; remove the run's folder to begin anew")
