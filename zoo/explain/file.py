"""Whether a file can be written, before what it is to hold is worked out."""

import os
from pathlib import Path


def check_file(path):
    """Raise a `ValueError` if no file can be written there."""
    folder = Path(path).parent
    if not os.fspath(path) or Path(path).is_dir() or not folder.is_dir():
        raise ValueError(f"a file is to be in a folder that exists; got {str(path)!r}: name one")
    if not os.access(path if Path(path).exists() else folder, os.W_OK):
        raise ValueError(f"{str(path)!r} can't be written: name another file")
