"""Training: it learns, it says what made it, and what can't be trained says why."""

import dataclasses
import json
import shutil

import numpy as np
import pytest
import tensorflow as tf

import zoo
from serving.export import export
from training import fitting
from training.linear_crossentropy import linear_crossentropy, rows_at_a_time
from training.run import Run
from training.train import train


def test_a_finished_run_is_not_trained_again(tiny_model, tiny_recipe, data_dir, tmp_path):
    folder = shutil.copytree(tiny_model.parent.parent, tmp_path / "tiny")
    model = folder / "saved_models" / "dates"
    before = zoo.load(model).get_weights()
    history = train(
        tiny_recipe,
        "dates",
        runs=folder / "runs",
        saved_models=model.parent,
        data_dir=data_dir,
    )
    assert len(history) == tiny_recipe.epochs
    for one, other in zip(before, zoo.load(model).get_weights(), strict=True):
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


def test_the_memory_of_logits_computed_in_parts_is_that_of_a_part(
    tiny_recipe, data_dir, tmp_path, monkeypatch
):
    def look(model, training, validation, recipe, rows):
        assert rows == rows_at_a_time(model.output_shape[-1])
        raise MemoryError("looked at")

    monkeypatch.setattr(fitting, "check_memory", look)
    recipe = dataclasses.replace(tiny_recipe, max_examples=64)
    with pytest.raises(MemoryError, match="looked at"):
        train(recipe, "dates", runs=tmp_path, saved_models=tmp_path, data_dir=data_dir)


def test_one_s_own_corpus_trains(tmp_path, tiny_recipe):
    lines = [f"{day} {month}\t{month}/{day}" for day in range(1, 30) for month in range(1, 13)]
    (tmp_path / "own.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    own = dataclasses.replace(tiny_recipe, dataset="", corpus=(str(tmp_path / "own.tsv"),))
    train(own, "own", runs=tmp_path / "runs", saved_models=tmp_path / "saved_models")
    translator = zoo.Translator.load(tmp_path / "saved_models" / "own")
    assert len(translator.translate_all(["3 4", "5 6"])) == 2
    assert translator.known["licence"] == "not stated"


@pytest.mark.slow
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
    def no_number(*given):
        loss, right = linear_crossentropy(*given)
        return loss * float("nan"), right

    monkeypatch.setattr("keras.distribution.list_devices", lambda: ["cpu:0"])
    monkeypatch.setattr("training.linear_crossentropy.linear_crossentropy", no_number)
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
