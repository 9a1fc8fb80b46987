"""The founding claims: parts of them on numbers worked out by hand, and each on a few pairs."""

import math
from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf

from benchmarks.claim_figures import Panel, dots, lines
from benchmarks.claim_gradient import gradient_norms
from benchmarks.claim_length import by_length, joined
from benchmarks.claim_models import matched_width
from benchmarks.claim_page import spread, write_page
from benchmarks.claims import main

TINY = ["--seeds", "0", "--epochs", "1", "--max-examples", "128"]
CLAIMS = {
    "gradient": ["--length", "12"],
    "scores": ["--sentences", "8"],
    "length": [
        *("--sentences", "200", "--parameters", "600000"),
        *("--vocabulary-size", "1000", "--warmup-steps", "0"),
    ],
}


def pairs(*lengths):
    sources = [" ".join(["word"] * length) for length in lengths]
    return SimpleNamespace(sources=sources, targets=[str(length) for length in lengths])


def test_widths_have_the_parameters_nearest_to_those_wanted():
    def count(width):
        return 3 * width**2 + 10 * width + 5

    assert matched_width(count, 30_000) == (98, 29_797)  # 99: 30,398
    assert matched_width(count, 33_000, step=8) == (104, 33_493)
    with pytest.raises(ValueError, match="no width in steps of 64"):
        matched_width(count, 30_000, step=64)


def test_sources_are_parted_by_their_words():
    parts = by_length(pairs(5, 6, 10, 61, 1))
    assert [targets for _, targets in parts] == [["5", "1"], ["6", "10"], ["61"]]


def test_joined_sentences_are_the_same_at_each_length():
    short = joined(pairs(*[3, 11] * 25, 7))  # 26 are short, and 24 fill the groups
    assert [len(sources) for sources, _ in short] == [24, 12, 8, 6, 4, 3]
    for sources, targets in short:
        assert " ".join(sources).split() == ["word"] * 72
        assert " ".join(targets).split() == ["3"] * 24
    with pytest.raises(ValueError, match="got 23: raise --sentences"):
        joined(pairs(*[3] * 23))


def test_the_gradient_is_that_of_the_last_token_before_the_end():
    """Two words, whose logits differ by 0.5 a + 2 b, a and b the first numbers of two embeddings;
    the derivative of `log sigmoid(z)` is `1 - sigmoid(z)`."""
    table = tf.constant([[0.0, 0.0], [1.0, 7.0], [-1.0, 7.0]])

    def forced(given):
        vectors, _, target = given
        z = tf.reduce_sum(vectors[:, :, 0] * tf.constant([[0.5, 2.0]]), axis=1)
        logits = tf.stack([tf.fill(z.shape, -1e9), tf.zeros_like(z), z], axis=-1)[:, None]
        # Of the other positions it would be ten times as large.
        return tf.concat([10 * logits, logits, 10 * logits], axis=1)[:, : target.shape[1]], []

    model = SimpleNamespace(source_embedding=lambda ids: tf.gather(table, ids), forced=forced)
    norms = gradient_norms(model, tf.constant([[1, 2]]), tf.constant([[1, 2, 2, 1]]))
    slope = 1 - 1 / (1 + math.exp(1.5))  # z = 0.5 - 2
    np.testing.assert_allclose(norms, [[0.5 * slope, 2 * slope]], rtol=1e-5)


def test_numbers_are_written_with_their_spread():
    assert spread([1.25], 1) == "1.2"
    assert spread([1.0, 2.0, 6.0], 1) == "3.0 (1.0 to 6.0)"


def test_a_page_has_its_facts_and_tables(tmp_path):
    write_page(tmp_path / "x.md", "Title", {"seeds": "0"}, [[["a", "b"], ["1", "2"]]])
    page = (tmp_path / "x.md").read_text(encoding="utf-8")
    assert page.startswith("# Title\n\n![Title](x.png)\n\n- seeds: 0\n- machine: ")
    assert page.endswith("\n\n| a | b |\n| --- | --- |\n| 1 | 2 |\n")


@pytest.mark.parametrize("draw, places", [(lines, [1, 2, 3]), (dots, ["dot", "general", "concat"])])
@pytest.mark.parametrize("log", [False, True])
def test_figures_are_grey_and_all_there(draw, places, log, tmp_path):
    pytest.importorskip("matplotlib")
    series = {
        name: (places, np.array([[1.0, 2.0, 3.0], [2.0, 4.0, 9.0]]) * scale)
        for scale, name in enumerate(("one", "two", "three"), start=1)
    }
    panels = [Panel("left", "x", "y", series, log), Panel("right", "x", "y", series, log)]
    draw(panels, tmp_path / "figure.png")
    pixels = tf.io.decode_png((tmp_path / "figure.png").read_bytes(), channels=3).numpy()
    assert pixels.shape[1] > 800
    assert pixels.min() == 0 and pixels.max() == 255
    assert (pixels[..., 0] == pixels[..., 1]).all() and (pixels[..., 1] == pixels[..., 2]).all()


@pytest.mark.slow
@pytest.mark.parametrize("claim", CLAIMS)
def test_a_claim_is_trained_once_measured_and_drawn(claim, tmp_path, data_dir, capsys):
    pytest.importorskip("matplotlib")
    if claim == "length":
        pytest.importorskip("tensorflow_text")
    folders = {"--folder": tmp_path / "kept", "--to": tmp_path / "docs", "--data-dir": data_dir}
    arguments = [claim, *TINY, *CLAIMS[claim], *(str(x) for pair in folders.items() for x in pair)]
    main(arguments)
    page = tmp_path / "docs" / f"{claim}.md"
    first = page.read_text(encoding="utf-8")
    assert (tmp_path / "docs" / f"{claim}.png").is_file()
    assert "nan" not in first
    assert f"\n{claim}-" in capsys.readouterr().out
    main(arguments)
    assert page.read_text(encoding="utf-8") == first
    assert f"\n{claim}-" not in capsys.readouterr().out
    arguments[arguments.index("--epochs") + 1] = "2"
    with pytest.raises(SystemExit, match="made by a recipe that differs in epochs"):
        main(arguments)
