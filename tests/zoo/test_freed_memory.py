"""What the C library does with freed memory, seen in a process of its own by its page faults."""

import subprocess
import sys

import pytest

PROGRAM = """
import resource
import numpy as np
from zoo import freed_memory

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    np.ones(2**23)  # 64 MB, freed at once
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

def held():
    return int(open("/proc/self/statm").read().split()[1]) * resource.getpagesize()

faults()
print(faults())
freed_memory.keep_freed_memory()
faults()
print(faults())
before = held()
freed_memory.give_back_memory()
print(before - held())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's way with memory is Linux's")
def test_memory_is_kept_for_the_next_step_until_it_is_given_back():
    run = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    afresh, kept, given_back = map(int, run.stdout.split())
    assert kept < afresh / 10
    assert given_back > 2**25
