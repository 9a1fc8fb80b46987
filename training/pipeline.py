"""From pairs of strings to batches of ids, in an order that a seed and an epoch determine."""

import dataclasses

import numpy as np
import tensorflow as tf

from zoo.text import with_end, with_start_and_end

# Upper ends, in tokens, of the length buckets; whatever is longer shares the last one.
BOUNDARIES = (8, 12, 16, 24, 32, 48, 64, 96, 128)


@dataclasses.dataclass(frozen=True)
class Batches:
    """Tokenised pairs, and the batches that an epoch makes of them.

    A batch is `((source (batch, length), target in), target out)`, int32, padded with 0. Pairs of
    like length share a batch. Each epoch has its own order, the same in every run with this seed.

    Attributes:
        source, target: ragged int32 `(pairs, (length))`; target with START and END.
        batch_size: pairs in a batch; the last one of a bucket may have fewer.
        seed: of the order.
        cut: how many of the pairs were longer than allowed.
    """

    source: tf.RaggedTensor
    target: tf.RaggedTensor
    batch_size: int
    seed: int = 0
    cut: int = 0

    @classmethod
    def of(cls, pairs, source_tokenizer, target_tokenizer, recipe):
        """The pairs' ids, cut to the recipe's lengths."""
        source = source_tokenizer.encode(tf.constant(pairs.sources))
        target = target_tokenizer.encode(tf.constant(pairs.targets))
        longer = (source.row_lengths() >= recipe.max_source_length) | (
            target.row_lengths() >= recipe.max_target_length
        )
        return cls(
            with_end(source, recipe.max_source_length),
            with_start_and_end(target, recipe.max_target_length + 1),
            recipe.batch_size,
            recipe.seed,
            int(tf.math.count_nonzero(longer)),
        )

    @property
    def lengths(self):
        """Each pair's longer side, in tokens: `(pairs,)`."""
        return tf.maximum(self.source.row_lengths(), self.target.row_lengths())

    def __len__(self):
        """Batches in an epoch, whatever its order."""
        bucket = np.searchsorted(BOUNDARIES, self.lengths, side="right")
        return int(sum(-(-count // self.batch_size) for count in np.bincount(bucket)))

    def from_epoch(self, epoch, skip=0):
        """The batches of this epoch and all after it, without the first `skip`; it never ends."""
        epochs = tf.data.Dataset.counter(epoch).flat_map(self._epoch)
        return self._gathered(epochs.skip(skip))

    def in_order(self):
        """One pass without a shuffle."""
        batches = self._gathered(self._bucketed(tf.range(self.source.nrows())))
        return batches.apply(tf.data.experimental.assert_cardinality(len(self)))

    def _epoch(self, epoch):
        pairs = tf.range(self.source.nrows())
        return self._bucketed(
            tf.random.experimental.stateless_shuffle(pairs, seed=[self.seed, epoch])
        )

    def _bucketed(self, order):
        """Batches of row numbers, of rows of like length."""
        return (
            tf.data.Dataset.from_tensor_slices((order, tf.gather(self.lengths, order)))
            .bucket_by_sequence_length(
                lambda row, length: tf.cast(length, tf.int32),
                bucket_boundaries=BOUNDARIES,
                bucket_batch_sizes=[self.batch_size] * (len(BOUNDARIES) + 1),
            )
            .map(lambda rows, lengths: rows)
        )

    def _gathered(self, batches):
        """From row numbers to what `fit` takes."""

        def gather(rows):
            target = tf.gather(self.target, rows).to_tensor()
            return (tf.gather(self.source, rows).to_tensor(), target[:, :-1]), target[:, 1:]

        return batches.map(gather, tf.data.AUTOTUNE).prefetch(tf.data.AUTOTUNE)
