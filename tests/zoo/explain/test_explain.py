import unicodedata

import numpy as np
import pytest

from zoo.explain import Alignment, heat_map, table


@pytest.fixture
def outputs():
    """What a model gives for two texts, padded to each other."""
    return {
        "text": np.array(["ab", "c"], object),
        "score": np.array([-0.5, -1.0], np.float32),
        "source_tokens": np.array(
            [[b"x", b" ", "년".encode(), b"</s>"], [b"y", b"</s>", b"", b""]]
        ),
        "source_length": np.array([4, 2]),
        "target_tokens": np.array([[b"a", b"b", b"</s>"], [b"c", b"</s>", b""]]),
        "target_length": np.array([3, 2]),
        "alignment": np.stack([np.eye(3, 4), np.eye(3, 4)]).astype(np.float32),
    }


def test_rows_are_cut_to_their_lengths(outputs):
    first, second = Alignment.rows(outputs)
    assert first.source == ["x", " ", "년", "</s>"]
    assert second.target == ["c", "</s>"]
    np.testing.assert_array_equal(second.weights, np.eye(2))
    assert (second.text, second.score) == ("c", -1.0)


def test_the_table_has_a_shade_under_each_token(outputs):
    lines = table(Alignment.rows(outputs)[0]).splitlines()
    assert lines == [
        "  x ␣ 년 ⏎",
        "a █",
        "b   █",
        "⏎     ██",
    ]
    assert unicodedata.east_asian_width("년") == "W"  # two columns, so two shades


def test_half_a_weight_is_half_a_shade():
    half = Alignment(["x", "y"], ["a"], np.array([[0.5, 0.5]]), "a", 0.0)
    assert table(half).splitlines()[1] == "a ▒ ▒"


def test_a_model_without_attention_has_no_alignment(outputs):
    outputs["alignment"] = np.zeros((2, 3, 0))
    with pytest.raises(ValueError, match="no attention"):
        Alignment.rows(outputs)


def test_every_character_of_the_picture_has_a_glyph(outputs, tmp_path):
    """Warnings are errors, and matplotlib warns of a missing glyph."""
    source = [*"2013년 2월 9일 토요일 三月 曜 周 ąţÿ Ñ мая", "</s>"]
    many = Alignment(source, ["a"], np.ones((1, len(source))), "日", 0.0)
    path = heat_map([*Alignment.rows(outputs), many], tmp_path / "picture.png")
    assert path.read_bytes().startswith(b"\x89PNG")


def test_a_picture_has_room_for_a_long_translation(tmp_path):
    """Warnings are errors, and matplotlib warns where nothing of the picture is left."""
    long = Alignment(["x", "</s>"], ["a"] * 40, np.ones((40, 2)) / 2, "word " * 40, 0.0)
    heat_map([long], tmp_path / "picture.png")


def test_a_dollar_sign_begins_no_formula(tmp_path):
    pytest.importorskip("matplotlib")
    odd = Alignment(["$", "$x_{$"], ["$"], np.full((1, 2), 0.5), "$\\frac{$", 0.0)
    assert heat_map([odd], tmp_path / "picture.png").stat().st_size
