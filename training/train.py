"""Training a recipe: from pairs to a folder in `saved_models/`."""

import contextlib
import dataclasses
import re
from pathlib import Path

import keras
import tensorflow as tf

import zoo
from training.averaging import LastEpochs, MovingAverage
from training.callbacks import Keeper, Validation
from training.datasets.filters import describe, filter_pairs
from training.datasets.load import load_corpus, load_pairs
from training.gold_spans import check_dates
from training.judge import Judge
from training.learner import learner
from training.losses import TokenAccuracy, TokenCrossentropy
from training.memory import check_memory
from training.meter import Meter
from training.optimizers import optimizer
from training.pipeline import Batches
from training.precision import computing_in
from training.prepare import Preparation
from training.run import Run


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
    _check_name(name)
    if checkpoint_every < 1:
        raise ValueError(f"`checkpoint_every` must be 1 step or more; got {checkpoint_every}")
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
        position = _fit(run, translator, recipe, prepared, held_out, checkpoint_every)
        run.restore_best(translator.model)
        translator.known["validation"] = _best(position, recipe)
        trained = _with_own_decoding(translator, recipe)
        trained.save(Path(saved_models) / name, recipe.stored)
    return position.history


def _check_name(name):
    """A run's name is the name of two folders, and a version is what is all digits there."""
    if not re.fullmatch(r"(?!\d+$)[^/\0.][^/\0]{0,199}", name):
        raise ValueError(
            "a run's name is that of a folder, without a leading dot and not all digits; "
            f"got {name!r}"
        )


def _best(position, recipe):
    """What the card says of the validation, and a line that says it now."""
    print(
        f"Best: the {position.best_weights} weights of epoch {position.best_epoch}, "
        f"val_{recipe.metric} {position.best:.4g}."
    )
    return {
        recipe.metric: round(position.best, 2),
        "epoch": position.best_epoch,
        "weights": position.best_weights,
        "beam_size": recipe.validation_beam,
    }


def _with_own_decoding(translator, recipe):
    """The translator, no longer greedy."""
    lengths = (recipe.max_source_length, recipe.max_target_length)
    decoding = zoo.Decoding(recipe.beam_size, recipe.length_penalty, *lengths)
    parts = (translator.model, translator.source, translator.target)
    return zoo.Translator(*parts, decoding, translator.known)


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
    sizes = {"source_vocabulary_size", "target_vocabulary_size"} & set(recipe.overrides)
    if sizes:
        raise ValueError(f"`{sizes.pop()}` is the tokenizer's; change `vocabulary_size` instead")
    if recipe.overrides.get("share_embeddings") and not recipe.joint_vocabulary:
        raise ValueError("`share_embeddings` needs one vocabulary: give --joint-vocabulary")
    model = zoo.build(
        recipe.preset,
        source_vocabulary_size=source.vocabulary_size,
        target_vocabulary_size=target.vocabulary_size,
        **recipe.overrides,
    )
    known = {
        "name": name,
        "paper": zoo.PRESETS[recipe.preset].paper,
        "parameters": model.count_params(),
        "data": pairs.name,
        "licence": recipe.licence or pairs.licence or "not stated",
        "recipe": dataclasses.asdict(recipe),
    }
    penalty = recipe.length_penalty if recipe.validation_beam > 1 else 0.0
    lengths = (recipe.max_source_length, recipe.max_target_length)
    decoding = zoo.Decoding(recipe.validation_beam, penalty, *lengths)
    return zoo.Translator(model, source, target, decoding, known)


def compile_for(recipe, model, epoch_batches):
    """Compile a model for `fit`, as the recipe has it."""
    model.compile(
        optimizer(recipe, model.trainable_variables, epoch_batches),
        TokenCrossentropy(recipe.label_smoothing),
        metrics=[TokenAccuracy()],
        auto_scale_loss=False,  # the optimizer scales it
        jit_compile=recipe.jit,
    )


def _fit(run, translator, recipe, prepared, held_out, checkpoint_every):
    """`fit` to the end: the rest of an interrupted epoch first, then the others.

    Returns:
        The `Position` at the end.
    """
    batches = Batches.of(prepared.train, recipe)
    validation = Batches.of(prepared.validation, recipe)
    for kind, split in (("training", prepared.train), ("validation", prepared.validation)):
        if told := split.told(kind):
            print(told)
    steps = len(batches)
    model = learner(translator.model, recipe, steps * recipe.epochs)
    compile_for(recipe, model, steps)
    check_memory(translator.model, (batches, validation), recipe)
    averages = _averages(translator.model, recipe, run)
    state = [
        *model.variables,
        *model.optimizer.variables,
        *(v for average in averages for v in average.state),
    ]
    position = run.restore_checkpoint(state)
    sample = _sample(held_out, recipe.validation_examples)
    judge = Judge(translator, validation, sample, recipe)
    keeper = Keeper(run.checkpoints, position, state, steps, checkpoint_every, recipe.patience)
    meter = Meter()
    callbacks = [
        *averages,
        Validation(run, position, judge, averages),
        keeper,
        meter,  # after the keeper, since no two runs are equally fast
        keras.callbacks.TensorBoard(run.folder / "tensorboard", write_graph=False),
    ]
    if position.step:  # Keras makes its metrics at the first batch; the keeper sets them before.
        (inputs, targets), *_ = validation.in_order().take(1)
        model.test_on_batch(inputs, targets)
    while position.epoch < recipe.epochs and not keeper.stalled:
        last = position.epoch + 1 if position.step else recipe.epochs
        with _compilable(recipe):
            model.fit(
                meter.watch(batches.from_epoch(position.epoch, skip=position.step)),
                initial_epoch=position.epoch,
                epochs=last,
                steps_per_epoch=steps - position.step,
                callbacks=callbacks,
                shuffle=False,
                verbose="auto",
            )
    return position


def _averages(model, recipe, run):
    """The averages of weights that the recipe asks for."""
    averages = []
    if recipe.ema:
        averages.append(MovingAverage(model.trainable_variables, recipe.ema))
    if recipe.average_last:
        folder = run.folder / "epochs"
        averages.append(LastEpochs(model.trainable_variables, folder, recipe.average_last))
    return averages


@contextlib.contextmanager
def _compilable(recipe):
    """One line in place of XLA's pages about a step that it can't compile."""
    try:
        yield
    except (tf.errors.InvalidArgumentError, tf.errors.UnimplementedError) as error:
        if not recipe.jit:
            raise
        raise ValueError(
            f"XLA can't compile a step of {recipe.preset} here; train it without --jit"
        ) from error
