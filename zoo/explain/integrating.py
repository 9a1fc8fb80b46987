"""Integrated gradients' way from 0 to 1, in panels that are halved where they are not complete.

Over each panel, too, the slopes' integral should be what the log-probability changes by, which is
known at both ends. So it is known which panels of which target tokens are off: they alone are
halved, and no slope is asked for twice. Where slopes are smooth, Simpson's rule comes nearer than
the trapezoidal one, and the other way about at the corners of a Transformer's, which has ReLU: each
panel takes the rule that comes nearer there.
"""

from typing import NamedTuple

import numpy as np

from zoo.explain.attribution import COMPLETE

# Panels to begin with, at most. Tokens that change too little to be off keep them, and their shares
# are to be right, too: with 2, one in ten dates' tokens has another strongest character.
FEWEST = 4
MOST = 2**20  # steps, more than any residual wants


class Panels(NamedTuple):
    """Parts of target tokens' ways, of which three points are known: begin, middle and end."""

    token: np.ndarray  # (panels,)
    begin: np.ndarray  # (panels,), from 0 to 1
    length: np.ndarray  # (panels,)
    values: np.ndarray  # (panels, 3), log-probabilities
    slopes: np.ndarray  # (panels, 3, source length)

    @classmethod
    def first(cls, ask, tokens, count):
        """So many panels for each of so many tokens, all of one length."""
        points = 2 * count + 1
        token = np.repeat(np.arange(tokens), points)
        values, slopes = ask(token, np.tile(np.linspace(0, 1, points), tokens))
        places = 2 * np.arange(count)[:, None] + np.arange(3)  # (count, 3)
        return cls(
            np.repeat(np.arange(tokens), count),
            np.tile(np.arange(count) / count, tokens),
            np.full(tokens * count, 1 / count),
            values.reshape(tokens, points)[:, places].reshape(-1, 3),
            slopes.reshape(tokens, points, -1)[:, places].reshape(tokens * count, 3, -1),
        )

    @property
    def change(self):
        return self.values[:, 2] - self.values[:, 0]

    def areas(self):
        """The slopes' integrals, `(panels, source length)`."""
        begin, middle, end = self.slopes.swapaxes(0, 1)
        length = self.length[:, None]
        simpson = length * (begin + 4 * middle + end) / 6
        trapezoid = length * (begin + 2 * middle + end) / 4
        off, other = (np.abs(rule.sum(axis=1) - self.change) for rule in (simpson, trapezoid))
        return np.where((off < other)[:, None], simpson, trapezoid)

    def those(self, which):
        return Panels(*(column[which] for column in self))

    def halves(self, ask):
        """Twice as many panels: a point is asked for in the middle of each half."""
        token, length = np.tile(self.token, 2), np.tile(self.length / 2, 2)
        begin = np.concatenate([self.begin, self.begin + self.length / 2])
        known = (
            np.stack([column[:, :2], column[:, 1:]]).reshape(-1, 2, *column.shape[2:])
            for column in (self.values, self.slopes)
        )
        asked = ask(token, begin + length / 2)
        points = (
            np.stack([ends[:, 0], middle, ends[:, 1]], axis=1)
            for ends, middle in zip(known, asked, strict=True)
        )
        return Panels(token, begin, length, *points)

    def joined(self, others):
        return Panels(*map(np.concatenate, zip(self, others, strict=True)))


def integrated(ask, sentence, steps):
    """The integrals of target tokens' slopes along their ways: `(tokens, source length)`.

    Args:
        ask: a function of tokens `(n,)` and points of their ways `(n,)`, from 0 to 1, that gives
            the log-probabilities there `(n,)` and their slopes `(n, source length)`.
        sentence: int `(tokens,)`, of which sentence each is.
        steps: half of the shortest panel is one such part of the way.

    Raises:
        ValueError: for fewer steps than 2.
    """
    panels = Panels.first(ask, len(sentence), first(steps))
    while True:
        areas = panels.areas()
        divisible = 4 * np.rint(1 / panels.length) <= steps
        off = unfinished(areas.sum(axis=1), panels.change, panels.token, sentence)
        halved = divisible & off
        if not halved.any():
            total = np.zeros((len(sentence), areas.shape[1]))
            np.add.at(total, panels.token, areas)
            return total
        panels = panels.those(~halved).joined(panels.those(halved).halves(ask))


def first(steps):
    """With how many panels to begin, so that halving them leads to `steps`, or just below.

    Raises:
        ValueError: for fewer steps than 2, or more than `MOST`.
    """
    if not 2 <= steps <= MOST:
        raise ValueError(f"integrated gradients take from 2 to {MOST} steps, got {steps}")
    panels = steps // 2
    while panels > FEWEST:
        panels //= 2
    return panels


def unfinished(area, change, token, sentence):
    """Which panels are to be halved: bool `(panels,)`.

    Of a sentence whose completeness residual is above `COMPLETE`, those with the largest gaps. The
    others' make up half of what is allowed at most, and leave as much to what the halves are off.

    Args:
        area: `(panels,)`, the integral of the sum of a token's slopes.
        change: `(panels,)`, what it should be.
        token: int `(panels,)`, of which token each is.
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
