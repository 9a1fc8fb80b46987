"""Training a recipe: from pairs to a folder in `saved_models/`."""

import dataclasses
from pathlib import Path

import keras

import zoo
from training.callbacks import Keeper, Validation
from training.datasets.load import load_corpus, load_pairs
from training.losses import TokenAccuracy, TokenCrossentropy
from training.pipeline import Batches
from training.run import Run
from training.schedules import learning_rate
from zoo.text import CharacterTokenizer, SentencePieceTokenizer, WordTokenizer

TOKENIZERS = {
    "characters": CharacterTokenizer,
    "words": WordTokenizer,
    "sentencepiece": SentencePieceTokenizer,
}


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
    pairs, held_out = (pairs_of(recipe, split, data_dir) for split in ("train", "validation"))
    pairs = _sample(pairs, recipe.max_examples)
    data = {"train": pairs.fingerprint, "validation": held_out.fingerprint}
    keras.utils.set_random_seed(recipe.seed)
    translator = _translator(recipe, pairs, name)
    model = translator.model
    _compile(model, recipe)
    run = Run(Path(runs) / name, {"recipe": dataclasses.asdict(recipe), "data": data})
    position = run.restore_checkpoint(model)
    keeper = Keeper(run, position, f"val_{recipe.metric}", checkpoint_every)
    _fit(keeper, translator, recipe, pairs, held_out)
    model.load_weights(run.best_weights)
    translator.known["validation"] = {recipe.metric: round(position.best, 2)}
    decoding = zoo.Decoding(
        recipe.beam_size,
        recipe.length_penalty,
        recipe.max_source_length,
        recipe.max_target_length,
    )
    zoo.Translator(model, translator.source, translator.target, decoding, translator.known).save(
        Path(saved_models) / name
    )
    return position.history


def pairs_of(recipe, split, data_dir=None):
    """The `Pairs` of one split of the recipe's data."""
    if recipe.corpus:
        return load_corpus([Path(path) for path in recipe.corpus], split)
    if not recipe.dataset:
        raise ValueError(
            "this recipe has no data of its own: give --corpus FILE.tsv, or --corpus SOURCE TARGET"
        )
    return load_pairs(
        recipe.dataset, split, source=recipe.source, target=recipe.target, data_dir=data_dir
    )


def _sample(pairs, count):
    """So many of the pairs, evenly spaced, since corpora are often sorted; all for 0."""
    if not 0 < count < len(pairs.sources):
        return pairs
    chosen = [i * len(pairs.sources) // count for i in range(count)]
    return dataclasses.replace(
        pairs,
        sources=[pairs.sources[i] for i in chosen],
        targets=[pairs.targets[i] for i in chosen],
    )


def _translator(recipe, pairs, name):
    """The untrained model and its tokenizers, which decodes greedily."""
    source, target = (
        TOKENIZERS[recipe.tokenizer].train(texts, recipe.vocabulary_size, lower=recipe.lower)
        for texts in (pairs.sources, pairs.targets)
    )
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
        "licence": recipe.licence,
        "recipe": dataclasses.asdict(recipe),
    }
    decoding = zoo.Decoding(1, 0.0, recipe.max_source_length, recipe.max_target_length)
    return zoo.Translator(model, source, target, decoding, known)


def _compile(model, recipe):
    # A gradient of an embedding holds each row once for every time its token occurs. Adam on
    # TensorFlow squares them before summing; clipping by the global norm sums them first.
    optimizer = keras.optimizers.Adam(
        learning_rate(recipe), beta_2=0.98, epsilon=1e-9, global_clipnorm=recipe.clip_norm
    )
    optimizer.build(model.trainable_variables)
    model.compile(
        optimizer,
        TokenCrossentropy(recipe.label_smoothing),
        metrics=[TokenAccuracy()],
        jit_compile=False,
    )


def _fit(keeper, translator, recipe, pairs, held_out):
    """`fit` to the end: the rest of an interrupted epoch first, then the others."""
    position = keeper.position
    batches = Batches.of(pairs, translator.source, translator.target, recipe)
    validation = Batches.of(held_out, translator.source, translator.target, recipe)
    sample = _sample(held_out, recipe.validation_examples)
    callbacks = [
        Validation(translator, sample, recipe.metric),
        keeper,
        keras.callbacks.TensorBoard(keeper.run.folder / "tensorboard", write_graph=False),
        keras.callbacks.TerminateOnNaN(),
    ]
    if position.step:  # Keras makes its metrics at the first batch; the keeper sets them before.
        (inputs, targets), *_ = validation.in_order().take(1)
        translator.model.test_on_batch(inputs, targets)
    while position.epoch < recipe.epochs:
        last = position.epoch + 1 if position.step else recipe.epochs
        translator.model.fit(
            batches.from_epoch(position.epoch, skip=position.step),
            validation_data=validation.in_order(),
            initial_epoch=position.epoch,
            epochs=last,
            steps_per_epoch=len(batches) - position.step,
            callbacks=callbacks,
            shuffle=False,
            verbose="auto",
        )
