"""Translators and folders: what is written comes back, and what is no translator's is refused."""

import shutil

import numpy as np
import pytest

import zoo
from zoo.text import WordTokenizer


def test_saved_and_loaded_translates_alike(translator, tmp_path):
    translator.save(tmp_path)
    again = zoo.Translator.load(tmp_path)
    texts = ["14 June 1904", "2013년 2월 9일 토요일"]
    for name, tensor in again.translate_with_alignment(texts).items():
        np.testing.assert_array_equal(tensor, translator.translate_with_alignment(texts)[name])
    assert again.known == translator.known


def test_the_model_loads_alone_for_ones_own_use(tiny_model, translator):
    model = zoo.load(tiny_model)
    np.testing.assert_array_equal(model.get_weights()[0], translator.model.get_weights()[0])


DAMAGE = {
    "model of another file": ("model.keras", b"not a model"),
    "empty card": ("card.json", b""),
    "card of another shape": ("card.json", b"[]"),
    "card without a decoding": ("card.json", b"{}"),
    "tokenizer": ("source.txt", b"a\n"),
    "tokenizer's options": ("target.json", b'{"kind": "runes"}'),
}


@pytest.mark.parametrize("file, content", DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_folder_is_refused(file, content, tiny_model, tmp_path):
    folder = shutil.copytree(tiny_model, tmp_path / "dates")
    (folder / file).write_bytes(content)
    with pytest.raises(ValueError, match=rf"{file.partition('.')[0]}\.\w+ is"):
        zoo.Translator.load(folder)


def test_files_of_two_trainings_are_refused(tiny_model, translator, tmp_path):
    folder = shutil.copytree(tiny_model, tmp_path / "dates")
    translator.target.save(folder, "source")
    with pytest.raises(ValueError, match="several trainings"):
        zoo.Translator.load(folder)


def test_an_ensemble_is_loaded_from_its_folders(tiny_model, translator, tmp_path):
    twice = zoo.Translator.load(tiny_model, ensemble=[tiny_model])
    texts = ["14 June 1904", ""]
    np.testing.assert_array_equal(
        twice.translate(texts)["text"], translator.translate(texts)["text"]
    )
    other = shutil.copytree(tiny_model, tmp_path / "other")
    WordTokenizer.train(["a b c"], 7).save(other, "source")
    with pytest.raises(ValueError, match="an ensemble shares them"):
        zoo.Translator.load(tiny_model, ensemble=[other])


def test_no_model_no_translator(tmp_path):
    with pytest.raises(FileNotFoundError, match="attention-zoo train"):
        zoo.Translator.load(tmp_path)
