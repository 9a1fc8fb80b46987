"""How fast a training is, and what it waits for."""

import resource
import sys
import time

import keras
import numpy as np
import tensorflow as tf


class Meter(keras.callbacks.Callback):
    """After each epoch, says what the time and the memory went into.

    Adds to the logs, for the progress line and TensorBoard:
        tokens_per_second: target tokens, padding aside.
        padding: its share of all that the model computes on, source and target.
        waiting: the share of time that the model waited for data.
        memory: the most that the process has held so far, in gigabytes.

    The first batch of a training counts for nothing: the step is traced then.
    """

    def __init__(self):
        super().__init__()
        self._first = True
        self._asked = 0.0
        self._reset()

    def watch(self, dataset):
        """The dataset, of which this meter sees each batch on its way to the model."""

        def seen(inputs, target):
            sides = *inputs[:2], target  # a third input is of numbers that are no tokens
            real = [tf.math.count_nonzero(ids, dtype=tf.int64) for ids in sides]
            cells = [tf.size(ids, out_type=tf.int64) for ids in sides]
            noted = tf.numpy_function(self._arrived, [tf.stack([real, cells])], tf.int64)
            with tf.control_dependencies([noted]):
                return inputs, tf.identity(target)

        options = tf.data.Options()
        # It would ask for batches before the model does.
        options.experimental_optimization.inject_prefetch = False
        return dataset.map(seen).with_options(options)

    def _arrived(self, counts):
        self._waited += time.perf_counter() - self._asked
        self._counts += counts
        return np.int64(0)

    def _reset(self):
        self._began = time.perf_counter()
        self._waited = 0.0
        self._counts = np.zeros((2, 3), "int64")  # tokens, cells; of source, target in, target out

    def on_train_begin(self, logs=None):
        self._first = True

    def on_epoch_begin(self, epoch, logs=None):
        self._reset()

    def on_train_batch_begin(self, batch, logs=None):
        self._asked = time.perf_counter()

    def on_train_batch_end(self, batch, logs=None):
        if self._first:
            self._first = False
            self._reset()
        self._ended = time.perf_counter()

    def on_epoch_end(self, epoch, logs):
        seconds = max(self._ended - self._began, 1e-9)
        tokens, cells = self._counts
        logs["tokens_per_second"] = tokens[2] / seconds
        logs["padding"] = 1 - tokens[:2].sum() / max(cells[:2].sum(), 1)
        logs["waiting"] = self._waited / seconds
        logs["memory"] = _most_memory() / 1e9


def _most_memory():
    """In bytes; Linux counts in kilobytes."""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024
