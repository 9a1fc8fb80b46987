"""The training itself: steps, validations and checkpoints, on any backend."""

import math

from training.averaging import LastEpochs, MovingAverage
from training.callbacks import Keeper, Validation
from training.learner import learner
from training.losses import TokenAccuracy, TokenCrossentropy
from training.memory import check_memory
from training.meter import Meter
from training.optimizers import optimizer
from training.workers import ALONE
from training.xla import compilable, jit


def fit(run, model, recipe, batches, judge, checkpoint_every, callbacks=(), workers=ALONE):
    """Train to the end: the rest of an interrupted epoch first, then the others.

    Args:
        run: the `Run`, which knows where to go on.
        model: built.
        recipe: a `Recipe`.
        batches: of the training pairs, `ArrayBatches` or their like.
        judge: a `TokenJudge` of the model.
        checkpoint_every: steps between checkpoints, besides the one after each epoch.
        callbacks: Keras's, called last.
        workers: the `Workers` that train it together, each with its part of each batch.

    Returns:
        The `Position` at the end; the run has the best weights.
    """
    for kind, pairs in (("training", batches.pairs), ("validation", judge.batches.pairs)):
        if workers.leads and (told := pairs.told(kind)):
            print(told)
    steps = len(batches)
    fitted = learner(model, recipe, steps * recipe.epochs)
    compile_for(recipe, fitted, steps)
    rows = getattr(fitted, "rows_at_a_time", math.inf)
    check_memory(model, batches, judge.batches, recipe, rows)
    averages = _averages(model, recipe, run, workers)
    state = [
        *fitted.variables,
        *fitted.optimizer.variables,
        *(v for average in averages for v in average.state),
    ]
    position = run.restore_checkpoint(state)
    keeper = Keeper(run.checkpoints, position, state, steps, checkpoint_every, recipe.patience)
    meter = Meter()
    # The meter after the keeper, since no two runs are equally fast.
    callbacks = [*averages, Validation(run, position, judge, averages), keeper, meter, *callbacks]
    if position.step:  # Keras makes its metrics at the first batch; the keeper sets them before.
        fitted.test_on_batch(*next(iter(judge.batches.in_order())))
    while position.epoch < recipe.epochs and not keeper.stalled:
        rest = batches.from_epoch(position.epoch, skip=position.step)
        with compilable(recipe):
            fitted.fit(
                batches.watched(rest, meter.arrived),
                initial_epoch=position.epoch,
                epochs=position.epoch + 1 if position.step else recipe.epochs,
                steps_per_epoch=steps - position.step,
                callbacks=callbacks,
                shuffle=False,
                verbose="auto" if workers.leads else 0,
            )
    return position


def compile_for(recipe, model, epoch_batches):
    """Compile what `learner` gave for `fit`, as the recipe has it."""
    model.compile(
        optimizer(recipe, model.trainable_variables, epoch_batches),
        TokenCrossentropy(recipe.label_smoothing),
        metrics=[TokenAccuracy()],
        auto_scale_loss=False,  # the optimizer scales it
        jit_compile=jit(recipe),
    )


def _averages(model, recipe, run, workers):
    """The averages of weights that the recipe asks for."""
    averages = []
    if recipe.ema:
        averages.append(MovingAverage(model.trainable_variables, recipe.ema))
    if recipe.average_last:
        folder = run.folder / "epochs"
        last = LastEpochs(model.trainable_variables, folder, recipe.average_last, workers)
        averages.append(last)
    return averages


def best(position, metric):
    """What the model's card says of the validation, and a line that says it now."""
    print(
        f"Best: the {position.best_weights} weights of epoch {position.best_epoch}, "
        f"val_{metric} {position.best:.4g}."
    )
    return {
        metric: round(position.best, 2),
        "epoch": position.best_epoch,
        "epochs": position.epoch,
        "weights": position.best_weights,
    }
