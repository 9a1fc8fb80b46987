"""The trapezoidal rule and its refinement, by hand."""

import numpy as np
import pytest

from zoo.explain.integrating import first, grouped, integrated, unfinished


@pytest.mark.parametrize("steps, begun", [(512, 8), (60, 7), (100, 6), (16, 8), (8, 8), (1, 1)])
def test_the_first_intervals_lead_to_the_steps_or_just_below(steps, begun):
    assert first(steps) == begun


def test_no_steps_are_refused():
    with pytest.raises(ValueError, match="1 step or more, got 0"):
        first(0)


def way(power, asked):
    """Tokens whose log-probability is `at ** power`, half of which comes from either source."""

    def ask(token, at):
        asked.extend(zip(token.tolist(), at.tolist(), strict=True))
        slope = power[token] * at ** (power[token] - 1)
        return at ** power[token], np.stack([slope, slope], axis=1) / 2

    return ask


def test_what_is_even_is_asked_at_the_first_points_and_what_bends_where_it_bends():
    asked = []
    found = integrated(way(np.array([1.0, 9.0]), asked), sentence=np.array([0, 1]), steps=512)
    np.testing.assert_allclose(found[0], [0.5, 0.5])
    np.testing.assert_allclose(found[1], [0.5, 0.5], atol=0.005)
    assert len(set(asked)) == len(asked)  # no point twice
    even, bent = ([at for token, at in asked if token == one] for one in (0, 1))
    np.testing.assert_array_equal(even, np.arange(9) / 8)
    assert 0.0625 not in bent and {0.8125, 0.9375, 0.96875} < set(bent)


@pytest.mark.parametrize("steps, points", [(8, 9), (16, 17), (60, 57), (1, 2)])
def test_no_interval_is_shorter_than_a_step(steps, points):
    """A slope that is of no log-probability is never complete."""
    asked = []

    def ask(token, at):
        asked.extend(at.tolist())
        return 0 * at, np.ones((len(at), 1))

    found = integrated(ask, np.array([0]), steps)
    np.testing.assert_allclose(found, [[1]])
    np.testing.assert_allclose(sorted(asked), np.linspace(0, 1, points), atol=1e-12)


def test_the_largest_gaps_are_halved_until_little_is_left():
    """Of changes that sum to 100, 1 is allowed in all, and 0.5 in what is left as it is."""
    sentence = np.array([0, 0, 1])
    token = np.array([0, 0, 1, 1, 2, 2])
    change = np.array([20.0, 30, 40, 10, 70, 30])
    gaps = np.array([0.3, -0.9, 0.1, 2, 0.6, 0.3])
    found = unfinished(change + gaps, change, token, sentence)
    np.testing.assert_array_equal(found, [0, 1, 0, 1, 0, 0])
    # Gaps of one token may make up for one another, and not for another token's.
    gaps = np.array([3, -3, 0.4, 0.4, 0.6, 0.6])
    found = unfinished(change + gaps, change, token, sentence)
    np.testing.assert_array_equal(found, [0, 0, 0, 0, 1, 1])


def test_points_are_grouped_by_how_many_tokens_share_them():
    row = np.array([0, 0, 0, 0, 1, 2, 2, 2])
    at = np.array([0.5, 0.5, 0.25, 0.5, 0.5, 1, 1, 1])
    groups = [one.tolist() for one in grouped(row, at, most=9)]
    assert groups == [[[2], [4]], [[0, 1, 3], [5, 6, 7]]]
    assert [len(one) for one in grouped(row, at, most=1)] == [1, 1, 1, 1]
    uneven = [
        one.tolist() for one in grouped(row[[0, 1, 3, 5, 6, 7, 7]], at[[0, 1, 3, 5, 6, 7, 7]], 9)
    ]
    assert uneven == [[[0, 1, 2, 2], [3, 4, 5, 6]]]
