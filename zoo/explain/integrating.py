"""Integrated gradients' way from 0 to 1: the trapezoidal rule, refined where it is not complete.

Over each interval, too, the slopes' integral should be what the log-probability changes by, which
is known at both ends. So it is known which intervals of which target tokens are off: they alone
are halved, and no slope is asked for twice. Gauss and Legendre's rule, exact for polynomials,
takes more points here: a Transformer's slopes are not smooth, since ReLU has a corner.
"""

import numpy as np

from zoo.explain.attribution import COMPLETE

# Intervals to begin with, at most. Tokens that change too little to be off keep them, and their
# shares are to be right, too: with 4, one in ten dates' tokens has another strongest character.
FEWEST = 8


def integrated(ask, sentence, steps):
    """The integrals of target tokens' slopes along their ways: `(tokens, source length)`.

    Args:
        ask: a function of tokens `(n,)` and points of their ways `(n,)`, from 0 to 1, that gives
            the log-probabilities there `(n,)` and their slopes `(n, source length)`.
        sentence: int `(tokens,)`, of which sentence each is.
        steps: the shortest interval is one such part of the way.

    Raises:
        ValueError: for fewer steps than 1.
    """
    count = first(steps)
    token = np.repeat(np.arange(len(sentence)), count + 1)
    at = np.tile(np.linspace(0, 1, count + 1), len(sentence))
    value, slope = ask(token, at)
    while True:
        begin = np.flatnonzero(token[1:] == token[:-1])
        end, of = begin + 1, token[begin]
        length, change = at[end] - at[begin], value[end] - value[begin]
        areas = length[:, None] * (slope[begin] + slope[end]) / 2
        divisible = 2 * np.rint(1 / length) <= steps
        halved = divisible & unfinished(areas.sum(axis=1), change, of, sentence)
        if not halved.any():
            total = np.zeros((len(sentence), slope.shape[1]))
            np.add.at(total, of, areas)
            return total
        middle = (at[begin] + at[end])[halved] / 2
        more = (of[halved], middle, *ask(of[halved], middle))
        known = [np.concatenate(both) for both in zip((token, at, value, slope), more, strict=True)]
        order = np.lexsort((known[1], known[0]))
        token, at, value, slope = (column[order] for column in known)


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


def unfinished(area, change, token, sentence):
    """Which intervals are to be halved: bool `(intervals,)`.

    Of a sentence whose completeness residual is above `COMPLETE`, those with the largest gaps. The
    others' make up half of what is allowed at most, and leave as much to what the halves are off.

    Args:
        area: `(intervals,)`, the integral of the sum of a token's slopes.
        change: `(intervals,)`, what it should be.
        token: int `(intervals,)`, of which token each is.
        sentence: int `(tokens,)`, of which sentence each token is.
    """
    gap, of = area - change, sentence[token]
    off, whole = (np.abs(np.bincount(token, one, len(sentence))) for one in (gap, change))
    allowed = COMPLETE * np.bincount(sentence, whole)
    over = np.bincount(sentence, off) > allowed
    order = np.lexsort((np.abs(gap), of))
    sums = np.cumsum(np.abs(gap)[order])
    before = np.concatenate([[0], sums])[np.searchsorted(of[order], of[order])]
    large = np.empty(len(gap), bool)
    large[order] = sums - before > allowed[of[order]] / 2
    return large & over[of]


def grouped(row, at, most):
    """Points of sentences, those with about as many tokens together, so that few are idle.

    Args:
        row: int `(n,)`, the sentence of each token.
        at: `(n,)`, the point of its way.
        most: points together.

    Yields:
        Indices `(points, tokens)` of tokens that share a point in each row; a point that has fewer
        tokens names its last one again.
    """
    order = np.lexsort((at, row))
    changes = (np.diff(row[order]) != 0) | (np.diff(at[order]) != 0)
    starts = np.concatenate([[0], 1 + np.flatnonzero(changes)])
    counts = np.diff(starts, append=len(order))
    sizes = np.ceil(np.log2(counts))
    for size in np.unique(sizes):
        alike = np.flatnonzero(sizes == size)
        for part in np.split(alike, range(most, len(alike), most)):
            along = np.arange(counts[part].max())
            yield order[starts[part, None] + np.minimum(along, counts[part, None] - 1)]
