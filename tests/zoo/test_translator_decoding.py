"""What a translator is told about decoding: lengths, penalties, unknown words, ensembles."""

import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf

import zoo
from zoo.decoding.search import rules_of
from zoo.models import Ensemble
from zoo.settings import LARGEST_PENALTY
from zoo.text import UNKNOWN, WordTokenizer


@pytest.mark.parametrize("odd", [-1.0, 30.0, 1e30, float("inf"), float("nan")])
def test_a_length_penalty_that_is_none_harms_no_text_of_its_batch(translator, odd):
    texts = ["14 June 1904", "12"]

    def answered(*penalties):
        some = len(penalties)
        free = np.zeros(some, "int32")
        given = texts[:some], [""] * some, np.float32(penalties), free, free
        return translator.translate_with_settings(*given)

    answer, nearest = answered(odd, 0.6), answered(LARGEST_PENALTY if odd > 0 else 0, 0.6)
    np.testing.assert_array_equal(answer["text"], nearest["text"])
    np.testing.assert_array_equal(answer["score"], nearest["score"])
    np.testing.assert_array_equal(answered(odd)["text"][0], answer["text"][0])


def test_lengths_may_be_a_ratio_to_the_source_s(tiny_model):
    text = ["14 June 1904"]  # 13 tokens with END
    for ratios, length in (((0, 0.3), 3), ((0.7, 0.7), 9)):
        options = dict(zip(("min_length_ratio", "max_length_ratio"), ratios, strict=True))
        translator = zoo.Translator.load(tiny_model, **options)
        assert translator.translate_with_alignment(text)["target_length"][0] <= length
        if ratios[0]:
            assert translator.translate_with_alignment(text)["target_length"][0] == length


@pytest.mark.parametrize(
    "ratio, source, least, most", [(0.3, 13, 4, 3), (0.3, 50, 15, 15), (0.55, 100, 55, 55)]
)
def test_a_length_is_no_farther_from_the_source_s_than_its_ratio(ratio, source, least, most):
    """0.55 of 100 is 55.00000000000001."""
    decoding = zoo.Decoding(min_length_ratio=ratio, max_length_ratio=ratio)
    rules = rules_of(decoding, tf.fill([1, source], True))
    assert (rules.min_length.numpy(), rules.max_length.numpy()) == ([least], [most])


def test_no_n_gram_occurs_twice_where_none_may(tiny_model):
    text = zoo.Translator.load(tiny_model, no_repeat_ngrams=1).translate(["14 June 1904"])
    letters = text["text"].numpy()[0].decode()
    assert len(set(letters)) == len(letters)


@pytest.fixture(scope="module")
def words():
    """A word translator that knows few words, and the attention's width."""
    tokenizer = WordTokenizer.train(["the cat sat on the mat ."], 12)
    keras.utils.set_random_seed(3)
    sizes = {"source_vocabulary_size": 12, "target_vocabulary_size": 12}
    model = zoo.build("luong-general", units=8, embedding_dim=8, **sizes)
    return model, tokenizer


def test_an_unknown_word_is_read_as_the_one_it_looked_at(words):
    model, tokenizer = words
    model.projection.bias.assign(tf.one_hot(UNKNOWN, 12) * 9.0)  # it says nothing else
    texts = ["the okapi sat", "zebra", ""]
    decoding = zoo.Decoding(beam_size=2, max_target_length=5)
    plain = zoo.Translator(model, tokenizer, tokenizer, decoding)
    decoding = dataclasses.replace(decoding, replace_unknown=True)
    replacing = zoo.Translator(model, tokenizer, tokenizer, decoding)
    answer = plain.translate_with_alignment(texts)
    alignment = answer["alignment"].numpy()
    for row, text in enumerate(texts):
        length = int(answer["target_length"][row])
        sources = text.split()
        expected = [
            sources[alignment[row, t, : len(sources)].argmax()] if sources else "<unk>"
            for t in range(length - 1)
        ]
        assert answer["text"][row].numpy().decode() == " ".join(["<unk>"] * (length - 1))
        assert replacing.translate(texts)["text"][row].numpy().decode() == " ".join(expected)


def test_an_ensemble_is_the_mean_of_its_models(words):
    first, tokenizer = words
    sizes = {"source_vocabulary_size": 12, "target_vocabulary_size": 12}
    second = zoo.build("transformer-lite", dim=8, num_heads=2, num_layers=1, **sizes)
    both = Ensemble([first, second])
    decoding = zoo.Decoding(beam_size=3, max_target_length=6)
    translator = zoo.Translator(both, tokenizer, tokenizer, decoding)
    texts, targets = ["the cat", "on the mat ."], ["cat the", "sat"]
    tokens = [
        np.exp(zoo.Translator(model, tokenizer, tokenizer).score(texts, targets)["token_scores"])
        for model in (first, second)
    ]
    expected = np.log(np.mean(tokens, axis=0))
    scored = translator.score(texts, targets)
    within = np.arange(expected.shape[1]) < np.array(scored["target_length"])[:, None]
    np.testing.assert_allclose(scored["token_scores"], expected * within, atol=1e-5)
    answer = translator.translate_with_alignment(texts)
    again = translator.score(texts, answer["text"])
    known = ["<unk>" not in text.decode() for text in answer["text"].numpy()]
    np.testing.assert_allclose(
        again["score"].numpy()[known], answer["score"].numpy()[known], atol=1e-4
    )
    assert translator.encode(texts)["vector"].shape == (2, 8 + 8)


def test_models_of_other_vocabularies_make_no_ensemble(words):
    other = zoo.build("seq2seq-gru", source_vocabulary_size=9, target_vocabulary_size=9, units=4)
    with pytest.raises(ValueError, match="share vocabularies"):
        Ensemble([words[0], other])
    with pytest.raises(ValueError, match="2 models"):
        Ensemble([other])


def test_a_word_that_is_read_stands_alone_whatever_it_leant_on(words):
    _, tokenizer = words
    ids = tf.constant([[UNKNOWN, UNKNOWN, UNKNOWN]])
    read = tokenizer.decode_reading(ids, [["▁the", "okapi", "'"]])
    assert read.numpy()[0].decode() == "the okapi'"


def test_sources_are_no_longer_than_a_location_score_looks_at():
    tokenizer = WordTokenizer.train(["the cat sat on the mat ."], 12)
    sizes = dict.fromkeys(("source_vocabulary_size", "target_vocabulary_size"), 12)
    model = zoo.build("luong-location", units=4, max_source_length=10, **sizes)
    with pytest.raises(ValueError, match="`max_source_length` 11 is more than the 10"):
        zoo.Translator(model, tokenizer, tokenizer, zoo.Decoding(max_source_length=11))
    decoding = zoo.Decoding(max_source_length=10, max_target_length=3)
    translator = zoo.Translator(model, tokenizer, tokenizer, decoding)
    texts = tf.constant(["the cat", "the cat sat on the mat . " * 3])
    assert np.isfinite(translator.translate(texts)["score"]).all()
    for text in texts:  # padded to 8 and to 10
        got, expected = translator.compiled()(text[None]), translator.translate(text[None])
        assert got["text"].numpy().tolist() == expected["text"].numpy().tolist()


def test_a_setting_that_is_none_is_no_damage(tiny_model):
    with pytest.raises(TypeError, match="beamsize"):
        zoo.Translator.load(tiny_model, beamsize=3)


def test_a_decoding_that_the_model_can_not_do_is_refused(words, translator):
    model, tokenizer = words
    blind = zoo.build("seq2seq-gru", source_vocabulary_size=12, target_vocabulary_size=12, units=4)
    for wrong in ({"coverage_penalty": 0.1}, {"replace_unknown": True}):
        with pytest.raises(ValueError, match=f"`{next(iter(wrong))}` needs a model with attention"):
            zoo.Translator(blind, tokenizer, tokenizer, zoo.Decoding(**wrong))
    with pytest.raises(ValueError, match="word tokenizers; got characters"):
        zoo.Translator(model, translator.source, tokenizer, zoo.Decoding(replace_unknown=True))


@pytest.mark.parametrize(
    "wrong",
    [
        {"beam_size": 0},
        {"length_penalty": float("nan")},
        {"length_penalty": 5.1},
        {"max_target_length": 1e9},
        {"n_best": 5},
        {"min_target_length": 129},
        {"diversity": 1.0, "beam_size": 1},
        {"replace_unknown": 1},
    ],
    ids=lambda wrong: next(iter(wrong)),
)
def test_a_decoding_that_is_none_is_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        zoo.Decoding(**wrong)
