import itertools
import unicodedata

import numpy as np
import pytest

from zoo.explain import Alignment, heat_map, png, table
from zoo.explain.alignment import labels, visible
from zoo.explain.heat_map import in_rows


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


@pytest.mark.parametrize(
    "text, shown",
    [
        ("3\x1b[31mMay", "3\\x1b[31mMay"),
        ("\n\t\0\x7f\x9b", "\\n\\t\\x00\\x7f\\x9b"),
        ("a\u2028\u202eb\u2069", "a\\u2028\\u202eb\\u2069"),
        ("2013년 ▁ \u200b", "2013년 ▁ \u200b"),  # neither moves anything
    ],
)
def test_controls_are_spelled(text, shown):
    assert labels([text]) == [visible(text)] == [shown]


@pytest.mark.parametrize(
    "tokens, shown",
    [
        (["▁a", "<0xE6>", "<0x9D>", "<0xB1>", "b"], ["▁a", "東", "·", "·", "b"]),
        (["<0x3C>", "<0xC3>", "<0xA9>"], ["<", "é", "·"]),
        (["<0x0A>"], ["\\n"]),
        (["<0xE6>", "<0x9D>", "b"], ["<0xE6>", "<0x9D>", "b"]),  # no character
        (["<0xC3>", "<0xA9>", "<0xE6>", "<0x9D>"], ["é", "·", "<0xE6>", "<0x9D>"]),  # cut
        (["<0xE2>", "<0x80>", "<0x8D>"], ["\\u200d", "·", "·"]),  # nothing to see
        ([" ", "</s>", "<unk>"], ["␣", "⏎", "<unk>"]),
    ],
)
def test_characters_that_are_spelled_in_bytes_can_be_read(tokens, shown):
    assert labels(tokens) == shown


def test_a_wide_table_is_cut_into_parts():
    alignment = Alignment(["ab", "년", "c", "d"], ["x", "yy"], np.eye(2, 4), "xyy", 0.0)
    whole = ["   ab 년 c d", "x  ██", "yy    ██"]
    assert table(alignment).splitlines() == table(alignment, 12).splitlines() == whole
    parts = [part.splitlines() for part in table(alignment, 8).split("\n\n")]
    assert parts == [["   ab 년", "x  ██", "yy    ██"], ["   c d", "x", "yy"]]
    assert len(table(alignment, 1).split("\n\n")) == 4  # one token at the least


def test_a_shade_begins_at_a_twentieth():
    weights = np.array([[0.04, 0.05, 0.29, 0.3, 0.54, 0.55, 0.8, 1]])
    one = Alignment(["a"] * 8, ["b"], weights, "b", 0.0)
    assert table(one).splitlines()[1] == "b   ░ ░ ▒ ▒ ▓ █ █"


def test_a_control_breaks_no_table_and_no_picture(tmp_path):
    odd = Alignment(["\n", "</s>"], ["\t", "\x1b[2J"], np.eye(2), "\t\x1b[2J", 0.0)
    assert table(odd).splitlines() == ["        \\n ⏎", "\\t      ██", "\\x1b[2J    █"]
    heat_map([odd], tmp_path / "picture.png")


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


def test_what_no_font_has_is_named(tmp_path):
    odd = Alignment(["\U0010ffff", "</s>"], ["a"], np.ones((1, 2)) / 2, "a", 0.0)
    assert png([[odd]])[1] == "\U0010ffff"
    with pytest.warns(UserWarning, match="no font that is installed has"):
        heat_map([odd], tmp_path / "picture.png")


def test_a_picture_has_room_for_a_long_translation(tmp_path):
    """Warnings are errors, and matplotlib warns where nothing of the picture is left."""
    long = Alignment(["x", "</s>"], ["a"] * 40, np.ones((40, 2)) / 2, "word " * 40, 0.0)
    heat_map([long], tmp_path / "picture.png")


@pytest.fixture
def drawn_rows(monkeypatch):
    """A function that draws rows of alignments and gives all axes, as they stand in the PNG."""
    figures = pytest.importorskip("matplotlib.figure")
    kept, save = [], figures.Figure.savefig
    monkeypatch.setattr(
        figures.Figure,
        "savefig",
        lambda self, *to, **how: (kept.append(self), save(self, *to, **how)),
    )

    def draw(rows):
        png(rows)
        kept[-1].draw_without_rendering()  # places are those of the last drawing's resolution
        return kept[-1].axes[:-1]  # the last is the scale's

    return draw


@pytest.fixture
def drawn(drawn_rows):
    """The same of so many in a row."""
    return lambda alignments, columns: drawn_rows(in_rows(alignments, columns))


def test_each_text_has_rows_of_its_own_high_enough_for_it(drawn_rows):
    def one(length):
        return Alignment(["x", "</s>"], ["a"] * length, np.ones((length, 2)) / 2, "a", 0.0)

    rows = [[one(5)] * 4, [one(5)], [one(40)] * 2]
    axes = drawn_rows(rows)
    shown = [axis.get_visible() and axis.axison for axis in axes]
    assert shown == [True] * 4 + [True] + [False] * 3 + [True] * 2 + [False] * 2
    heights = [axis.get_window_extent().height / axis.figure.dpi for axis in axes[::4]]
    assert heights[2] > 0.2 * 40  # inches a cell
    assert heights[0] == pytest.approx(heights[1], rel=0.2)


@pytest.mark.parametrize("source", ["5", "3 May 1999"])
def test_titles_and_texts_of_panels_leave_each_other_room(source, drawn):
    title = "attention, layer 1, head 1\nrank correlation -0.12 with integrated gradients"
    source = [*source, "</s>"]
    one = Alignment(source, ["a"] * 9, np.full((9, len(source)), 0.1), "aaaa", -0.1234, title)
    boxes = [text.get_window_extent() for axis in drawn([one] * 8, 4) for text in axis.texts]
    assert len(boxes) == 16  # a title and a text each
    assert not [(a, b) for a, b in itertools.combinations(boxes, 2) if a.overlaps(b)]


def test_a_short_source_does_not_narrow_a_long_one(drawn):
    """Cells are 0.28 inch and a little less, so that tokens do not touch."""
    short, long = (Alignment(["x"] * n, ["a"] * 9, np.ones((9, n)) / n, "a", 0.0) for n in (2, 40))
    axes = drawn([short, long], 1)
    pixels = np.diff(axes[1].transData.transform([(0, 0), (1, 0)])[:, 0])
    assert pixels / axes[1].figure.dpi > 0.2


def test_long_tokens_begin_at_their_column(drawn):
    source = ["a", "▁extraordinarily", "</s>"]
    (axis,) = drawn([Alignment(source, ["a"], np.full((1, 3), 0.3), "a", 0.0)], 1)
    column = axis.transData.transform((1, 0))[0], axis.transData.transform((1.5, 0))[0]
    begins = axis.get_xticklabels()[1].get_window_extent().x0
    assert 2 * column[0] - column[1] < begins < column[1]  # its left and right edge


def test_a_dollar_sign_begins_no_formula(tmp_path):
    pytest.importorskip("matplotlib")
    odd = Alignment(["$", "$x_{$"], ["$"], np.full((1, 2), 0.5), "$\\frac{$", 0.0)
    assert heat_map([odd], tmp_path / "picture.png").stat().st_size
