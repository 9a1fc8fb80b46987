"""TensorBoard's pictures of alignments, read back from its files."""

import dataclasses
import importlib.util

import numpy as np
import pytest
import tensorflow as tf
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from training.alignment_pictures import AlignmentPictures, alignment_pictures, evenly_spaced
from training.train import train
from zoo.explain import png


class Translator:
    """Says "b" and END of any text, and looks at nothing but its first token and its last one."""

    def __init__(self, has_attention=True):
        self.model = self
        self.has_attention = has_attention

    def translate_with_alignment(self, texts):
        count = len(texts)
        return {
            "text": np.array([b"b"] * count),
            "score": np.zeros(count),
            "source_tokens": np.array([[b"a", b"a", b"</s>"]] * count),
            "target_tokens": np.array([[b"b", b"</s>"]] * count),
            "source_length": np.full(count, 3),
            "target_length": np.full(count, 2),
            "alignment": np.array([[[1.0, 0, 0], [0, 0, 1]]] * count),
        }


def pictures(folder):
    """The steps and pictures of each tag."""
    events = EventAccumulator(str(folder), {"tensors": 0}).Reload()
    found = {}
    for tag in events.Tags()["tensors"]:
        steps, images = [], []
        for event in events.Tensors(tag):
            width, height, image = event.tensor_proto.string_val
            pixels = tf.io.decode_png(image).numpy()
            assert pixels.shape == (int(height), int(width), 3)
            steps.append(event.step)
            images.append(pixels)
        found[tag] = steps, images
    return found


def test_each_epoch_has_a_picture_of_each_sentence(tmp_path):
    pytest.importorskip("matplotlib")
    made = AlignmentPictures(Translator(), ["aa", "aa"], tmp_path)
    for epochs in ([0], [1, 2]):  # an interrupted epoch has a `fit` of its own
        made.on_train_begin()
        for epoch in epochs:
            made.on_epoch_end(epoch)
        made.on_train_end()
    found = pictures(tmp_path)
    assert sorted(found) == ["alignment/1", "alignment/2"]
    for steps, images in found.values():
        assert steps == [0, 1, 2]
        assert {image.shape for image in images} == {images[0].shape}
        assert images[0].min() == 0 and images[0].max() == 255


@pytest.mark.parametrize(
    "error", [ValueError("Image size\nis too large"), OSError("No space left on device")]
)
def test_a_picture_that_fails_costs_a_line_and_no_other_picture(
    tmp_path, monkeypatch, capsys, error
):
    pytest.importorskip("matplotlib")

    def failing(rows):
        if rows[0][0].text == "bad":
            raise error
        return png(rows)

    monkeypatch.setattr("training.alignment_pictures.png", failing)
    translator = Translator()
    said = translator.translate_with_alignment
    said_badly = {"text": np.array([b"bad", b"b"])}
    translator.translate_with_alignment = lambda texts: said(texts) | said_badly
    made = AlignmentPictures(translator, ["aa", "aa"], tmp_path)
    made.on_train_begin()
    made.on_epoch_end(4)
    made.on_train_end()
    line = f"Epoch 5 has no picture alignment/1 in TensorBoard: {' '.join(str(error).split())}"
    assert capsys.readouterr().out.strip() == line
    assert list(pictures(tmp_path)) == ["alignment/2"]


def test_what_the_model_raises_is_not_hidden(tmp_path):
    translator = Translator()
    translator.translate_with_alignment = lambda texts: 1 / 0
    made = AlignmentPictures(translator, ["aa"], tmp_path)
    made.on_train_begin()
    with pytest.raises(ZeroDivisionError):
        made.on_epoch_end(0)
    made.on_train_end()


@pytest.mark.slow
def test_training_draws_three_validation_sentences(tiny_recipe, tmp_path, data_dir):
    pytest.importorskip("matplotlib")
    recipe = dataclasses.replace(tiny_recipe, max_examples=64)
    folders = {"runs": tmp_path, "saved_models": tmp_path / "saved_models", "data_dir": data_dir}
    train(recipe, "run", **folders)
    found = pictures(tmp_path / "run" / "tensorboard" / "alignment")
    assert sorted(found) == ["alignment/1", "alignment/2", "alignment/3"]
    for steps, images in found.values():
        assert steps == [0, 1]
        assert all(min(image.shape[:2]) > 200 for image in images)


def test_the_sentences_are_the_same_in_any_order():
    texts = ["a", "bb", "ccc", "ddd", "eeeee", "ffffff", "ffffff"]
    assert evenly_spaced(texts, 3) == evenly_spaced(texts[::-1], 3) == ["bb", "ddd", "ffffff"]
    assert evenly_spaced(texts[:2], 3) == ["a", "bb"]


def test_a_model_without_attention_has_none(tmp_path, capsys):
    assert alignment_pictures(Translator(has_attention=False), ["a"], tmp_path) == []
    assert capsys.readouterr().out == ""


def test_without_matplotlib_one_line_says_so(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert alignment_pictures(Translator(), ["a"], tmp_path) == []
    assert capsys.readouterr().out.count("\n") == 1
