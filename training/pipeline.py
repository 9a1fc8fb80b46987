"""From prepared pairs to batches as tf.data, in an order that a seed and an epoch determine."""

import functools

import numpy as np
import tensorflow as tf

from training.array_batches import ArrayBatches


class Batches(ArrayBatches):
    """The batches of `ArrayBatches` as tf.data, made ahead of the steps that take them."""

    def from_epoch(self, epoch, skip=0):
        """The batches of this epoch, without the first `skip`, and of all after it."""
        batches_of = functools.lru_cache(maxsize=2)(self.plan.epoch)

        def batch(number):
            epoch, place = divmod(number, len(self))
            return batches_of(epoch)[place]

        return self._gathered(tf.data.Dataset.counter(epoch * len(self) + skip), batch)

    def in_order(self):
        """One pass without a shuffle."""
        return self._gathered(tf.data.Dataset.range(len(self)), self.plan.in_order().__getitem__)

    @staticmethod
    def watched(dataset, arrived):
        """The dataset; each batch on its way to the model is told to `Meter.arrived`."""

        def note(counts):
            arrived(counts)
            return np.int64(0)

        def seen(inputs, target):
            sides = *inputs[:2], target  # a third input is of numbers that are no tokens
            real = [tf.math.count_nonzero(ids, dtype=tf.int64) for ids in sides]
            cells = [tf.size(ids, out_type=tf.int64) for ids in sides]
            noted = tf.numpy_function(note, [tf.stack([real, cells])], tf.int64)
            with tf.control_dependencies([noted]):
                return inputs, tf.identity(target)

        options = tf.data.Options()
        # It would ask for batches before the model does.
        options.experimental_optimization.inject_prefetch = False
        return dataset.map(seen).with_options(options)

    def _gathered(self, numbers, batch):
        count = 3 if self.pairs.gold is None else 4

        def arrays(number):
            inputs, target_out = self.pairs.batch(*batch(int(number)))
            return *inputs, target_out

        def gather(number):
            ids = tf.numpy_function(arrays, [number], [tf.int32] * count)
            *inputs, target_out = (tf.ensure_shape(side, (None, None)) for side in ids)
            return tuple(inputs), target_out

        # One thread: several would only wait for Python's lock, and be slower.
        return numbers.map(gather).prefetch(tf.data.AUTOTUNE)
