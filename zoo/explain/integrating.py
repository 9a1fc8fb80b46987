"""Integrated gradients' way from 0 to 1: the trapezoidal rule, refined where it is not complete.

Its intervals are halved, so that no slope is asked for twice, and only for the target tokens whose
sums are off. Gauss and Legendre's rule, exact for polynomials, takes more points here: slopes are
small at both ends of the way, where it has most of them, and a Transformer's are not smooth, since
ReLU has a corner.
"""

import numpy as np

from zoo.explain.attribution import COMPLETE

# Intervals to begin with, at most.
FEWEST = 8


def first(steps):
    """With how many intervals to begin, so that halving them leads to `steps`, or just below.

    Raises:
        ValueError: for fewer steps than 1.
    """
    if steps < 1:
        raise ValueError(f"integrated gradients want 1 step or more, got {steps}")
    while steps > FEWEST:
        steps //= 2
    return steps


def trapezoids(count):
    """The ends of so many equal intervals from 0 to 1, and their weights, which sum to 1."""
    weights = np.full(count + 1, 1 / count)
    weights[[0, -1]] /= 2
    return np.linspace(0, 1, count + 1), weights


def between(count):
    """The middles of so many equal intervals from 0 to 1, and their weights, which sum to 1.

    With them the intervals are halved: the mean of both sums is that of twice as many trapezoids.
    """
    return (np.arange(count) + 0.5) / count, np.full(count, 1 / count)


def unfinished(values, change, left):
    """Which target tokens' intervals are to be halved.

    Of a sentence whose completeness residual is above `COMPLETE`, those with the largest gaps: the
    others' make up half of what is allowed at most.

    Args:
        values: `(batch, target length, source length)`.
        change: `(batch, target length)`, what the values should sum to.
        left: bool `(batch, target length)`, those that were halved each time before. Others have
            longer intervals, and stay as they are.

    Returns:
        Bool `(batch, target length)`.
    """
    gaps = np.abs(values.sum(axis=-1) - change)
    allowed = COMPLETE * np.abs(change).sum(axis=1, keepdims=True)
    order = np.argsort(np.where(left, gaps, -1), axis=1)
    sums = np.cumsum(np.take_along_axis(gaps, order, axis=1), axis=1)
    over = np.zeros_like(left)
    np.put_along_axis(over, order, sums > allowed / 2, axis=1)
    return left & over & (sums[:, -1:] > allowed)


def grouped(left):
    """Sentences with about as many tokens left, so that few are asked for in vain.

    Args:
        left: bool `(batch, target length)`.

    Yields:
        Pairs of sentences `(n,)` and the places of their tokens `(n, most of them)`; a sentence
        that has fewer names its first one again.
    """
    counts = left.sum(axis=1)
    sizes = np.where(counts, np.ceil(np.log2(np.maximum(counts, 1))), -1)
    for size in np.unique(sizes[counts > 0]):
        rows = np.flatnonzero(sizes == size)
        places = np.argsort(~left[rows], axis=1, kind="stable")[:, : counts[rows].max()]
        yield rows, np.where(np.take_along_axis(left[rows], places, 1), places, places[:, :1])
