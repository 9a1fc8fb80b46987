"""TensorFlow without what it says of itself on starting."""

import contextlib
import os
import sys
import tempfile

# Lines of its log from before the log level is heeded.
_NOISE = ("I0000 ", "WARNING: All log messages before absl::InitializeLog()")


def import_tensorflow():
    """Import TensorFlow; of what it writes to stderr meanwhile, show all but its greetings."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with _held_back(2) as lines:
        import tensorflow  # noqa: F401
    for line in lines:
        if not line.startswith(_NOISE):
            print(line, file=sys.stderr)


@contextlib.contextmanager
def _held_back(descriptor):
    """What goes to a file descriptor within the block, as lines, after it."""
    lines, before = [], os.dup(descriptor)
    with tempfile.TemporaryFile() as file:
        os.dup2(file.fileno(), descriptor)
        try:
            yield lines
        finally:
            os.dup2(before, descriptor)
            os.close(before)
            file.seek(0)
            lines += file.read().decode(errors="replace").splitlines()
