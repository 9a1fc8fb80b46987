"""What `benchmarks.gpu_train` begins, skips and refuses; what it trains is in test_quality.py."""

import dataclasses
import json

import numpy as np
import pytest

from benchmarks import gpu_train
from training.recipes import RECIPES

NAMES = ["multi30k-en-de-gru", "multi30k-en-de-lstm"]
NOTE = {
    "epoch": 1,
    "weights": "trained",
    "loss": 3.0,
    "perplexity": 20.0,
    "tokens": "-",
    "minutes": "-",
}


@pytest.fixture
def begun(monkeypatch):
    """The trainings that are begun, none of which ends well."""
    begun = []
    monkeypatch.setattr(gpu_train, "prepared_for", lambda *arguments: None)
    monkeypatch.setattr(gpu_train, "train_apart", lambda *one: begun.append(one[:2]) or 1)
    return begun


def weights(folder, name, **changes):
    """The weights of a recipe, or of one a little different."""
    made = dataclasses.replace(RECIPES[name], **changes)
    note = {**NOTE, "card": {"recipe": dataclasses.asdict(made)}}
    np.savez(folder / f"{name}-0.npz", note=json.dumps(note))


def run(folder, *flags):
    gpu_train.main(["prepared", "--to", str(folder), "--recipes", *NAMES, *flags])


def test_one_that_fails_does_not_stop_the_others(begun, tmp_path):
    weights(tmp_path, NAMES[0])
    with pytest.raises(SystemExit, match=f"failed: {NAMES[1]}-0, {NAMES[0]}-1, {NAMES[1]}-1"):
        run(tmp_path, "--seeds", "0", "1", "--jobs", "2")
    assert sorted(begun) == [(NAMES[0], 1), (NAMES[1], 0), (NAMES[1], 1)]
    assert f"| {NAMES[0]}-0 | 3 | 20 |" in (tmp_path / "results.md").read_text(encoding="utf-8")


def test_what_another_is_writing_is_no_result(begun, tmp_path):
    for name in NAMES:
        weights(tmp_path, name)
    (tmp_path / ".writing-1-other.npz").write_bytes(b"half")
    run(tmp_path, "--seeds", "0")
    assert not begun


def test_weights_of_another_recipe_are_refused(begun, tmp_path, capsys):
    weights(tmp_path, NAMES[0], epochs=3)
    with pytest.raises(SystemExit):
        run(tmp_path, "--seeds", "0")
    assert f"{NAMES[0]}-0.npz is of another recipe; remove it" in capsys.readouterr().err
    assert not begun


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (["--jobs", "0"], "--jobs must be at least 1, got 0"),
        (["--adopt", "models"], "no weights in"),
        ([], "no prepared/prepared.json"),
    ],
)
def test_bad_input_is_told_in_a_line(tmp_path, capsys, monkeypatch, flags, told):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit):
        run(tmp_path, *flags)
    assert told in capsys.readouterr().err.splitlines()[-1]
