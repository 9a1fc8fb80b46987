import math

import keras
import numpy as np
import pytest

from training import memory
from training.array_batches import ArrayBatches
from training.memory import available, check_memory, estimate, refuse_beyond
from training.recipe import Recipe
from training.token_pairs import Sequences, TokenPairs


@pytest.fixture(scope="module")
def batches():
    """Six pairs of 4 source ids and 6 target ids, START counted."""
    source = Sequences(np.ones(24, np.int32), np.arange(7, dtype=np.int64) * 4)
    target = Sequences(np.ones(36, np.int32), np.arange(7, dtype=np.int64) * 6)
    return ArrayBatches.of(TokenPairs(source, target), Recipe(batch_size=3))


@pytest.fixture(scope="module")
def model():
    """Of 7 * 2 + 2 * 7 + 7 = 35 weights, and logits of 7 words."""
    layers = [keras.Input((None,)), keras.layers.Embedding(7, 2), keras.layers.Dense(7)]
    return keras.Sequential(layers)


def test_the_estimate_is_the_sum_by_hand(batches, model):
    assert estimate(model, batches, batches) == {
        "logits": 3 * 5 * 7 * 4 * 3,
        "gradients": 35 * 4,
        "data": 2 * ((24 + 36) * 4 + 2 * 7 * 8),
    }


def test_logits_of_some_rows_at_a_time_take_as_much_as_those_rows(batches, model):
    one = ArrayBatches.of(batches.pairs, Recipe(batch_size=1))
    taken = [estimate(model, batches, one, rows)["logits"] for rows in (math.inf, 8, 2)]
    assert taken == [positions * 7 * 4 * 3 for positions in (3 * 5, 8, 1 * 5)]


@pytest.mark.parametrize(
    ("largest", "recipe", "flag"),
    [
        ("logits", Recipe(), "--batch-size"),
        ("logits", Recipe(batch_tokens=9), "--batch-tokens"),
        ("gradients", Recipe(), "--vocabulary-size"),
        ("data", Recipe(), "--max-examples"),
    ],
)
def test_too_much_is_refused_with_what_to_lower(largest, recipe, flag):
    needed = {"logits": 1e9, "gradients": 1e9, "data": 1e9, largest: 9.5e9}
    with pytest.raises(ValueError) as error:
        refuse_beyond(8e9, needed, recipe)
    told = str(error.value)
    assert told.startswith("training takes 11.5 GB of memory at least (")
    assert f"{largest} 9.5" in told
    assert told.endswith("8.0 GB are available; lower " + told.rpartition("lower ")[2])
    assert flag in told.rpartition("lower ")[2]
    refuse_beyond(11.5e9, needed, recipe)


def test_linux_says_what_is_available(tmp_path, monkeypatch):
    (tmp_path / "meminfo").write_text("MemTotal:  9000 kB\nMemAvailable:    1000 kB\n")
    monkeypatch.setattr(memory, "MEMINFO", tmp_path / "meminfo")
    assert available() == 1024_000


def test_others_say_what_there_is(tmp_path, monkeypatch):
    monkeypatch.setattr(memory, "MEMINFO", tmp_path / "nothing")
    assert available() > 2**28


def test_training_is_checked_but_for_a_gpu(batches, model, monkeypatch):
    monkeypatch.setattr(memory, "available", lambda: 0)
    with pytest.raises(ValueError, match=r"0\.0 GB are available"):
        check_memory(model, batches, batches, Recipe())
    monkeypatch.setattr(keras.distribution, "list_devices", lambda: ["gpu:0"])
    check_memory(model, batches, batches, Recipe())
