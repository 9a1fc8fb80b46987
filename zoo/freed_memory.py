"""What becomes of memory that TensorFlow frees: kept for the next step, or given back.

TensorFlow takes the memory of every tensor from the C library. glibc hands blocks of more than a
few megabytes back to the kernel as soon as they are free, and the next step, which wants as many,
has each page of them cleared and mapped again: a tenth of the time of training, or a sixth of that
of a beam search with a large batch.
"""

import ctypes
import gc
import sys

# Of glibc's malloc.h.
TRIM_THRESHOLD, MMAP_MAX = -1, -4
LARGEST = 2**31 - 1


def keep_freed_memory():
    """Keep for this process what it frees, from now on; where the C library is not glibc, no-op.

    The process then holds what its largest step took, as it would hold a cache.
    """
    adjust = _of_libc("mallopt")
    if adjust:
        adjust(MMAP_MAX, 0)
        adjust(TRIM_THRESHOLD, LARGEST)


def give_back_memory():
    """Give back what is free now: to load a model takes several times the memory that it needs."""
    gc.collect()
    trim = _of_libc("malloc_trim")
    if trim:
        trim(0)


def _of_libc(name):
    return getattr(ctypes.CDLL(None), name, None) if sys.platform == "linux" else None
