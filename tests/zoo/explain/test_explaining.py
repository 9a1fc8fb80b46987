"""Explanations of a model's own translations."""

import numpy as np
import pytest

import zoo
from zoo.explain.explaining import explain
from zoo.text import CharacterTokenizer

TEXTS = ["14 June 1904", "9월"]


@pytest.fixture(scope="module")
def translator(tiny_model):
    return zoo.Translator.load(tiny_model, beam_size=3)


def of(preset, **overrides):
    """An untrained translator of characters."""
    tokenizer = CharacterTokenizer.train(["0123456789 Junebrwaty-"], 40)
    sizes = dict.fromkeys(
        ("source_vocabulary_size", "target_vocabulary_size"), tokenizer.vocabulary_size
    )
    decoding = zoo.Decoding(beam_size=1, length_penalty=0, max_target_length=6)
    return zoo.Translator(zoo.build(preset, **sizes, **overrides), tokenizer, tokenizer, decoding)


def test_forced_attention_is_what_decoding_looked_at(translator):
    answer = translator.translate_with_alignment(TEXTS)
    for i, explanation in enumerate(explain(translator, TEXTS)):
        (found,) = explanation.attention
        targets, sources = answer["target_length"][i], answer["source_length"][i]
        expected = answer["alignment"][i, :targets, :sources]
        np.testing.assert_allclose(found.weights, expected, atol=1e-4)
        assert found.text == answer["text"][i].numpy().decode()
        assert found.score == pytest.approx(float(answer["score"][i]), abs=1e-3)
        assert (len(found.target), len(found.source)) == (targets, sources)
        assert explanation.views == explanation.attention


def test_a_transformer_has_views_of_each_layer_and_head():
    model = {"dim": 8, "num_layers": 2, "num_heads": 2, "hidden_dim": 8}
    (explanation,) = explain(of("transformer-lite", **model), TEXTS[:1], "all", "all")
    assert len(explanation.views) == 4
    for view in explanation.views:
        np.testing.assert_allclose(view.weights.sum(-1), 1, atol=1e-5)


def test_without_attention_there_is_attribution_alone():
    translator = of("seq2seq-gru", embedding_dim=4, units=6)
    with pytest.raises(ValueError, match=r"no attention.*ask for --attribution"):
        explain(translator, TEXTS)
    (explanation,) = explain(translator, TEXTS[:1], method="leave-one-out")
    assert [view.title for view in explanation.views] == ["leave one out"]
    assert explanation.correlations() == []
    assert explanation.numbers()["attention"] == []


def test_an_empty_text_has_no_explanation(translator):
    with pytest.raises(ValueError, match="nothing to translate in ' '"):
        explain(translator, ["9월", " "])


def test_an_ensemble_is_refused_in_a_line(tiny_model):
    twice = zoo.Translator.load(tiny_model, ensemble=[tiny_model])
    with pytest.raises(ValueError, match="explain its models one by one"):
        explain(twice, TEXTS)
