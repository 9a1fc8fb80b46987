"""What the page asks, and makes of the answers."""

import numpy as np
import pytest

from attention_zoo.demo.asking import ask
from attention_zoo.demo.leaving_out import LEAST, leave_one_out, parts
from attention_zoo.demo.settings import Settings
from attention_zoo.reading import joined, part_read
from zoo.explain.explaining import explain

TEXT = "14June1904"


def test_an_answer_is_the_models_own(client):
    answer = ask(client, "dates", TEXT)
    (explanation,) = explain(client.translator, [TEXT])
    (expected,) = explanation.attention
    np.testing.assert_allclose(answer.alignment.weights, expected.weights, atol=1e-4)
    assert answer.alignment.source == [*TEXT, "</s>"]
    assert answer.hypotheses[0][0] == answer.alignment.text == expected.text
    assert answer.hypotheses[0][2] == pytest.approx(expected.score, abs=1e-3)
    scores = [score for _, score, _ in answer.hypotheses]
    assert len(scores) == 3
    assert scores == sorted(scores, reverse=True)
    assert answer.cut == ""


def test_a_character_less_on_a_server_is_a_token_less_in_the_model(client):
    """Against `zoo.explain`'s own leave-one-out, which takes tokens from the ids."""
    target = ask(client, "dates", TEXT).hypotheses[0][0]
    found = leave_one_out(client, "dates", TEXT, target, by_words=False)
    (explanation,) = explain(client.translator, [TEXT], method="leave-one-out")
    lost = np.abs(explanation.attribution.values[:, :-1])  # END can't be left out of a text
    expected = lost / lost.sum(axis=1, keepdims=True) * (lost.max(axis=1, keepdims=True) >= LEAST)
    np.testing.assert_allclose(found.weights, expected, atol=2e-3)
    assert found.source == list(TEXT)
    assert found.target == explanation.attributed.target


@pytest.mark.parametrize(
    "text, expected",
    [
        ("Isn't it  nice?", ["Isn't", "it", "nice", "?"]),
        ("나는 배가 고파요.", ["나는", "배가", "고파요", "."]),
        ("5月3日(日)", ["5", "月", "3", "日", "(", "日", ")"]),
        ("", []),
    ],
)
def test_parts_are_words_and_signs(text, expected):
    assert [text[start:stop] for start, stop in parts(text, by_words=True)] == expected


def test_a_model_of_characters_is_left_one_out():
    assert parts("9 월", by_words=False) == [(0, 1), (1, 2), (2, 3)]


def test_settings_reach_the_model(client):
    answer = ask(client, "dates", TEXT, Settings(prefix="2", min_length=4, max_length=6))
    for said, _, _ in answer.hypotheses:
        assert said.startswith("2")
        assert 3 <= len(said) <= 5  # END is a token
    assert answer.attribution.text == answer.hypotheses[0][0]


@pytest.mark.parametrize("text", ["", "  \n", "\u200b\u2060 \ufeff"])
def test_an_empty_text_is_refused(client, text):
    with pytest.raises(ValueError, match="nothing to translate: type a text"):
        ask(client, "dates", text)


def test_a_long_text_is_cut_and_said_where(client):
    answer = ask(client, "dates", "1234567 " * 9)  # the model reads 64 tokens, END among them
    assert answer.cut == (
        "the model reads 63 tokens of a text: it cut this one behind “…4567 1234567 1234567”"
    )
    assert "".join(answer.attribution.source) == ("1234567 " * 8)[:-1]


def test_a_text_as_long_as_the_limit_is_not_cut(client):
    assert ask(client, "dates", "1" * 63).cut == ""
    assert "63 tokens" in ask(client, "dates", "1" * 64).cut


def test_unknown_characters_count_as_one_each(client):
    """Of 63 characters that the model has never seen none is cut, of 64 the last."""
    assert ask(client, "dates", "☃" * 63).cut == ""
    answer = ask(client, "dates", "☃" * 63 + "1")
    assert (
        answer.cut == f"the model reads 63 tokens of a text: it cut this one behind “…{'☃' * 20}”"
    )
    assert "".join(answer.attribution.source) == "☃" * 63


@pytest.mark.parametrize(
    "text, tokens, part",
    [
        ("Le  chat dort.", ["▁Le", "<unk>", "▁dort", "."], "Le  chat dort."),
        ("Le  chat dort.", ["▁Le", "<unk>", "▁dort"], "Le chat dort"),
        ("नमस्ते दुनिया!", ["<unk>", "<unk>", "<unk>"], "नमस्ते दुनिया!"),  # marks are of their word
        ("नमस्ते दुनिया!", ["<unk>", "<unk>"], "नमस्ते दुनिया"),
        ("9☃ 5", ["9", "<unk>", " ", "5"], "9☃ 5"),
        ("9☃ 5", ["9", "<unk>", " "], "9☃ "),
    ],
)
def test_an_unknown_token_is_a_piece_of_the_text(text, tokens, part):
    assert part_read(text, tokens) == part


def test_text_that_is_spelled_in_bytes_is_shown_as_text():
    read = ["▁a", "▁", "<0xEC>", "<0x97>", "<0xAD>", "b", "<0xEC>"]  # 역, and half of one
    assert joined(read) == "a 역b\ufffd"


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"length_penalty": 3}, "penalty is 0 to 2; got 3"),
        ({"length_penalty": None}, "got None"),
        ({"min_length": -1}, "least length is a whole number of tokens, 0 as exported; got -1"),
        ({"max_length": None}, "longest length is a whole number"),
        ({"min_length": 9, "max_length": 3}, "least length, 9, is above the longest, 3"),
    ],
)
def test_settings_that_are_none(settings, message):
    with pytest.raises(ValueError, match=message):
        Settings(**settings)
