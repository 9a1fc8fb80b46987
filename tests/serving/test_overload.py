"""Half a minute of more than the server can answer; the benchmark takes half an hour of it."""

import pytest

from benchmarks.overload import overload
from benchmarks.served_model import fresh_process, make


@pytest.mark.slow
def test_twice_what_it_can_answer(tmp_path):
    with fresh_process() as process:
        requests = process.submit(make, tmp_path).result()
    assert overload(tmp_path, requests, minutes=0.5).faults() == []
