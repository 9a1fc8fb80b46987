"""What happens besides the steps: translating the validation set, keeping the best, saving."""

import math

import keras

from training.quality import MEASURES


class Validation(keras.callbacks.Callback):
    """After each epoch, translate the validation set and measure what the user cares about.

    Adds `val_<metric>` to the logs that the callbacks after it see.

    Args:
        translator: of the model in training.
        pairs: what to translate.
        metric: a key of `MEASURES`.
    """

    def __init__(self, translator, pairs, metric):
        super().__init__()
        self.translator = translator
        self.pairs = pairs
        self.metric = metric

    def on_epoch_end(self, epoch, logs):
        hypotheses = self.translator.translate_all(self.pairs.sources)
        logs[f"val_{self.metric}"] = MEASURES[self.metric](hypotheses, self.pairs.targets)
        print(f" - val_{self.metric}: {logs[f'val_{self.metric}']:.2f}", flush=True)


class Keeper(keras.callbacks.Callback):
    """Keeps the best weights, and the checkpoint from which a killed run goes on.

    Args:
        run: the `Run` to write to.
        position: where the run is; kept up to date.
        monitor: the log whose highest value is best.
        steps: in an epoch.
        every: steps between checkpoints within an epoch.
    """

    def __init__(self, run, position, monitor, steps, every):
        super().__init__()
        self.run = run
        self.position = position
        self.monitor = monitor
        self.steps = steps
        self.every = every

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
            raise ValueError(
                f"the loss is {logs['loss']} in epoch {self.position.epoch + 1} at step "
                f"{self.position.step}; the last checkpoint is kept: try a lower --learning-rate"
            )
        # The end of the epoch has a checkpoint of its own, after the validation.
        if self.position.step % self.every == 0 and self.position.step < self.steps:
            self.position.metrics = [float(v.numpy()) for v in self.model.metrics_variables]
            self.run.save_checkpoint(self.model, self.position)

    def on_epoch_end(self, epoch, logs):
        if logs[self.monitor] > self.position.best:
            self.position.best = logs[self.monitor]
            self.run.save_best(self.model)
        self.position.history.append({name: float(value) for name, value in logs.items()})
        self.position.epoch, self.position.step = epoch + 1, 0
        self.run.save_checkpoint(self.model, self.position)
