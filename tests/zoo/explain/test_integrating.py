"""The rules and their refinement, by hand."""

import numpy as np
import pytest

from zoo.explain.integrating import Panels, first, grouped, integrated, unfinished


@pytest.mark.parametrize("steps, begun", [(512, 4), (60, 3), (100, 3), (16, 4), (8, 4), (3, 1)])
def test_the_first_panels_lead_to_the_steps_or_just_below(steps, begun):
    assert first(steps) == begun


@pytest.mark.parametrize("steps", [1, 0, -3])
def test_a_panel_has_two_steps(steps):
    with pytest.raises(ValueError, match=f"from 2 to 1048576 steps, got {steps}"):
        first(steps)


def way(power, asked):
    """Tokens whose log-probability is `at ** power`, half of which comes from either source."""

    def ask(token, at):
        asked.extend(zip(token.tolist(), at.tolist(), strict=True))
        slope = power[token] * at ** (power[token] - 1)
        return at ** power[token], np.stack([slope, slope], axis=1) / 2

    return ask


def test_what_is_even_is_asked_at_the_first_points_and_what_bends_where_it_bends():
    asked = []
    found = integrated(way(np.array([1.0, 40.0]), asked), sentence=np.array([0, 1]), steps=512)
    np.testing.assert_allclose(found[0], [0.5, 0.5])
    np.testing.assert_allclose(found[1], [0.5, 0.5], atol=0.005)
    assert len(set(asked)) == len(asked)  # no point twice
    even, bent = ([at for token, at in asked if token == one] for one in (0, 1))
    np.testing.assert_array_equal(even, np.arange(9) / 8)
    assert 0.0625 not in bent and {0.8125, 0.9375, 0.96875} < set(bent)


def test_each_panel_takes_the_rule_that_comes_nearer():
    """Of slopes 0, 0 and 1 a third of the way each, Simpson's is 1/6, the trapezoidal 1/4."""
    values = np.array([[0, 0, 0.17], [0, 0, 0.24]])
    slopes = np.tile(np.array([0.0, 0, 1])[:, None], (2, 1, 1))
    panels = Panels(np.arange(2), np.zeros(2), np.ones(2), values, slopes)
    np.testing.assert_allclose(panels.areas(), [[1 / 6], [1 / 4]])


def test_halves_are_known_at_their_ends_and_asked_for_in_the_middle():
    panels = Panels.first(way(np.array([2.0]), []), 1, 2)
    asked = []
    halves = panels.halves(way(np.array([2.0]), asked))
    assert sorted(at for _, at in asked) == [0.125, 0.375, 0.625, 0.875]
    np.testing.assert_allclose(halves.begin, [0, 0.5, 0.25, 0.75])
    points = halves.begin[:, None] + np.array([0, 0.125, 0.25])
    np.testing.assert_allclose(halves.values, points**2)
    np.testing.assert_allclose(halves.slopes, np.stack([points, points], axis=2))


@pytest.mark.parametrize("steps, points", [(8, 9), (16, 17), (60, 49), (2, 3)])
def test_no_step_is_shorter_than_a_step(steps, points):
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
