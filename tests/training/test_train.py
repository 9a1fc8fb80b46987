"""Training: it learns, it says what made it, and a killed run goes on to the same numbers."""

import dataclasses
import json
import signal
import subprocess
import sys

import numpy as np
import pytest

import zoo
from training.run import Run
from training.train import train

# Trains in a process of its own; kills itself with SIGKILL after so many steps, or never.
PROCESS = """
import dataclasses, json, os, signal, sys
from training.callbacks import Keeper
from training.recipes import Recipe
from training.train import train

fields, folder, data_dir, kill_after = json.loads(sys.argv[1])
fields["corpus"] = tuple(fields["corpus"])
after_batch = Keeper.on_train_batch_end

def killing(self, batch, logs=None):
    after_batch(self, batch, logs)
    if self.position.epoch * 10 + self.position.step == kill_after:
        os.kill(os.getpid(), signal.SIGKILL)

Keeper.on_train_batch_end = killing
history = train(
    Recipe(**fields), "run", runs=folder + "/runs", saved_models=folder + "/saved_models",
    data_dir=data_dir, checkpoint_every=2,
)
print(json.dumps(history))
"""


@pytest.fixture
def recipe(tiny_recipe):
    """With dropout, so that the random state matters."""
    return dataclasses.replace(tiny_recipe, overrides={**tiny_recipe.overrides, "dropout": 0.2})


def run_process(recipe, folder, data_dir, kill_after=None):
    arguments = [dataclasses.asdict(recipe), str(folder), data_dir, kill_after]
    command = [sys.executable, "-c", PROCESS, json.dumps(arguments)]
    return subprocess.run(command, stdout=subprocess.PIPE, text=True)


def test_a_killed_run_goes_on_to_the_same_numbers(recipe, tmp_path, data_dir):
    whole = run_process(recipe, tmp_path / "whole", data_dir)
    for step in (5, 13):  # within the first epoch, off a checkpoint; within the second
        killed = run_process(recipe, tmp_path / "killed", data_dir, kill_after=step)
        assert killed.returncode == -signal.SIGKILL
        assert not (tmp_path / "killed" / "saved_models").exists()
    resumed = run_process(recipe, tmp_path / "killed", data_dir)
    last = [json.loads(run.stdout.splitlines()[-1]) for run in (whole, resumed)]
    assert last[0] == last[1]
    weights = [
        zoo.load(tmp_path / folder / "saved_models" / "run").get_weights()
        for folder in ("whole", "killed")
    ]
    for one, other in zip(*weights, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_finished_run_is_not_trained_again(tiny_model, tiny_recipe, data_dir):
    folder = tiny_model.parent.parent
    before = zoo.load(tiny_model).get_weights()
    history = train(
        tiny_recipe,
        "dates",
        runs=folder / "runs",
        saved_models=tiny_model.parent,
        data_dir=data_dir,
    )
    assert len(history) == tiny_recipe.epochs
    for one, other in zip(before, zoo.load(tiny_model).get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_it_learns_and_says_what_made_it(tiny_model, tiny_recipe):
    run = tiny_model.parent.parent / "runs" / "dates"
    made_by = json.loads((run / "run.json").read_text(encoding="utf-8"))
    assert made_by["recipe"]["seed"] == tiny_recipe.seed
    assert set(made_by["versions"]) >= {"keras", "tensorflow", "python"}
    assert len(made_by["data"]["train"]) == 16
    position = json.loads(str(np.load(run / "checkpoint.npz")["position"]))
    losses = [epoch["val_loss"] for epoch in position["history"]]
    assert losses[-1] < losses[0]
    assert list((run / "tensorboard").rglob("events.out.*"))
    card = json.loads((tiny_model / "card.json").read_text(encoding="utf-8"))
    assert "Unicode-3.0" in card["licence"]


def test_a_run_folder_of_other_settings_is_refused(tiny_model, tiny_recipe, data_dir):
    folder = tiny_model.parent.parent
    other = dataclasses.replace(tiny_recipe, learning_rate=0.5)
    checkpoint = (folder / "runs" / "dates" / "checkpoint.npz").read_bytes()
    with pytest.raises(ValueError, match=r"learning_rate was 0\.002, is 0\.5"):
        train(other, "dates", runs=folder / "runs", saved_models=folder, data_dir=data_dir)
    assert (folder / "runs" / "dates" / "checkpoint.npz").read_bytes() == checkpoint


def test_a_damaged_checkpoint_is_refused(tmp_path):
    run = Run(tmp_path, {"recipe": {}})
    run.checkpoint.write_bytes(b"PK\x03\x04 half a file")
    model = zoo.build("luong-dot", source_vocabulary_size=5, target_vocabulary_size=5, units=4)
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match="damaged"):
        run.restore_checkpoint(model)


def test_one_s_own_corpus_trains(tmp_path, tiny_recipe):
    lines = [f"{day} {month}\t{month}/{day}" for day in range(1, 30) for month in range(1, 13)]
    (tmp_path / "own.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    own = dataclasses.replace(tiny_recipe, dataset="", corpus=(str(tmp_path / "own.tsv"),))
    train(own, "own", runs=tmp_path / "runs", saved_models=tmp_path / "saved_models")
    assert zoo.Translator.load(tmp_path / "saved_models" / "own").translate(["3 4"])


@pytest.mark.parametrize(
    "change, message",
    [
        ({"preset": "luong-dott"}, "No preset 'luong-dott'"),
        ({"overrides": {"unitz": 3}}, "takes no unitz"),
        ({"dataset": "datez"}, "datez"),
        ({"source": "textt"}, "textt"),
        ({"dataset": ""}, "--corpus"),
    ],
    ids=["preset", "argument", "dataset", "feature", "no data"],
)
def test_bad_input_leaves_nothing_behind(change, message, tiny_recipe, tmp_path, data_dir):
    with pytest.raises(ValueError, match=message):
        train(
            dataclasses.replace(tiny_recipe, **change),
            "bad",
            runs=tmp_path / "runs",
            saved_models=tmp_path / "saved_models",
            data_dir=data_dir,
        )
    assert not list(tmp_path.iterdir())
