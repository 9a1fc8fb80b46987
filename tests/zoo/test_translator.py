"""The whole way from text to text, in process."""

import shutil

import numpy as np
import pytest
import tensorflow as tf

import zoo

ODD = {
    "empty": b"",
    "blank": b" \t ",
    "long": b"12 June 1904 " * 800,
    "unknown script": "ᚠᚢᚦᚨᚱᚲ".encode(),
    "invalid UTF-8": b"\xff\xfe12",
    "NUL": b"12\x00June",
    "right to left": "١٤ يونيو ١٩٠٤".encode(),
    "emoji": "👩‍👩‍👧".encode(),
}


@pytest.fixture(scope="module")
def translator(tiny_model):
    return zoo.Translator.load(tiny_model)


@pytest.mark.parametrize("text", ODD.values(), ids=ODD)
def test_any_text_gets_an_answer(translator, text):
    answer = translator.translate(tf.constant([text]))
    answer["text"].numpy()[0].decode("utf-8")
    assert np.isfinite(answer["score"]).all()


def test_an_empty_batch_gets_an_empty_answer(translator):
    answer = translator.translate(tf.constant([], tf.string))
    assert answer["text"].shape == answer["score"].shape == (0,)


@pytest.mark.parametrize("beam_size", [1, 3])
def test_a_text_is_translated_alike_in_any_company(tiny_model, beam_size):
    translator = zoo.Translator.load(tiny_model, beam_size=beam_size)
    texts = [*ODD.values(), b"14 June 1904", "2013년 2월 9일".encode()]
    together = translator.translate(tf.constant(texts))
    for i, text in enumerate(texts):
        alone = translator.translate(tf.constant([text]))
        assert alone["text"][0] == together["text"][i]
        np.testing.assert_allclose(alone["score"][0], together["score"][i], atol=1e-4)


def test_alignment_comes_with_its_tokens_and_lengths(translator):
    answer = translator.translate_with_alignment(["14 June 1904", "3"])
    plain = translator.translate(["14 June 1904", "3"])
    np.testing.assert_array_equal(answer["text"], plain["text"])
    np.testing.assert_array_equal(answer["source_length"], [13, 2])
    assert [t.decode() for t in answer["source_tokens"][1].numpy()[:2]] == ["3", "</s>"]
    for row, length in enumerate(answer["target_length"].numpy()):
        assert answer["target_tokens"][row, length - 1] == b"</s>"
        sums = answer["alignment"][row, :length].numpy().sum(-1)
        np.testing.assert_allclose(sums, 1, atol=1e-5)


def test_translate_all_keeps_the_order(translator):
    texts = [f"{day} June 19{day:02}" * (1 + day % 3) for day in range(1, 20)]
    one_by_one = [translator.translate([t])["text"].numpy()[0].decode() for t in texts]
    assert translator.translate_all(texts, batch_size=4) == one_by_one


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


@pytest.mark.parametrize(
    "wrong",
    [{"beam_size": 0}, {"length_penalty": float("nan")}, {"max_target_length": 1e9}],
    ids=lambda wrong: next(iter(wrong)),
)
def test_a_decoding_that_is_none_is_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        zoo.Decoding(**wrong)


def test_no_model_no_translator(tmp_path):
    with pytest.raises(FileNotFoundError, match="attention-zoo train"):
        zoo.Translator.load(tmp_path)
