"""Which lengths a corpus's batches are padded to: few, so that each shape is compiled once."""

from typing import NamedTuple

import numpy as np

LEVELS = 64  # lengths of a side that are considered


class Shape(NamedTuple):
    """Of a batch: how many pairs, and the lengths that their sides are padded to."""

    rows: int
    source: int
    target: int


def choose_lengths(source, target, most, padding):
    """The (source length, target length) of a few shapes that leave the least padding.

    The shapes are nested: none is longer than the next on either side, and a pair goes into the
    first that holds it. With `F(x)` the pairs that fit into `x = (s, t)`, the tokens of the best
    `k` shapes, of which `x` is the last, are

        C_1(x) = F(x) (s + t),   C_k(x) = min_{y <= x}  C_{k-1}(y) + (F(x) - F(y)) (s + t)

    and dynamic programming finds them for every `k`; of a side with many lengths, a few stand for
    all.

    Args:
        source, target: each pair's lengths, int `(pairs,)`.
        most: shapes.
        padding: fewer shapes will do where no more than this share of the tokens is padding.

    Returns:
        int `(shapes, 2)`, from short to long; the last holds every pair.
    """
    levels = _levels(source), _levels(target)
    size = np.add.outer(*levels)  # (source levels, target levels), as are all below
    fit = _pairs_that_fit(source, target, levels)
    enough = (source.sum() + target.sum()) / (1 - padding)
    costs, steps = [fit * size], []
    while costs[-1][-1, -1] > enough and len(costs) < most:
        cost, step = _with_one_more(costs[-1], fit, size)
        costs.append(cost)
        steps.append(step)
    chain = [fit.size - 1]
    for step in reversed(steps):
        chain.append(step.flat[chain[-1]])
    i, j = np.unravel_index(chain[::-1], fit.shape)
    return np.column_stack([levels[0][i], levels[1][j]])


def _with_one_more(cost, fit, size):
    """`C_k` from `C_{k-1}`, and for each `x` the number of the `y` that gave it."""
    best, step = np.empty_like(cost), np.empty_like(cost)
    for i, j in np.ndindex(cost.shape):
        before = cost[: i + 1, : j + 1] - fit[: i + 1, : j + 1] * size[i, j]
        row, column = divmod(int(before.argmin()), j + 1)
        best[i, j] = before[row, column] + fit[i, j] * size[i, j]
        step[i, j] = row * cost.shape[1] + column
    return best, step


def _levels(lengths):
    """At most `LEVELS` of the lengths, the longest too, with as many tokens between any two."""
    lengths = np.sort(lengths).astype(np.int64)
    unique = np.unique(lengths)
    if len(unique) <= LEVELS:
        return unique
    tokens = np.cumsum(lengths)
    shares = np.arange(1, LEVELS + 1) * tokens[-1] // LEVELS
    return np.unique(lengths[np.searchsorted(tokens, shares)])


def _pairs_that_fit(source, target, levels):
    places = np.searchsorted(levels[0], source), np.searchsorted(levels[1], target)
    counts = np.zeros([len(level) for level in levels], np.int64)
    np.add.at(counts, places, 1)
    return counts.cumsum(axis=0).cumsum(axis=1)
