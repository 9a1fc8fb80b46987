"""What happens besides the steps: validating, keeping the best, saving, stopping."""

import math

import keras
import numpy as np

from training.averaging import swapped
from training.quality import better


class Validation(keras.callbacks.Callback):
    """After each epoch, measures the model and its averages, and keeps the best weights there were.

    Adds `val_<measure>` to the logs that the callbacks after it see, and `val_<measure>_<average>`
    for each average.

    Args:
        run: the `Run` that keeps the best.
        position: where the run is; its `best` is kept up to date.
        judge: the `Judge` of the model.
        averages: see `training.averaging`.
    """

    def __init__(self, run, position, judge, averages=()):
        super().__init__()
        self.run = run
        self.position = position
        self.judge = judge
        self.averages = averages

    def on_epoch_end(self, epoch, logs):
        measured = self._measured(epoch, "trained")
        for average in self.averages:
            values = average.values(epoch)
            if values is not None:
                with swapped(self.judge.model.trainable_variables, values):
                    own = self._measured(epoch, average.name)
                measured |= {f"{name}_{average.name}": value for name, value in own.items()}
        logs.update({f"val_{name}": value for name, value in measured.items()})

    def _measured(self, epoch, weights):
        """The measures of the weights that the model has now, which are kept if they are best."""
        measured = self.judge.measures()
        metric = self.judge.metric
        if better(metric, measured[metric], self.position.best):
            self.run.save_best(self.judge.model)
            self.position.best = float(measured[metric])
            self.position.best_epoch = epoch + 1
            self.position.best_weights = weights
        return measured


class Keeper(keras.callbacks.Callback):
    """Keeps the checkpoint from which a killed run goes on; stops a run that gets nowhere.

    Args:
        checkpoints: the `Checkpoints` to write.
        position: where the run is; kept up to date.
        state: all variables that training changes.
        steps: in an epoch.
        every: steps between checkpoints within an epoch.
        patience: epochs without a better validation after which to stop; 0 for never.
    """

    def __init__(self, checkpoints, position, state, steps, every, patience=0):
        super().__init__()
        self.checkpoints = checkpoints
        self.position = position
        self.state = state
        self.steps = steps
        self.every = every
        self.patience = patience

    @property
    def stalled(self):
        """Whether the run got nowhere for as long as it may."""
        return bool(self.patience) and (
            self.position.epoch - self.position.best_epoch >= self.patience
        )

    def on_epoch_begin(self, epoch, logs=None):
        # `fit` has just reset the metrics; those of a resumed epoch go on.
        if self.position.step:
            for variable, value in zip(
                self.model.metrics_variables, self.position.metrics, strict=True
            ):
                variable.assign(value)

    def on_train_batch_end(self, batch, logs=None):
        self.position.step += 1
        if not math.isfinite(logs["loss"]):
            raise self._diverged(f"the loss is {logs['loss']}")
        # The end of the epoch has a checkpoint of its own, after the validation.
        if self.position.step % self.every == 0 and self.position.step < self.steps:
            self._check_weights()
            self.position.metrics = [float(v.numpy()) for v in self.model.metrics_variables]
            self.checkpoints.save(self.state, self.position)

    def on_epoch_end(self, epoch, logs):
        self._check_weights()
        self.position.history.append({name: float(value) for name, value in logs.items()})
        self.position.epoch, self.position.step = epoch + 1, 0
        self.checkpoints.save(self.state, self.position)
        if self.stalled:
            print(f"\nNo better validation for {self.patience} epochs: stopping.", flush=True)
            self.model.stop_training = True

    def _check_weights(self):
        """A step of finite loss can leave weights that are not, and no run goes on from those."""
        for variable in self.model.trainable_variables:
            if not np.isfinite(keras.ops.convert_to_numpy(variable)).all():
                raise self._diverged(f"weights of {variable.path} are not finite")

    def _diverged(self, what):
        epoch, batch = self.position.epoch, self.position.step
        return ValueError(
            f"{what} in epoch {epoch + 1} at step {epoch * self.steps + batch} "
            f"(batch {batch} of the epoch's {self.steps}); the last checkpoint is kept: "
            "try a lower --learning-rate"
        )
