"""Training from prepared data: on any backend, without texts and without TensorFlow."""

import contextlib
import dataclasses
from pathlib import Path

import keras

from training import untrained
from training.array_batches import ArrayBatches
from training.fitting import best, fit
from training.judge import TokenJudge
from training.precision import computing_in
from training.prepared import SPLITS
from training.run import Follower, Run, check_run
from training.workers import ALONE
from zoo.saving import save_model


def train_prepared(
    recipe,
    name,
    prepared,
    *,
    runs="runs",
    saved_models="saved_models",
    checkpoint_every=200,
    workers=ALONE,
):
    """Train a recipe on what `attention-zoo prepare` wrote, or go on with it, and save the model.

    As `train`, but the best weights are those of the least loss, whatever metric the recipe
    names: nothing is translated here. On JAX each batch is spread over all devices.

    Args:
        recipe: a `Recipe`.
        name: of the run, `runs/<name>`, and of the model, `saved_models/<name>`.
        prepared: the `Prepared` data, for this recipe.
        runs, saved_models: the folders; all workers have to see the first.
        checkpoint_every: steps between checkpoints, besides the one after each epoch.
        workers: the `Workers` that train it together.

    Returns:
        The list of each epoch's logs.

    Raises:
        ValueError, FileNotFoundError: for a recipe, data or a run folder that can't be used. One
            of several workers ends its process instead, and so the others'.
    """
    check_run(name, checkpoint_every)
    prepared.check(recipe)
    by_loss = dataclasses.replace(recipe, metric="loss")
    if recipe.metric != "loss" and workers.leads:
        print(f"The best weights are those of the least loss: {recipe.metric} needs the texts.")
    workers.join()
    with workers.ending_together():
        keras.utils.set_random_seed(recipe.seed)
        with computing_in(recipe.precision):
            model = untrained.build(recipe, *prepared.about["vocabulary_sizes"])
        Path(saved_models).mkdir(parents=True, exist_ok=True)  # before hours of training
        with contextlib.closing(_run(Path(runs) / name, by_loss, prepared, workers)) as run:
            kind = _kind_of_batches()
            batches, held_out = (
                workers.own(kind.of(getattr(prepared, split), recipe)) for split in SPLITS
            )
            judge = TokenJudge(model, held_out, recipe)
            position = fit(run, model, by_loss, batches, judge, checkpoint_every, workers=workers)
            workers.wait()  # for the file of the best
            run.restore_best(model)  # all of them, since they are one's variables
            workers.part()
            if workers.leads:
                _save(Path(saved_models) / name, model, recipe, prepared, position)
            workers.wait()  # or the end of one could be taken for its death
    return position.history


def _run(folder, recipe, prepared, workers):
    if not workers.leads:
        return Follower(folder)
    data = {split: prepared.made_by[split] for split in SPLITS}
    return Run(folder, {"recipe": dataclasses.asdict(recipe), "data": data})


def _save(folder, model, recipe, prepared, position):
    """Write the model's folder, as a `Translator` would."""
    about = prepared.about["data"], recipe.licence or prepared.about["licence"]
    known = untrained.known(recipe, model, folder.name, *about)
    known["validation"] = best(position, "loss")
    prepared.copy_tokenizers(folder)
    save_model(folder, model, untrained.decoding(recipe), known, recipe.stored)


def _kind_of_batches():
    """tf.data makes them ahead of the steps, where it is at home."""
    if keras.backend.backend() != "tensorflow":
        return ArrayBatches
    from training.pipeline import Batches

    return Batches
