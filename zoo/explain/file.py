"""Files that are written whole, and whether they can be, before what they are to hold is known."""

import os
from pathlib import Path

from zoo.replacing import replacing


def check_file(path):
    """Raise a `ValueError` if no file can be written there."""
    path, told = Path(path), repr(str(path))
    try:
        if path.is_dir():
            raise ValueError(f"{told} is a folder: add a file's name")
        if not path.parent.is_dir():
            raise ValueError(f"{told} is to be in a folder that is not there: make it first")
        places = [path] if _at_once(path) else [path.parent, *([path] if path.exists() else [])]
        writable = all(os.access(place, os.W_OK) for place in places)
    except OSError as error:  # such as a name that is too long
        raise ValueError(f"{told} can't be written: {error.strerror}; name another file") from error
    if not writable:
        raise ValueError(f"{told} can't be written: name another file")


def write_file(path, content):
    """Write bytes, so that what was there stays until all of them are.

    A link, such as /dev/stdout, or a pipe takes them at once.

    Raises:
        OSError: where they can't be written.
    """
    path = Path(path)
    if _at_once(path):
        path.write_bytes(content)
        return
    with replacing(path) as beside:
        beside.write_bytes(content)


def _at_once(path):
    return path.is_symlink() or (path.exists() and not path.is_file())
