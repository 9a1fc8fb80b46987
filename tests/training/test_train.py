"""Training: it learns, it says what made it, and a killed run goes on to the same numbers."""

import dataclasses
import json
import random
import signal
import subprocess
import sys
import time

import keras
import numpy as np
import pytest
import tensorflow as tf

import zoo
from serving.export import export
from training.run import Run
from training.train import train

# Trains in a process of its own, which kills itself with SIGKILL after so many calls of a hook.
PROCESS = """
import itertools, json, os, signal, sys
from training import callbacks
from training.recipe import Recipe
from training.train import train

fields, folder, data_dir, moment = json.loads(sys.argv[1])
fields["corpus"] = tuple(fields["corpus"])

if moment:
    owner, name, count = getattr(callbacks, moment[0]), moment[1], itertools.count(1)
    hook = getattr(owner, name)

    def killing(self, *args, **kwargs):
        hook(self, *args, **kwargs)
        if next(count) == moment[2]:
            os.kill(os.getpid(), signal.SIGKILL)

    setattr(owner, name, killing)

history = train(
    Recipe(**fields), "run", runs=folder + "/runs", saved_models=folder + "/saved_models",
    data_dir=data_dir, checkpoint_every=2,
)
print(json.dumps(history))
"""


def batch(count):
    """After so many steps of this process; an epoch has ten, and every second a checkpoint."""
    return "Keeper", "on_train_batch_end", count


VALIDATION = "Validation", "on_epoch_end", 1
EPOCH = "Keeper", "on_epoch_end", 1
MOMENTS = {
    "three": [batch(5), VALIDATION, batch(5)],
    "ten": [batch(1), batch(2), batch(7), VALIDATION, EPOCH, batch(1), batch(2), batch(8),
            VALIDATION, EPOCH],
}  # fmt: skip


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


def run_process(recipe, folder, data_dir, moment=None):
    arguments = [dataclasses.asdict(recipe), str(folder), data_dir, moment]
    command = [sys.executable, "-c", PROCESS, json.dumps(arguments)]
    return subprocess.run(command, stdout=subprocess.PIPE, text=True)


@pytest.mark.slow
@pytest.mark.parametrize("moments", ["three", "ten"])
def test_a_killed_run_goes_on_to_the_same_numbers(moments, recipe, tmp_path, data_dir):
    whole = run_process(recipe, tmp_path / "whole", data_dir)
    for moment in MOMENTS[moments]:
        killed = run_process(recipe, tmp_path / "killed", data_dir, moment)
        assert killed.returncode == -signal.SIGKILL
        assert not list((tmp_path / "killed" / "saved_models").iterdir())
    resumed = run_process(recipe, tmp_path / "killed", data_dir)
    last = [json.loads(run.stdout.splitlines()[-1]) for run in (whole, resumed)]
    assert last[0] == last[1]
    weights = [
        zoo.load(tmp_path / folder / "saved_models" / "run").get_weights()
        for folder in ("whole", "killed")
    ]
    for one, other in zip(*weights, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.slow
@pytest.mark.parametrize("fields", [{}, {"ema": 0.9, "average_last": 2}], ids=["plain", "averages"])
def test_a_run_with_a_damaged_checkpoint_goes_on_to_the_same_numbers(
    fields, tiny_recipe, tmp_path, data_dir, capsys
):
    recipe = dataclasses.replace(tiny_recipe, max_examples=96, epochs=3, **fields)
    folders = {"runs": tmp_path, "saved_models": tmp_path / "saved_models", "data_dir": data_dir}
    expected = train(recipe, "run", checkpoint_every=2, **folders)
    before = zoo.load(tmp_path / "saved_models" / "run").get_weights()
    checkpoint = tmp_path / "run" / "checkpoint.npz"
    checkpoint.write_bytes(checkpoint.read_bytes()[:-100])
    capsys.readouterr()
    assert train(recipe, "run", checkpoint_every=2, **folders) == expected
    assert "checkpoint.npz is damaged: going on from" in capsys.readouterr().out
    after = zoo.load(tmp_path / "saved_models" / "run").get_weights()
    for one, other in zip(before, after, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.slow
def test_a_run_that_gets_nowhere_stops_and_stays_stopped(tiny_recipe, tmp_path, data_dir):
    """A rate of next to nothing: no epoch is better than the first."""
    changes = {"learning_rate": 1e-12, "patience": 1, "epochs": 9, "max_examples": 64}
    recipe = dataclasses.replace(tiny_recipe, **changes)
    folders = {"runs": tmp_path, "saved_models": tmp_path / "saved_models", "data_dir": data_dir}
    history = train(recipe, "run", **folders)
    assert len(history) == 2
    assert train(recipe, "run", **folders) == history


@pytest.mark.slow
def test_a_run_killed_at_twenty_random_moments_goes_on_to_the_same_numbers(
    recipe, tmp_path, data_dir
):
    """From outside, at any moment of the training: also while it writes."""
    recipe = dataclasses.replace(recipe, epochs=4)
    whole = run_process(recipe, tmp_path / "whole", data_dir)
    draw = random.Random(0)
    for _ in range(20):
        if not killed_after(draw.uniform(0, 6), recipe, tmp_path / "killed", data_dir):
            break  # it had come to its end
    resumed = run_process(recipe, tmp_path / "killed", data_dir)
    last = [json.loads(run.stdout.splitlines()[-1]) for run in (whole, resumed)]
    assert last[0] == last[1]
    weights = [
        zoo.load(tmp_path / folder / "saved_models" / "run").get_weights()
        for folder in ("whole", "killed")
    ]
    for one, other in zip(*weights, strict=True):
        np.testing.assert_array_equal(one, other)


def killed_after(seconds, recipe, folder, data_dir):
    """Whether a process was still training so long after its first epoch began; it is killed."""
    arguments = [dataclasses.asdict(recipe), str(folder), data_dir, None]
    command = [sys.executable, "-u", "-c", PROCESS, json.dumps(arguments)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout:
            if line.startswith("Epoch"):
                break
        time.sleep(seconds)
        process.kill()
    return process.returncode == -signal.SIGKILL


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
    position = json.loads(str(np.load(run / "checkpoint.npz")["note"]))
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


def test_one_s_own_corpus_trains(tmp_path, tiny_recipe):
    lines = [f"{day} {month}\t{month}/{day}" for day in range(1, 30) for month in range(1, 13)]
    (tmp_path / "own.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    own = dataclasses.replace(tiny_recipe, dataset="", corpus=(str(tmp_path / "own.tsv"),))
    train(own, "own", runs=tmp_path / "runs", saved_models=tmp_path / "saved_models")
    translator = zoo.Translator.load(tmp_path / "saved_models" / "own")
    assert len(translator.translate_all(["3 4", "5 6"])) == 2
    assert translator.known["licence"] == "not stated"


def test_gold_spans_guide_the_attention(tmp_path, tiny_recipe, data_dir):
    recipe = dataclasses.replace(
        tiny_recipe, guided_alignment=1.0, r_drop=1.0, scheduled_sampling=0.1, max_examples=64
    )
    folders = {"runs": tmp_path / "runs", "saved_models": tmp_path / "saved_models"}
    first, second = train(recipe, "guided", **folders, data_dir=data_dir)
    assert second["loss"] < first["loss"]
    assert first["loss"] > first["val_loss"] + 1  # which has no part for the attention


@pytest.mark.parametrize(
    "change, message",
    [
        ({"guided_alignment": 1.0, "corpus": ("own.tsv",)}, r"dataset with gold spans.*a corpus"),
        ({"guided_alignment": 1.0, "target": "locale"}, "such as 1904-06-14; got 'en_GB'"),
        ({"preset": "luong-dott"}, "No preset 'luong-dott'"),
        ({"overrides": {"unitz": 3}}, "takes no unitz"),
        ({"dataset": "datez"}, "datez"),
        ({"source": "textt"}, "textt"),
        ({"dataset": ""}, "--corpus"),
    ],
    ids=["no spans", "no date", "preset", "argument", "dataset", "feature", "no data"],
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


def test_a_loss_that_is_no_number_ends_the_run_and_saves_nothing(
    tiny_recipe, tmp_path, data_dir, monkeypatch
):
    def no_number(self, y_true, y_pred):
        return keras.ops.sum(y_pred) * float("nan")

    monkeypatch.setattr("training.losses.TokenCrossentropy.call", no_number)
    with pytest.raises(
        ValueError, match=r"loss is nan in epoch 1 at step 1 \(batch 1 of the epoch's 9\)"
    ):
        train(
            tiny_recipe,
            "nan",
            runs=tmp_path / "runs",
            saved_models=tmp_path / "saved_models",
            data_dir=data_dir,
        )
    assert not list((tmp_path / "saved_models").iterdir())
    assert not (tmp_path / "runs" / "nan" / "best.npz").exists()


def test_two_processes_can_not_train_one_run(tmp_path):
    run = Run(tmp_path, {"recipe": {}})
    with pytest.raises(ValueError, match="another process is training"):
        Run(tmp_path, {"recipe": {}})
    run.close()
    Run(tmp_path, {"recipe": {}}).close()


@pytest.mark.parametrize("content", ["", "[]", "null", '{"recipe": 5}', "{"])
def test_a_damaged_run_json_is_refused(content, tmp_path):
    (tmp_path / "run.json").write_text(content)
    with pytest.raises(ValueError, match=r"run\.json is damaged"):
        Run(tmp_path, {"recipe": {}})


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "/tmp/a", "7", ".hidden", "x" * 201])
def test_a_name_that_is_no_folder_s_is_refused(name, tiny_recipe, tmp_path):
    with pytest.raises(ValueError, match="name"):
        train(tiny_recipe, name, runs=tmp_path / "runs", saved_models=tmp_path / "models")
    assert not list(tmp_path.iterdir())


def test_a_sentencepiece_model_trains_and_exports(tmp_path, tiny_recipe):
    """Its tokenizer's ops come from tensorflow-text, which the loading process imports."""
    lines = [f"{day} {month}\t{month}/{day}" for day in range(1, 30) for month in range(1, 13)]
    (tmp_path / "own.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    recipe = dataclasses.replace(
        tiny_recipe,
        corpus=(str(tmp_path / "own.tsv"),),
        tokenizer="sentencepiece",
        vocabulary_size=280,
        epochs=1,
    )
    train(recipe, "own", runs=tmp_path / "runs", saved_models=tmp_path)
    expected = zoo.Translator.load(tmp_path / "own").translate(["3 4"])
    served = tf.saved_model.load(export(tmp_path / "own")).signatures["serving_default"]
    got = served(text=tf.constant(["3 4"]))
    assert got["text"].numpy().tolist() == expected["text"].numpy().tolist()
    np.testing.assert_allclose(got["score"], expected["score"], atol=1e-5)
