"""A run that was stopped, by whatever, goes on to the same numbers."""

import dataclasses
import json
import random
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

import zoo
from training.train import train

# Trains in a process of its own, which says when a hook was called so often, and may kill itself.
PROCESS = """
import itertools, json, os, signal, sys
from training import callbacks
from training.recipe import Recipe
from training.train import train

fields, folder, data_dir, (owner, name, moment), there = json.loads(sys.argv[1])
fields["corpus"] = tuple(fields["corpus"])
owner, count = getattr(callbacks, owner), itertools.count(1)
hook = getattr(owner, name)

def watched(self, *args, **kwargs):
    hook(self, *args, **kwargs)
    if next(count) == moment:
        print("\\nreached", flush=True)
        if there:
            os.kill(os.getpid(), signal.SIGKILL)

setattr(owner, name, watched)
history = train(
    Recipe(**fields), "run", runs=folder + "/runs", saved_models=folder + "/saved_models",
    data_dir=data_dir, checkpoint_every=2,
)
print(json.dumps(history))
"""


def batch(count):
    """After so many steps of this process; an epoch has ten, and every second a checkpoint."""
    return "Keeper", "on_train_batch_end", count


FIRST = batch(1)
VALIDATION = "Validation", "on_epoch_end", 1
EPOCH = "Keeper", "on_epoch_end", 1
MOMENTS = {
    "three": [batch(5), VALIDATION, batch(5)],
    "ten": [batch(1), batch(2), batch(7), VALIDATION, EPOCH, batch(1), batch(2), batch(8),
            VALIDATION, EPOCH],
}  # fmt: skip
KILLS = 20


@pytest.fixture
def recipe(tiny_recipe):
    """With dropout, all else that has a state, and ten batches an epoch."""
    return dataclasses.replace(
        tiny_recipe,
        batch_size=26,
        overrides={**tiny_recipe.overrides, "dropout": 0.2},
        optimizer="adamw",
        schedule="cosine",
        weight_decay=0.01,
        accumulate=3,
        ema=0.9,
        average_last=2,
        scheduled_sampling=0.3,
        r_drop=1.0,
        metric="loss",
    )


class Process:
    """A training in a process of its own, which has come to a moment of it, or to its end."""

    def __init__(self, recipe, folder, data_dir, moment=FIRST, there=False):
        arguments = [dataclasses.asdict(recipe), str(folder), data_dir, moment, there]
        command = [sys.executable, "-c", PROCESS, json.dumps(arguments)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.said = []
        for line in self.process.stdout:
            self.said.append(line)
            if line == "reached\n":
                break

    def killed(self):
        """Whether it was killed, here if it still ran."""
        self.process.kill()
        self.process.communicate()
        return self.process.returncode == -signal.SIGKILL

    def history(self):
        """What it found, when it has come to its end."""
        rest, _ = self.process.communicate()
        assert self.process.returncode == 0
        return json.loads((rest.splitlines() or self.said)[-1])


def assert_same_weights(*models):
    one, other = (zoo.load(path).get_weights() for path in models)
    for mine, yours in zip(one, other, strict=True):
        np.testing.assert_array_equal(mine, yours)


@pytest.mark.slow
@pytest.mark.parametrize("moments", MOMENTS)
def test_a_killed_run_goes_on_to_the_same_numbers(moments, recipe, tmp_path, data_dir):
    whole = Process(recipe, tmp_path / "whole", data_dir).history()
    for moment in MOMENTS[moments]:
        process = Process(recipe, tmp_path / "killed", data_dir, moment, there=True)
        assert process.process.wait() == -signal.SIGKILL
        assert not list((tmp_path / "killed" / "saved_models").iterdir())
    assert Process(recipe, tmp_path / "killed", data_dir).history() == whole
    assert_same_weights(*(tmp_path / name / "saved_models" / "run" for name in ("whole", "killed")))


@pytest.mark.slow
def test_a_run_killed_at_twenty_random_moments_goes_on_to_the_same_numbers(
    recipe, tmp_path, data_dir
):
    """From outside, at any moment of the training: also while it writes.

    Each time within the time that a whole run has for a part of its steps, and before the end.
    """
    recipe, draw = dataclasses.replace(recipe, epochs=4), random.Random(0)
    process, begin = Process(recipe, tmp_path / "whole", data_dir), time.monotonic()
    whole = process.history()
    part = (time.monotonic() - begin) / KILLS
    for _ in range(KILLS):
        process = Process(recipe, tmp_path / "killed", data_dir)
        time.sleep(draw.uniform(0, part))
        assert process.killed()
    assert Process(recipe, tmp_path / "killed", data_dir).history() == whole
    assert_same_weights(*(tmp_path / name / "saved_models" / "run" for name in ("whole", "killed")))


@pytest.mark.slow
@pytest.mark.parametrize("fields", [{}, {"ema": 0.9, "average_last": 2}], ids=["plain", "averages"])
def test_a_run_with_a_damaged_checkpoint_goes_on_to_the_same_numbers(
    fields, tiny_recipe, tmp_path, data_dir, capsys
):
    recipe = dataclasses.replace(tiny_recipe, max_examples=96, epochs=3, **fields)
    folders = {"runs": tmp_path, "saved_models": tmp_path / "saved_models", "data_dir": data_dir}
    expected = train(recipe, "run", checkpoint_every=2, **folders)
    before = shutil.copytree(tmp_path / "saved_models" / "run", tmp_path / "before")
    checkpoint = tmp_path / "run" / "checkpoint.npz"
    checkpoint.write_bytes(checkpoint.read_bytes()[:-100])
    capsys.readouterr()
    assert train(recipe, "run", checkpoint_every=2, **folders) == expected
    assert "checkpoint.npz is damaged: going on from" in capsys.readouterr().out
    assert_same_weights(before, tmp_path / "saved_models" / "run")


@pytest.mark.slow
def test_a_run_that_gets_nowhere_stops_and_stays_stopped(tiny_recipe, tmp_path, data_dir):
    """A rate of next to nothing: no epoch is better than the first."""
    changes = {"learning_rate": 1e-12, "patience": 1, "epochs": 9, "max_examples": 64}
    recipe = dataclasses.replace(tiny_recipe, **changes)
    folders = {"runs": tmp_path, "saved_models": tmp_path / "saved_models", "data_dir": data_dir}
    history = train(recipe, "run", **folders)
    assert len(history) == 2
    assert train(recipe, "run", **folders) == history
