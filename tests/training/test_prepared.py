"""Prepared data are whole or not there, and are read without TensorFlow."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from training.prepared import Prepared, fingerprint
from training.token_pairs import Sequences, TokenPairs

MADE_BY = {"train": "0123", "longer": "drop"}


class NoTokenizer:
    """A tokenizer, as far as `write` is concerned."""

    vocabulary_size = 9

    def save(self, folder, name):
        (folder / f"{name}.json").write_text("{}")


def pairs(count):
    """Sources of 2 ids and targets of 3."""
    source = Sequences(np.arange(4, 4 + 2 * count, dtype=np.int32), np.arange(count + 1) * 2)
    target = Sequences(np.arange(4, 4 + 3 * count, dtype=np.int32), np.arange(count + 1) * 3)
    return TokenPairs(source, target, {"source longer than 2 tokens": 5}, cut=1)


@pytest.fixture
def folder(tmp_path):
    splits = {"train": pairs(20), "validation": pairs(3)}
    Prepared.write(tmp_path / "data", MADE_BY, splits, (NoTokenizer(), NoTokenizer()))
    return tmp_path / "data"


def test_what_was_written_is_read(folder):
    read = Prepared.read(folder)
    assert read.made_by == MADE_BY
    assert read.train.dropped == {"source longer than 2 tokens": 5}
    assert read.validation.cut == 1
    for got, expected in ((read.train, pairs(20)), (read.validation, pairs(3))):
        for side in ("source", "target"):
            np.testing.assert_array_equal(getattr(got, side).values, getattr(expected, side).values)
            assert getattr(got, side).offsets.tolist() == getattr(expected, side).offsets.tolist()


def test_the_ids_are_mapped_and_not_read(folder):
    assert isinstance(Prepared.read(folder).train.source.values.base, np.memmap)


WITHOUT_TENSORFLOW = """
import sys
sys.modules["tensorflow"] = None  # any import of it now fails
from training.array_batches import ArrayBatches
from training.prepared import Prepared
from training.recipe import Recipe
batches = ArrayBatches.of(Prepared.read(sys.argv[1]).train, Recipe(batch_size=4))
rows = [int(row[0]) for (source, _), _ in batches.in_order() for row in source]
shapes = {source.shape for (source, _), _ in batches.in_order()}
print(len(batches), sorted(rows) == list(range(4, 44, 2)), shapes, "keras" in sys.modules)
"""


def test_it_is_read_and_batched_without_tensorflow(folder):
    command = [sys.executable, "-c", WITHOUT_TENSORFLOW, folder]
    assert subprocess.check_output(command, text=True) == "5 True {(4, 2)} False\n"


FILES = ("train.source.npy", "train.target.offsets.npy", "validation.source.npy", "source.json")


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("damage", ["cut short", "changed", "gone"])
def test_what_is_damaged_is_refused_in_one_line(folder, name, damage):
    data = (folder / name).read_bytes()
    if damage == "gone":
        (folder / name).unlink()
    else:
        (folder / name).write_bytes(data[:-1] if damage == "cut short" else data[:-1] + b"?")
    with pytest.raises(ValueError, match=r"is damaged .*prepare the data again") as error:
        Prepared.read(folder)
    assert "\n" not in str(error.value)
    assert name in str(error.value)


@pytest.mark.parametrize(
    "text", ["", "[]", "null", '{"files": 3}', '{"files": {}}', '{"files": {}, "splits": []}']
)
def test_a_damaged_json_is_refused(folder, text):
    (folder / "prepared.json").write_text(text)
    with pytest.raises(ValueError, match="is damaged"):
        Prepared.read(folder)


def test_a_count_that_is_not_the_files_is_refused(folder):
    told = json.loads((folder / "prepared.json").read_text())
    told["splits"]["train"]["pairs"] = 19
    (folder / "prepared.json").write_text(json.dumps(told))
    with pytest.raises(ValueError, match="train has not its 19 pairs"):
        Prepared.read(folder)


def test_where_nothing_is_nothing_is_read(tmp_path):
    with pytest.raises(FileNotFoundError, match="attention-zoo prepare"):
        Prepared.read(tmp_path)


KILLED = """
import os, pathlib, signal, sys
sys.path.insert(0, sys.argv[3])
import numpy as np
from training.prepared import Prepared
from test_prepared import MADE_BY, NoTokenizer, pairs

count, save, write_text = int(sys.argv[2]), np.save, pathlib.Path.write_text

def dying(function):
    def call(*arguments, **options):
        global count
        function(*arguments, **options)
        count -= 1
        if count == 0:
            os.kill(os.getpid(), signal.SIGKILL)
    return call

np.save, pathlib.Path.write_text = dying(save), dying(write_text)
splits = {"train": pairs(20), "validation": pairs(3)}
Prepared.write(sys.argv[1], MADE_BY, splits, (NoTokenizer(), NoTokenizer()))
"""


@pytest.mark.parametrize("files", [1, 6, 11])
def test_a_writer_that_is_killed_leaves_nothing_to_read(tmp_path, files):
    """After so many of its eleven files; the last is the JSON, and only the renaming is missing."""
    here = Path(__file__).parent
    command = [sys.executable, "-c", KILLED, tmp_path / "data", str(files), here]
    assert subprocess.run(command).returncode == -signal.SIGKILL
    assert not (tmp_path / "data").exists()
    assert list(tmp_path.iterdir())
    splits = {"train": pairs(20), "validation": pairs(3)}
    Prepared.write(tmp_path / "data", MADE_BY, splits, (NoTokenizer(), NoTokenizer()))
    assert list(tmp_path.iterdir()) == [tmp_path / "data"]
    assert len(Prepared.read(tmp_path / "data").train) == 20


def test_a_fingerprint_is_that_of_all_that_made_it():
    assert fingerprint(MADE_BY) == fingerprint({"longer": "drop", "train": "0123"})
    assert fingerprint(MADE_BY) != fingerprint({**MADE_BY, "longer": "cut"})
    assert len(fingerprint(MADE_BY)) == 16
