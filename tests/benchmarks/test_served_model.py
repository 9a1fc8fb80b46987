"""The processes of the benchmarks: each begins with the environment that it was given."""

import os
import sys

from benchmarks.served_model import fresh_process


def told():
    return os.environ.get("TF_ENABLE_ONEDNN_OPTS"), "tensorflow" in sys.modules


def test_processes_have_flags_of_their_own_before_tensorflow_is_imported(monkeypatch):
    monkeypatch.delenv("TF_ENABLE_ONEDNN_OPTS", raising=False)
    flags = [{"TF_ENABLE_ONEDNN_OPTS": flag} for flag in "01"]
    pools = [fresh_process(environment=each) for each in flags]
    try:
        assert [pool.submit(told).result() for pool in pools] == [("0", False), ("1", False)]
    finally:
        for pool in pools:
            pool.shutdown()
