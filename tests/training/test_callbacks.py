"""Which weights are kept, when a run stops, and what is never written."""

from types import SimpleNamespace

import keras
import numpy as np
import pytest

from training.callbacks import Keeper, Validation
from training.checkpoints import Position


class Scripted:
    """A judge who gives these scores, one after the other, and sees a weight."""

    def __init__(self, metric, scores):
        self.metric = metric
        self.scores = iter(scores)
        self.model = SimpleNamespace(trainable_variables=[keras.Variable(np.zeros(1, "float32"))])

    def measures(self):
        return {self.metric: next(self.scores)}


class Kept:
    """A run that notes the weight it was to keep."""

    def __init__(self):
        self.best = []

    def save_best(self, model):
        self.best.append(float(model.trainable_variables[0].numpy()[0]))


class Average:
    name = "ema"

    def values(self, epoch):
        return [np.full(1, epoch + 0.5)]


def validated(metric, scores, averages=()):
    """The weights that were kept, the position and the logs of the last epoch."""
    kept, position, judge = Kept(), Position(), Scripted(metric, scores)
    validation = Validation(kept, position, judge, averages)
    epochs = len(scores) // (1 + len(averages))
    for epoch in range(epochs):
        judge.model.trainable_variables[0].assign([epoch])
        logs = {}
        validation.on_epoch_end(epoch, logs)
        assert float(judge.model.trainable_variables[0].numpy()[0]) == epoch
    return kept.best, position, logs


@pytest.mark.parametrize(
    "metric, scores, kept, best",
    [
        ("bleu", [3, 9, 5, 9], [0, 1], 9),
        ("bleu", [0, 0], [0], 0),
        ("loss", [3, 9, 2, 4], [0, 2], 2),
    ],
)
def test_the_best_weights_are_kept(metric, scores, kept, best):
    weights, position, _ = validated(metric, scores)
    assert weights == kept
    assert (position.best, position.best_epoch) == (best, kept[-1] + 1)
    assert position.best_weights == "trained"


def test_an_average_is_kept_where_it_is_better():
    weights, position, logs = validated("bleu", [5, 4, 6, 8, 7, 7.5], [Average()])
    assert weights == [0, 1, 1.5]
    assert (position.best, position.best_epoch, position.best_weights) == (8, 2, "ema")
    assert logs == {"val_bleu": 7, "val_bleu_ema": 7.5}


class Saved:
    def __init__(self):
        self.steps = []

    def save(self, state, position):
        self.steps.append((position.epoch, position.step))


def keeper(weight=0.0, **options):
    variable = keras.Variable(np.full(1, weight, "float32"), name="kernel")
    made = Keeper(Saved(), Position(), [variable], steps=5, every=2, **options)
    made.set_model(SimpleNamespace(trainable_variables=[variable], metrics_variables=[]))
    return made


def test_checkpoints_are_within_and_after_an_epoch():
    made = keeper()
    for epoch in range(2):
        for batch in range(5):
            made.on_train_batch_end(batch, {"loss": 1.0})
        made.on_epoch_end(epoch, {"loss": 1.0})
    assert made.checkpoints.steps == [(0, 2), (0, 4), (1, 0), (1, 2), (1, 4), (2, 0)]
    assert made.position.history == [{"loss": 1.0}] * 2


def test_stops_after_so_many_epochs_without_a_better_one(capsys):
    made = keeper(patience=2)
    stopped = []
    for epoch, best in enumerate([1, 1, 3, 3, 3]):
        made.position.best_epoch = best
        made.on_epoch_end(epoch, {"loss": 1.0})
        stopped.append(getattr(made.model, "stop_training", False))
    assert stopped == [False, False, False, False, True]
    assert "No better validation for 2 epochs" in capsys.readouterr().out
    assert made.stalled


@pytest.mark.parametrize("loss", [float("nan"), float("inf")])
def test_a_loss_that_is_no_number_says_where(loss):
    made = keeper()
    made.position.epoch = 3
    made.on_train_batch_end(0, {"loss": 1.0})
    where = rf"the loss is {loss} in epoch 4 at step 17 \(batch 2 of the epoch's 5\)"
    with pytest.raises(ValueError, match=where):
        made.on_train_batch_end(1, {"loss": loss})
    assert made.checkpoints.steps == []


@pytest.mark.parametrize("hook", ["batch", "epoch"])
def test_weights_that_are_no_numbers_are_never_saved(hook):
    """The loss of the batch that spoilt them was still finite."""
    made = keeper(float("nan"))
    made.position.step = 1
    with pytest.raises(ValueError, match="weights of kernel are not finite in epoch 1 at step"):
        if hook == "batch":
            made.on_train_batch_end(1, {"loss": 1.0})
        else:
            made.on_epoch_end(0, {"loss": 1.0})
    assert made.checkpoints.steps == []
