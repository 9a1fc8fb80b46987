"""The trapezoidal rule and its refinement, by hand."""

import numpy as np
import pytest

from zoo.explain.integrating import between, first, grouped, trapezoids, unfinished


def test_the_path_integrates_a_line_and_halves_its_intervals():
    where, weights = trapezoids(4)
    np.testing.assert_allclose(where, [0, 0.25, 0.5, 0.75, 1])
    np.testing.assert_allclose(weights, [0.125, 0.25, 0.25, 0.25, 0.125])
    where, weights = between(2)
    np.testing.assert_allclose(where, [0.25, 0.75])
    np.testing.assert_allclose(weights, [0.5, 0.5])


@pytest.mark.parametrize("steps, begun", [(512, 8), (60, 7), (100, 6), (16, 8), (8, 8), (1, 1)])
def test_the_first_intervals_lead_to_the_steps_or_just_below(steps, begun):
    assert first(steps) == begun


def test_no_steps_are_refused():
    with pytest.raises(ValueError, match="1 step or more, got 0"):
        first(0)


def test_the_largest_gaps_are_halved_until_little_is_left():
    """Of changes that sum to 100, 1 is allowed in all, and 0.5 in what is left as it is."""
    change = np.array([[50.0, 30, 20, 0]] * 3)
    gaps = np.array([[0.2, 0.25, 0.9, 0], [0.2, 0.3, 0.4, 0], [0, 0.1, 5, 0]])
    values = (change + gaps)[..., None]
    found = unfinished(values, change, np.ones((3, 4), bool))
    np.testing.assert_array_equal(found, [[0, 0, 1, 0], [0, 0, 0, 0], [0, 0, 1, 0]])
    # What was given up before stays so, and takes of what is allowed to the others.
    left = np.array([[1, 0, 1, 1], [1, 0, 1, 1], [1, 1, 0, 1]], bool)
    gaps = np.array([[0.3, 0.45, 0.4, 0], [0, 0, 0, 0], [0.2, 0.1, 5, 0]])
    found = unfinished((change + gaps)[..., None], change, left)
    np.testing.assert_array_equal(found, [[1, 0, 1, 0], [0, 0, 0, 0], [1, 1, 0, 1]])


def test_sentences_are_grouped_by_how_many_tokens_are_left():
    left = np.array([[0, 1, 0, 0], [0, 0, 0, 0], [1, 0, 1, 1], [1, 1, 1, 1], [0, 0, 0, 1]], bool)
    groups = [(rows.tolist(), places.tolist()) for rows, places in grouped(left)]
    assert groups == [([0, 4], [[1], [3]]), ([2, 3], [[0, 2, 3, 0], [0, 1, 2, 3]])]
