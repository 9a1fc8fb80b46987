"""The whole way from text to text, in process."""

from concurrent.futures import ThreadPoolExecutor

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


def test_translate_all_keeps_the_order(translator):
    texts = [f"{day} June 19{day:02}" * (1 + day % 3) for day in range(1, 20)]
    one_by_one = [translator.translate([t])["text"].numpy()[0].decode() for t in texts]
    assert translator.translate_all(texts, batch_size=4) == one_by_one
