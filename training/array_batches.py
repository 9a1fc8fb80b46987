"""From prepared pairs to batches as NumPy arrays, for any backend."""

import dataclasses
import itertools

import numpy as np

from training.batch_plan import BatchPlan
from training.token_pairs import TokenPairs


@dataclasses.dataclass(frozen=True)
class ArrayBatches:
    """The batches that a plan makes of pairs, as generators of what `fit` takes.

    A batch is `((source, target in), target out)`, int32 `(rows, length)`, padded with 0, of one of
    the plan's shapes. Rows of padding have no token, and so no part in the loss.
    """

    pairs: TokenPairs
    plan: BatchPlan

    @classmethod
    def of(cls, pairs, recipe):
        """The recipe's batches of these pairs."""
        sizes = recipe.batch_size, recipe.batch_tokens
        return cls(pairs, BatchPlan.of(pairs.lengths, *sizes, recipe.seed))

    def __len__(self):
        """Batches in an epoch."""
        return len(self.plan)

    def from_epoch(self, epoch, skip=0):
        """The batches of this epoch, without the first `skip`, and of all after it."""
        yield from self._batches(self.plan.epoch(epoch)[skip:])
        for later in itertools.count(epoch + 1):
            yield from self._batches(self.plan.epoch(later))

    def in_order(self):
        """One pass without a shuffle."""
        return self._batches(self.plan.in_order())

    @staticmethod
    def watched(batches, arrived):
        """The batches; each on its way to the model is told to `Meter.arrived`."""
        for inputs, target in batches:
            ids = (*inputs[:2], target)  # a third input is of numbers that are no tokens
            arrived(np.array([[np.count_nonzero(x) for x in ids], [x.size for x in ids]]))
            yield inputs, target

    def _batches(self, batches):
        return (self.pairs.batch(*batch) for batch in batches)
