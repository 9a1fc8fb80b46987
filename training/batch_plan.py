"""Which pairs share a batch, and in which order: plain numbers, the same on every machine."""

import dataclasses
from functools import partial
from typing import NamedTuple

import numpy as np

from training.shapes import Shape, choose_lengths

MOST_SHAPES = 16  # each is compiled, where the backend compiles
PADDING = 0.1  # fewer shapes will do where no more than this share of the tokens is padding
BATCHES = 4  # of a shape, on average, at the least


class Batch(NamedTuple):
    """Row numbers, -1 for a row of padding, and the lengths to pad them to."""

    rows: np.ndarray
    source_length: int
    target_length: int


@dataclasses.dataclass(frozen=True)
class BatchPlan:
    """The batches of every epoch, determined by lengths, seed and epoch alone.

    Pairs of like lengths share a batch. Every batch has one of a handful of shapes, whole: the
    pairs of a shape are spread evenly, and only its last batch may have rows of padding.

    An epoch's order is that of random numbers from Philox, a counter-based generator, keyed by
    (seed, epoch): it needs no other epoch, and is the same in every process and on every backend.

    Attributes:
        shapes: of the batches, those of few tokens first.
        shape_of: each pair's shape, by its number: int `(pairs,)`.
        tokens: of all pairs, both sides, padding not counted.
        seed: of the order.
        worker, workers: which of how many equal parts of each batch's rows this plan gives.
        devices: of a worker, among which its rows can be divided.

    Reference:
        Salmon et al. 2011, "Parallel Random Numbers: As Easy as 1, 2, 3".
    """

    shapes: tuple[Shape, ...]
    shape_of: np.ndarray
    tokens: int
    seed: int = 0
    worker: int = 0
    workers: int = 1
    devices: int = 1

    @classmethod
    def of(cls, lengths, batch_size, batch_tokens=0, seed=0):
        """The plan for pairs of these lengths.

        Args:
            lengths: of the sources and of the targets, int `(pairs,)` each.
            batch_size: the most pairs in a batch, where `batch_tokens` is 0.
            batch_tokens: the most tokens in a batch on its longer side, padding counted; one pair
                makes a batch in any case.
            seed: of the order.
        """
        source, target = lengths
        limit = partial(_most_rows, batch_size=batch_size, batch_tokens=batch_tokens)
        batches = (1 / limit(source, target)).sum()
        most = min(MOST_SHAPES, max(1, int(batches) // BATCHES))
        chosen = choose_lengths(source, target, most, PADDING)
        # Each is as long as the last on both sides, so a pair's is the one that either side needs.
        shape_of = np.maximum(
            np.searchsorted(chosen[:, 0], source), np.searchsorted(chosen[:, 1], target)
        )
        used, shape_of, counts = np.unique(shape_of, return_inverse=True, return_counts=True)
        rows = _even(counts, limit(*chosen[used].T))
        shapes = np.column_stack([rows, chosen[used]]).tolist()
        tokens = int(source.sum() + target.sum())
        return cls(tuple(Shape(*shape) for shape in shapes), shape_of, tokens, seed)

    def __len__(self):
        """Batches in an epoch."""
        return sum(self._counts)

    @property
    def _counts(self):
        """Batches of each shape."""
        pairs = np.bincount(self.shape_of).tolist()
        return [-(-n // shape.rows) for n, shape in zip(pairs, self.shapes, strict=True)]

    @property
    def padding(self):
        """The share of padding among an epoch's tokens, both sides together."""
        padded = sum(
            count * shape.rows * (shape.source + shape.target)
            for count, shape in zip(self._counts, self.shapes, strict=True)
        )
        return 1 - self.tokens / padded

    def part(self, worker, workers, devices=1):
        """One worker's plan: its rows of each batch, so that all workers' make up the batch.

        The parts of a batch are of one shape, and each can be divided among so many devices; where
        the rows can not, the last parts have rows of padding.
        """
        if not 0 <= worker < workers:
            raise ValueError(f"`worker` must be from 0 to {workers - 1}; got {worker}")
        return dataclasses.replace(self, worker=worker, workers=workers, devices=devices)

    def epoch(self, number):
        """The list of this epoch's batches."""
        random = np.random.Philox(key=np.array([self.seed, number], np.uint64))
        batches = self._batches(_shuffled(len(self.shape_of), random))
        return [batches[i] for i in _shuffled(len(batches), random)]

    def in_order(self):
        """The list of batches without a shuffle: shape by shape, in the order of the pairs."""
        return self._batches(np.arange(len(self.shape_of)))

    def _batches(self, order):
        batches, shape_of = [], self.shape_of[order]
        for number, (rows, *lengths) in enumerate(self.shapes):
            members = _filled(order[shape_of == number], rows).reshape(-1, rows)
            batches += [Batch(self._own(batch), *lengths) for batch in members]
        return batches

    def _own(self, rows):
        return _filled(rows, self.workers * self.devices).reshape(self.workers, -1)[self.worker]


def _most_rows(source, target, batch_size, batch_tokens):
    """Of batches with these lengths, which are arrays."""
    if not batch_tokens:
        return np.full_like(source, batch_size)
    return np.maximum(batch_tokens // np.maximum(source, target), 1)


def _even(pairs, limit):
    """Rows of each batch, where so many pairs are spread over as few batches as there can be."""
    batches = -(-pairs // limit)
    return -(-pairs // batches)


def _shuffled(count, random):
    # A generator's `permutation` may change with NumPy's version; the raw numbers do not.
    return np.argsort(random.random_raw(count), kind="stable")


def _filled(rows, multiple):
    """Rows of padding behind, up to a multiple."""
    return np.pad(rows, (0, -len(rows) % multiple), constant_values=-1)
