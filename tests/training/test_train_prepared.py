"""Training from prepared data: without TensorFlow, killed and resumed, and used with TensorFlow."""

import dataclasses
import importlib.util
import json
import os
import signal
import subprocess
import sys

import numpy as np
import pytest

import zoo
from training.datasets.load import Pairs
from training.prepare import Preparation
from training.recipes import RECIPES
from training.run import Run
from training.train_prepared import train_prepared

# The command line in a process without TensorFlow, which kills itself after so many steps.
PROCESS = """
import os, signal, sys

class Absent:  # Keras takes even a None in sys.modules for TensorFlow
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "tensorflow":
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, Absent())
from attention_zoo.cli import main

steps, *arguments = sys.argv[1:]
if int(steps):
    os.environ["KERAS_BACKEND"] = arguments[arguments.index("--backend") + 1]
    from training.callbacks import Keeper
    hook = Keeper.on_train_batch_end

    def killing(self, batch, logs=None):
        global steps
        hook(self, batch, logs)
        steps = int(steps) - 1
        if steps == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    Keeper.on_train_batch_end = killing
sys.exit(main(arguments))
"""
OVERRIDES = {"dim": 16, "hidden_dim": 16, "num_layers": 1, "num_heads": 2, "dropout": 0.1}
FLAGS = [
    *("--overrides", *(f"{name}={value}" for name, value in OVERRIDES.items())),
    *("--batch-size", "64", "--epochs", "2", "--checkpoint-every", "1", "--warmup-steps", "4"),
]
RECIPE = dataclasses.replace(
    RECIPES["dates-transformer"], overrides=OVERRIDES, batch_size=64, epochs=2, warmup_steps=4
)


def numbers(count, of):
    """Pairs of a number and its double."""
    values = range(of, of + count)
    return Pairs("own", [str(n) for n in values], [str(2 * n) for n in values], "CC0-1.0")


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    splits = {"train": numbers(256, 1000), "validation": numbers(64, 5000)}
    return Preparation(RECIPE, splits, tmp_path_factory.mktemp("prepared") / "own").finish()


def run(folder, prepared, *flags, backend="jax", kill_after=0):
    places = ["--runs", folder / "runs", "--saved-models", folder / "saved_models"]
    flags = ["--prepared", prepared.folder, "--backend", backend, *FLAGS, *places, *flags]
    command = [
        sys.executable,
        "-c",
        PROCESS,
        str(kill_after),
        "train",
        "dates-transformer",
        "--run",
        "own",
        *flags,
    ]
    environment = {**os.environ, "KERAS_BACKEND": "tensorflow"}  # the flag goes first
    return subprocess.run(command, capture_output=True, text=True, env=environment)


def history(folder):
    """Each epoch's numbers, those apart that are of the machine."""
    with np.load(folder / "runs" / "own" / "checkpoint.npz") as checkpoint:
        epochs = json.loads(str(checkpoint["note"]))["history"]
    ours = ("loss", "accuracy", "val_loss", "val_perplexity", "val_accuracy")
    return [{name: epoch[name] for name in ours} for epoch in epochs]


@pytest.fixture(scope="module")
def whole(prepared, tmp_path_factory):
    """Trained without TensorFlow, at one go."""
    if importlib.util.find_spec("jax") is None:
        pytest.skip("jax is not installed")
    folder = tmp_path_factory.mktemp("whole")
    done = run(folder, prepared)
    assert done.returncode == 0, done.stderr
    assert "best weights are those of the least loss: exact_match needs the texts" in done.stdout
    return folder


def test_what_is_trained_without_tensorflow_translates_with_it(whole):
    losses = [epoch["val_loss"] for epoch in history(whole)]
    assert len(losses) == 2
    assert losses[1] < losses[0]
    translator = zoo.Translator.load(whole / "saved_models" / "own")
    assert len(translator.translate_all(["1234"])) == 1
    assert translator.known["recipe"]["metric"] == RECIPE.metric
    assert translator.known["data"] == "own"
    assert translator.known["licence"] == "CC0-1.0"
    assert translator.known["validation"]["loss"] == round(min(losses), 2)


@pytest.mark.slow
def test_the_saved_model_is_exported(whole):
    from serving.export import export

    assert export(whole / "saved_models" / "own").name == "1"


@pytest.mark.slow
def test_killed_it_goes_on_to_the_same_numbers(whole, prepared, tmp_path):
    assert run(tmp_path, prepared, kill_after=3).returncode == -signal.SIGKILL
    done = run(tmp_path, prepared)
    assert done.returncode == 0, done.stderr
    assert history(tmp_path) == history(whole)


def test_with_tensorflow_the_same(prepared, tmp_path):
    train_prepared(
        dataclasses.replace(RECIPE, epochs=1),
        "own",
        prepared,
        runs=tmp_path / "runs",
        saved_models=tmp_path / "saved_models",
    )
    assert len(history(tmp_path)) == 1
    assert zoo.Translator.load(tmp_path / "saved_models" / "own").translate_all(["1234"])


def test_data_of_another_recipe_are_refused(prepared, tmp_path):
    other = dataclasses.replace(RECIPE, max_target_length=11, lower=True)
    with pytest.raises(ValueError, match=r"lower was False, is True; max_target_length was 12, is"):
        train_prepared(other, "own", prepared, runs=tmp_path, saved_models=tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("field", ["dataset", "source", "target"])
def test_data_of_another_direction_are_refused(prepared, tmp_path, field):
    other = dataclasses.replace(RECIPE, **{field: "other"})
    with pytest.raises(ValueError, match=rf"{field} was .*, is 'other'"):
        train_prepared(other, "own", prepared, runs=tmp_path, saved_models=tmp_path)


def test_a_run_measured_otherwise_is_not_gone_on_with(prepared, tmp_path):
    """Its best is the best by another measure."""
    Run(tmp_path / "own", {"recipe": dataclasses.asdict(RECIPE), "data": {}}).close()
    with pytest.raises(ValueError, match="metric was 'exact_match', is 'loss'"):
        train_prepared(RECIPE, "own", prepared, runs=tmp_path, saved_models=tmp_path)


def test_texts_want_tensorflow(capsys):
    from attention_zoo.cli import main

    assert main(["train", "dates", "--backend", "jax"]) == 2
    assert "for --backend jax give --prepared FOLDER" in capsys.readouterr().err
