"""Tokenised pairs in flat NumPy arrays, which may be memory-mapped; they need no backend."""

import dataclasses
from functools import cached_property

import numpy as np


@dataclasses.dataclass(frozen=True)
class Sequences:
    """Rows of ids, one behind the other: row `i` is `values[offsets[i] : offsets[i + 1]]`.

    Attributes:
        values: int32 `(ids,)`.
        offsets: int64 `(rows + 1,)`, from 0 up.
    """

    values: np.ndarray
    offsets: np.ndarray

    def __len__(self):
        return len(self.offsets) - 1

    @cached_property
    def lengths(self):
        """Ids in each row: `(rows,)`."""
        return np.diff(self.offsets)

    def padded(self, rows, length):
        """These rows, padded with 0 to `length`: int32 `(len(rows), length)`.

        The row -1 is all padding.
        """
        columns = np.arange(length)
        lengths = np.where(rows < 0, 0, self.lengths[rows])
        filled = columns < lengths[:, None]  # (rows, length)
        places = np.where(filled, self.offsets[rows][:, None] + columns, 0)
        return np.where(filled, self.values[places], 0).astype(np.int32, copy=False)


@dataclasses.dataclass(frozen=True)
class TokenPairs:
    """The tokenised pairs of one split.

    Attributes:
        source: with END.
        target: with START and END.
        gold: None, or two numbers for each token of the target but START: from where to where in
            the source stands what it should look at; 0 and 0 for nothing.
        dropped: how many pairs were left out, by the reason.
        cut: how many of the pairs were longer than allowed, and cut.
    """

    source: Sequences
    target: Sequences
    dropped: dict[str, int] = dataclasses.field(default_factory=dict)
    cut: int = 0
    gold: Sequences | None = None

    def __len__(self):
        return len(self.source)

    @property
    def lengths(self):
        """Of the sources, and of the targets without START: `(pairs,)` each."""
        return self.source.lengths, self.target.lengths - 1

    def batch(self, rows, source_length, target_length):
        """What `fit` takes of these rows, int32 and padded with 0; the row -1 is all padding.

        Returns:
            `((source (rows, source length), target in (rows, target length)), target out)`; with
            `gold`, it is the third of the inputs, `(rows, 2 * target length)`.
        """
        target = self.target.padded(rows, target_length + 1)
        inputs = self.source.padded(rows, source_length), target[:, :-1]
        if self.gold is not None:
            inputs += (self.gold.padded(rows, 2 * target_length),)
        return inputs, target[:, 1:]

    def told(self, kind):
        """A line on what was dropped and cut of these `kind` pairs; "" where nothing was."""
        told = [f"{count} dropped ({reason})" for reason, count in self.dropped.items() if count]
        if self.cut:
            told.append(f"{self.cut} cut to --max-*-length")
        pairs = len(self) + sum(self.dropped.values())
        return f"{pairs} {kind} pairs: {', '.join(told)}." if told else ""
