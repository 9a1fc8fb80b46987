"""Two checkpoints: whatever happens to the newest, the run goes on from one that is whole."""

import errno
import os
import subprocess
import sys

import keras
import numpy as np
import pytest

from training.checkpoints import Checkpoints, Position
from training.run import Run


def state(value):
    values = np.full((3, 4), value, "float32"), np.full(2, -value, "float32")
    return [keras.Variable(value) for value in values]


@pytest.fixture
def checkpoints(tmp_path):
    """Of values 1, 2 and 3, of which the first is gone."""
    made = Checkpoints(tmp_path)
    for value in (1, 2, 3):
        made.save(state(value), Position(epoch=0, step=value, best=0.5))
    return made


def restored(checkpoints):
    """The position, and the value of the variables, which have to agree."""
    variables = state(0)
    position = checkpoints.restore(variables)
    values = {*np.unique(variables[0].numpy()), *np.unique(-variables[1].numpy())}
    (value,) = values
    return position, value


def test_the_newest_is_restored(checkpoints, capsys):
    assert restored(checkpoints) == (Position(0, 3, best=0.5), 3)
    assert capsys.readouterr().out == ""
    assert {path.name for path in checkpoints.newest.parent.iterdir()} == {
        "checkpoint.npz",
        "checkpoint-before.npz",
    }


def test_none_is_the_beginning(tmp_path):
    assert restored(Checkpoints(tmp_path)) == (Position(), 0)


def test_killed_between_the_renames_it_goes_on_from_the_one_before(checkpoints):
    checkpoints.newest.unlink()
    assert restored(checkpoints) == (Position(0, 2, best=0.5), 2)


def test_of_a_newest_that_is_cut_short_anywhere_one_line_is_printed(checkpoints, capsys):
    whole = checkpoints.newest.read_bytes()
    for length in range(0, len(whole), 97):
        checkpoints.newest.write_bytes(whole[:length])
        assert restored(checkpoints) == (Position(0, 2, best=0.5), 2), length
        (line,) = capsys.readouterr().out.splitlines()
        assert "checkpoint.npz is damaged: going on from the checkpoint before it" in line
        assert "epoch 1, step 2" in line


def test_a_flipped_byte_is_noticed_or_harmless(checkpoints):
    whole = checkpoints.newest.read_bytes()
    for place in range(0, len(whole), 7):
        flipped = bytearray(whole)
        flipped[place] ^= 0xFF
        checkpoints.newest.write_bytes(flipped)
        assert restored(checkpoints)[1] in (2, 3), place


def test_no_whole_checkpoint_is_an_error(checkpoints):
    for path in (checkpoints.newest, checkpoints.before):
        path.write_bytes(b"PK\x03\x04 half a file")
    with pytest.raises(ValueError, match=r"checkpoint\.npz is missing or damaged; remove the run"):
        checkpoints.restore(state(0))


def test_a_checkpoint_of_another_model_is_an_error(checkpoints):
    with pytest.raises(ValueError, match="damaged"):
        checkpoints.restore(state(0)[:1])


def test_lost_best_weights_are_an_error(tmp_path):
    run = Run(tmp_path, {"recipe": {}})
    run.checkpoints.save(state(1), Position(epoch=1))
    with pytest.raises(ValueError, match=r"best\.npz is missing or damaged"):
        run.restore_checkpoint(state(0))


def test_a_full_disk_is_one_line_and_both_checkpoints_stay(checkpoints, monkeypatch):
    def full(file, **arrays):
        file.write(b"half")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("numpy.savez", full)
    with pytest.raises(OSError, match=r"checkpoint\.npz \(No space left on device\); make room"):
        checkpoints.save(state(4), Position(0, 4))
    assert restored(checkpoints) == (Position(0, 3, best=0.5), 3)
    checkpoints.newest.unlink()
    assert restored(checkpoints) == (Position(0, 2, best=0.5), 2)
    assert [path.name for path in checkpoints.newest.parent.iterdir()] == ["checkpoint-before.npz"]


# A process whose files can't grow past some kilobytes: writing fails in the middle, for real.
LIMITED = """
import resource, sys
import keras, numpy as np
from training.checkpoints import Checkpoints, Position
from training.run import Run

model = keras.Sequential([keras.Input((100,)), keras.layers.Dense(100)])
run = Run(sys.argv[1], {"recipe": {}})
run.checkpoints.save(model.variables, Position(0, 1))
run.save_best(model)
kept = [path.read_bytes() for path in (run.checkpoints.newest, run.best_weights)]
resource.setrlimit(resource.RLIMIT_FSIZE, (9000, 9000))
for save in (lambda: run.checkpoints.save(model.variables, Position(0, 2)), lambda: run.save_best(model)):
    try:
        save()
    except OSError as error:
        print(error)
assert kept == [path.read_bytes() for path in (run.checkpoints.newest, run.best_weights)]
print(run.restore_checkpoint(model.variables).step)
"""  # noqa: E501


def test_a_write_that_fails_half_way_leaves_what_there_was(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(tmp_path)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    checkpoint, best, step = done.stdout.splitlines()
    assert "checkpoint.npz (File too large); make room" in checkpoint
    assert "best.npz (File too large); make room" in best
    assert step == "1"
    assert not list(tmp_path.glob(".writing-*"))
