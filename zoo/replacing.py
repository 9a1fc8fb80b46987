"""Writing a file or folder so that no reader ever sees half of it."""

import contextlib
import os
import shutil
from pathlib import Path

_PREFIX = ".writing-"


@contextlib.contextmanager
def replacing(path):
    """A path beside `path` to write to; it takes `path`'s place if the block ends well.

        with replacing(folder / "card.json") as beside:
            beside.write_text(...)

    Whatever a killed process left beside it is removed first.
    """
    path = Path(path)
    _remove_abandoned(path.parent)
    beside = path.with_name(f"{_PREFIX}{os.getpid()}-{path.name}")
    _remove(beside)  # of one that had this number
    try:
        yield beside
        beside.replace(path)
    finally:
        _remove(beside)


def check_absent(folder):
    """Raises FileExistsError for a folder that exists, where none is to be replaced."""
    if Path(folder).exists():
        raise FileExistsError(f"{folder} exists; name a folder that does not, or remove it")


def _remove_abandoned(folder):
    for path in folder.glob(f"{_PREFIX}*"):
        writer = path.name.removeprefix(_PREFIX).partition("-")[0]
        if writer.isdecimal() and not _runs(int(writer)):
            _remove(path)


def _runs(process):
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def _remove(path):
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
