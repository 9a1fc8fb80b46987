"""Training a recipe: from pairs to a folder in `saved_models/`."""

import contextlib
import dataclasses
from pathlib import Path

import keras

import zoo
from training import untrained
from training.alignment_pictures import alignment_pictures
from training.datasets.filters import describe, filter_pairs
from training.datasets.load import load_corpus, load_pairs
from training.fitting import best, fit
from training.gold_spans import check_dates
from training.judge import Judge
from training.pipeline import Batches
from training.precision import computing_in
from training.prepare import Preparation
from training.run import Run, check_run


def train(
    recipe,
    name,
    *,
    runs="runs",
    saved_models="saved_models",
    data_dir=None,
    checkpoint_every=200,
):
    """Train a recipe, or go on with it, and save the best model.

    The same call goes on from the last checkpoint of a run that was interrupted or killed, to the
    same numbers as if it had not been.

    Args:
        recipe: a `Recipe`.
        name: of the run, `runs/<name>`, and of the model, `saved_models/<name>`.
        runs, saved_models: the folders.
        data_dir: where TFDS keeps prepared datasets; its own default when None.
        checkpoint_every: steps between checkpoints, besides the one after each epoch.

    Returns:
        The list of each epoch's logs.

    Raises:
        ValueError, FileNotFoundError: for a recipe, data or a run folder that can't be used.
    """
    check_run(name, checkpoint_every)
    splits = splits_of(recipe, data_dir)
    pairs, held_out = splits["train"], splits["validation"]
    data = {split: those.fingerprint for split, those in splits.items()}
    keras.utils.set_random_seed(recipe.seed)
    preparation = Preparation.below(Path(runs) / ".prepared", recipe, splits)
    with computing_in(recipe.precision):
        translator = _translator(recipe, pairs, name, *preparation.tokenizers)
    Path(saved_models).mkdir(parents=True, exist_ok=True)  # before hours of training
    made_by = {"recipe": dataclasses.asdict(recipe), "data": data}
    with contextlib.closing(Run(Path(runs) / name, made_by)) as run:
        prepared = preparation.finish()
        batches, validation = (
            Batches.of(split, recipe) for split in (prepared.train, prepared.validation)
        )
        sample = _sample(held_out, recipe.validation_examples)
        judge = Judge(translator, validation, sample, recipe)
        logs = run.folder / "tensorboard"
        boards = [
            keras.callbacks.TensorBoard(logs, write_graph=False),
            *alignment_pictures(translator, held_out.sources, logs / "alignment"),
        ]
        position = fit(run, translator.model, recipe, batches, judge, checkpoint_every, boards)
        run.restore_best(translator.model)
        beam = {"beam_size": recipe.validation_beam}
        translator.known["validation"] = best(position, recipe.metric) | beam
        trained = _with_own_decoding(translator, recipe)
        trained.save(Path(saved_models) / name, recipe.stored)
    return position.history


def pairs_of(recipe, split, data_dir=None, with_spans=False):
    """The `Pairs` of one split of the recipe's data, with gold spans if those are asked for."""
    if recipe.corpus and with_spans:
        raise ValueError(
            "`guided_alignment` needs a dataset with gold spans, such as dates; got a corpus: "
            "leave out --guided-alignment"
        )
    if recipe.corpus:
        return load_corpus([Path(path) for path in recipe.corpus], split)
    if not recipe.dataset:
        raise ValueError(
            "this recipe has no data of its own: give --corpus FILE.tsv, or --corpus SOURCE TARGET"
        )
    features = {"source": recipe.source, "target": recipe.target, "with_spans": with_spans}
    return load_pairs(recipe.dataset, split, **features, data_dir=data_dir)


def splits_of(recipe, data_dir=None):
    """The `Pairs` to train on, filtered, as many as the recipe asks for; those to validate on."""
    pairs = pairs_of(recipe, "train", data_dir, with_spans=recipe.guided_alignment > 0)
    if pairs.spans:
        check_dates(pairs.targets)
    held_out = pairs_of(recipe, "validation", data_dir)
    pairs, dropped = filter_pairs(pairs, recipe)
    if dropped:
        print(describe(dropped))
    return {"train": _sample(pairs, recipe.max_examples), "validation": held_out}


def _sample(pairs, count):
    """So many of the pairs, evenly spaced, since corpora are often sorted; all for 0."""
    if not 0 < count < len(pairs.sources):
        return pairs
    return pairs.only([i * len(pairs.sources) // count for i in range(count)])


def _translator(recipe, pairs, name, source, target):
    """The untrained model with these tokenizers, which decodes as in validation."""
    model = untrained.build(recipe, source.vocabulary_size, target.vocabulary_size)
    known = untrained.known(recipe, model, name, pairs.name, recipe.licence or pairs.licence)
    return zoo.Translator(model, source, target, untrained.validation_decoding(recipe), known)


def _with_own_decoding(translator, recipe):
    """The translator as it is from now on."""
    parts = (translator.model, translator.source, translator.target)
    return zoo.Translator(*parts, untrained.decoding(recipe), translator.known)
