"""What a killed process left is in nobody's way."""

import os

from zoo.replacing import replacing


def test_what_a_killed_process_of_the_same_number_left_is_not_taken_over(tmp_path):
    """In a container, each new process may have the number of the one before."""
    left = tmp_path / f".writing-{os.getpid()}-1" / "variables"
    left.mkdir(parents=True)
    (left / "stale").touch()
    with replacing(tmp_path / "1") as beside:
        beside.mkdir()
    assert [path.name for path in tmp_path.rglob("*")] == ["1"]
