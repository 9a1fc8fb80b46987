"""The whole way from text to text, in process."""

import dataclasses
from concurrent.futures import ThreadPoolExecutor

import keras
import numpy as np
import pytest
import tensorflow as tf

import zoo
from zoo.decoding.search import rules_of
from zoo.models import Ensemble
from zoo.settings import LARGEST_PENALTY
from zoo.text import UNKNOWN, WordTokenizer

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


@pytest.mark.parametrize("text", ODD.values(), ids=ODD)
def test_any_text_gets_an_answer(translator, text):
    answer = translator.translate(tf.constant([text]))
    answer["text"].numpy()[0].decode("utf-8")
    assert np.isfinite(answer["score"]).all()


def test_an_empty_batch_gets_an_empty_answer(translator):
    none = tf.constant([], tf.string)
    answer = translator.translate(none)
    assert answer["text"].shape == answer["score"].shape == (0,)
    assert translator.score(none, none)["score"].shape == (0,)


@pytest.mark.parametrize("beam_size", [1, 3])
def test_a_text_is_translated_alike_in_any_company(tiny_model, beam_size):
    translator = zoo.Translator.load(tiny_model, beam_size=beam_size)
    texts = [*ODD.values(), b"14 June 1904", "2013년 2월 9일".encode()]
    together = translator.translate(tf.constant(texts))
    for i, text in enumerate(texts):
        alone = translator.translate(tf.constant([text]))
        assert alone["text"][0] == together["text"][i]
        np.testing.assert_allclose(alone["score"][0], together["score"][i], atol=1e-4)


def test_several_threads_may_ask_before_anything_is_traced(tiny_model, translator):
    texts = tf.constant(["14 June 1904", "2013년 2월 9일"])
    asked = {
        "serving_default": (texts,),
        "translate_n_best": (texts,),
        "score": (texts, texts),
        "encode": (texts,),
    }
    fresh = zoo.Translator.load(tiny_model).signatures
    with ThreadPoolExecutor(len(asked)) as threads:
        answers = {name: threads.submit(fresh[name], *given) for name, given in asked.items()}
    for name, given in asked.items():
        for part, expected in translator.signatures[name](*given).items():
            np.testing.assert_array_equal(answers[name].result()[part], expected)


def test_the_weights_are_those_of_now(tiny_model):
    """Though a signature was traced before they changed."""
    translator, texts = zoo.Translator.load(tiny_model), tf.constant(["14 June 1904"])
    before = translator.encode(texts)["vector"]
    for variable in translator.model.trainable_variables:
        variable.assign(2 * variable)
    assert np.abs(translator.encode(texts)["vector"] - before).max() > 1e-3


@pytest.mark.slow
@pytest.mark.parametrize("beam_size", [1, 3])
def test_compiled_by_xla_it_says_the_same(tiny_model, beam_size):
    translator = zoo.Translator.load(tiny_model, beam_size=beam_size, max_target_length=12)
    texts = tf.constant([b"14 June 1904", "2013년 2월 9일".encode(), b""])
    expected, answer = translator.translate(texts), translator.compiled()(texts)
    assert answer["text"].numpy().tolist() == expected["text"].numpy().tolist()
    np.testing.assert_allclose(answer["score"], expected["score"], atol=1e-4)


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


def test_the_n_best_come_best_first_and_the_first_is_the_translation(translator):
    texts = ["14 June 1904", "", "2013년 2월 9일"]
    n_best, plain = translator.translate_n_best(texts), translator.translate(texts)
    assert n_best["text"].shape == (3, translator.decoding.beam_size)
    np.testing.assert_array_equal(n_best["text"][:, 0], plain["text"])
    assert (np.diff(n_best["score"]) <= 0).all()
    for row in n_best["text"].numpy().tolist():
        found = [text for text in row if text]
        assert len(set(found)) == len(found)


def test_the_score_of_a_translation_is_what_scoring_it_gives(translator):
    texts = ["14 June 1904", "", "2013년 2월 9일"]
    answer = translator.translate_with_alignment(texts)
    forced = translator.score(texts, answer["text"])
    np.testing.assert_allclose(forced["score"], answer["score"], atol=1e-4)
    np.testing.assert_allclose(np.sum(forced["token_scores"], 1), forced["score"], rtol=1e-6)
    np.testing.assert_array_equal(forced["target_tokens"], answer["target_tokens"])
    np.testing.assert_array_equal(forced["target_length"], answer["target_length"])


def test_settings_come_with_each_text(translator):
    texts, some = ["14 June 1904"] * 3, np.array([0, 0, 0], "int32")
    prefix, penalty = ["", "2", ""], np.float32([0.6, 0.6, 0])
    answer = translator.translate_with_settings(texts, prefix, penalty, some, some)
    plain = translator.translate_n_best(texts)
    np.testing.assert_array_equal(answer["text"][0], plain["text"][0])
    assert all(text.startswith(b"2") for text in answer["text"][1].numpy() if text)
    np.testing.assert_allclose(answer["score"][2], answer["log_probability"][2])
    short = translator.translate_with_settings(texts, [""] * 3, penalty, some, some + 4)
    long = translator.translate_with_settings(texts, [""] * 3, penalty, some + 9, some)
    assert {len(text) for text in short["text"][:, 0].numpy()} <= {0, 1, 2, 3}
    assert all(len(text) >= 8 for text in long["text"][:, 0].numpy())


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


def test_the_same_seed_samples_the_same_text(translator):
    def drawn(*seeds, temperature=1.0):
        count = len(seeds)
        texts, ones = ["14 June 1904"] * count, np.ones(count, "float32")
        return translator.sample(texts, seeds, temperature * ones, [0] * count, ones)["text"]

    first, second, again = drawn(1, 2, 1).numpy()
    assert first == again
    assert drawn(2).numpy()[0] == second
    assert len(set(drawn(*range(20), temperature=2.0).numpy())) > 10


def test_a_sentence_has_a_vector_that_padding_does_not_change(translator):
    together = translator.encode(["14 June 1904", "12"])["vector"]
    alone = translator.encode(["12"])["vector"]
    np.testing.assert_allclose(together[1], alone[0], atol=1e-5)
    assert np.abs(together[0] - together[1]).max() > 1e-3


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


def test_translate_all_keeps_the_order(translator):
    texts = [f"{day} June 19{day:02}" * (1 + day % 3) for day in range(1, 20)]
    one_by_one = [translator.translate([t])["text"].numpy()[0].decode() for t in texts]
    assert translator.translate_all(texts, batch_size=4) == one_by_one


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
