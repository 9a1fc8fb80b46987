"""Averages of a model's weights over its training, which often translate better than the last."""

import contextlib

import keras
import numpy as np
from keras import ops

from training import arrays
from training.workers import ALONE


class MovingAverage(keras.callbacks.Callback):
    """An exponential moving average of the weights, taken after each update.

        a_n = d_n * a_{n-1} + (1 - d_n) * w_n,   d_n = min(decay, (1 + n) / (10 + n))

    The first averages forget faster, so that the random weights of the start leave no trace.
    Batches that only accumulate, or whose update was left out, do not count.

    Args:
        variables: of the model, trainable.
        decay: of the past, below 1; 0.999 remembers about a thousand updates.

    Attributes:
        state: the averages, which belong into a checkpoint.

    Reference:
        Polyak, Juditsky 1992; `tf.train.ExponentialMovingAverage` for `d_n`.
    """

    name = "ema"

    def __init__(self, variables, decay):
        super().__init__()
        self.variables = variables
        self.decay = decay
        self.state = [
            keras.Variable(ops.convert_to_numpy(v), trainable=False, name=f"average_{i}")
            for i, v in enumerate(variables)
        ]
        self.updates = 0

    def on_train_begin(self, logs=None):
        self.updates = int(self.model.optimizer.iterations)

    def on_train_batch_end(self, batch, logs=None):
        updates = int(self.model.optimizer.iterations)
        if updates == self.updates:
            return
        self.updates = updates
        decay = min(self.decay, (1 + updates) / (10 + updates))
        for average, variable in zip(self.state, self.variables, strict=True):
            average.assign(decay * average + (1 - decay) * variable)

    def values(self, epoch):
        """The averages, in the order of the variables."""
        return [ops.convert_to_numpy(average) for average in self.state]


class LastEpochs(keras.callbacks.Callback):
    """The mean of the weights at the ends of the last epochs, which it keeps in files.

    Args:
        variables: of the model, trainable.
        folder: for a file an epoch.
        count: how many epochs.
        workers: the `Workers`, of which one writes what all read.

    Attributes:
        state: nothing; a checkpoint does not hold the files.

    Reference:
        Vaswani et al. 2017, "Attention Is All You Need", section 6.1, averages checkpoints so.
    """

    name = "average"

    def __init__(self, variables, folder, count, workers=ALONE):
        super().__init__()
        self.variables = variables
        self.folder = folder
        self.count = count
        self.workers = workers
        self.state = []

    def on_epoch_end(self, epoch, logs=None):
        if self.workers.leads:
            self._write(epoch)
        self.workers.wait()

    def _write(self, epoch):
        self.folder.mkdir(exist_ok=True)
        with arrays.writing(self._file(epoch)) as beside, beside.open("wb") as file:
            arrays.write(file, self.variables)
        # One more than is averaged: a damaged checkpoint sends a run back to the epoch before.
        self._file(epoch - self.count - 1).unlink(missing_ok=True)

    def values(self, epoch):
        """The means, in the order of the variables; None as long as there is but one epoch."""
        epochs = range(max(0, epoch + 1 - self.count), epoch + 1)
        if len(epochs) < 2:
            return None
        total = [np.zeros(v.shape, "float64") for v in self.variables]
        for file in map(self._file, epochs):
            for i, array in enumerate(arrays.read(file, self.variables)[0]):
                total[i] += array
        return [(array / len(epochs)).astype("float32") for array in total]

    def _file(self, epoch):
        return self.folder / f"{epoch + 1}.npz"


@contextlib.contextmanager
def swapped(variables, values):
    """In this block the variables have these values; afterwards their own again."""
    own = [ops.convert_to_numpy(v) for v in variables]
    arrays.assign(variables, values)
    try:
        yield
    finally:
        arrays.assign(variables, own)
