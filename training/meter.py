"""How fast a training is, and what it waits for."""

import resource
import sys
import time

import keras
import numpy as np


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

    def arrived(self, counts):
        """Note a batch on its way to the model; see `watched` of the kinds of batches.

        Args:
            counts: tokens and cells, of source, target in and target out: int `(2, 3)`.
        """
        self._waited += time.perf_counter() - self._asked
        self._counts += counts

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
