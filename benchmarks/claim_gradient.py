"""How far gradients reach: from the last token of the target back to each token of the source.

Without attention they go through every state between, with it there is a shortcut to each
(Bahdanau et al. 2015; Bengio et al. 1994 on what happens on the long way).
"""

import dataclasses

import keras
import numpy as np
import tensorflow as tf

from benchmarks.alignment import ids
from benchmarks.claim_figures import Panel, geometric_mean, lines
from benchmarks.claim_models import dates, matched, parameters, trained, vocabulary_sizes
from benchmarks.claim_page import spread, write_page
from training import untrained
from training.train import pairs_of
from zoo.decoding import forced_gains
from zoo.text import PAD

PRESETS = {"no attention": "seq2seq-gru", "Bahdanau": "bahdanau-gru"}
UNITS = 96  # of the model without attention
NAME = "gradient"


def flags(parser):
    parser.set_defaults(epochs=6, max_examples=8000)
    parser.add_argument(
        "--length", type=int, default=24, help="of the dates that are asked, in characters"
    )


def run(asked):
    """Train what is missing, measure, draw, and write the page."""
    recipes, count = _recipes(asked)
    sources, targets = _of_length(recipes["no attention"], asked)
    norms = {"untrained": {}, "trained": {}}
    exact = {}
    for label, recipe in recipes.items():
        found = {moment: [] for moment in norms}
        exact[label] = []
        for seed in asked.seeds:
            own = dataclasses.replace(recipe, seed=seed)
            translator = trained(
                own, f"{NAME}-{PRESETS[label]}-{seed}", asked.folder, asked.data_dir
            )
            source, target = ids(translator, sources, targets)
            exact[label].append(translator.known["validation"]["exact_match"])
            keras.utils.set_random_seed(seed)
            sizes = translator.source.vocabulary_size, translator.target.vocabulary_size
            models = untrained.build(own, *sizes), translator.model
            for moment, model in zip(norms, models, strict=True):
                reached = gradient_norms(model, source, target)[:, : asked.length]
                found[moment].append(reached.mean(0))
        for moment, seeds in found.items():
            norms[moment][label] = np.stack(seeds)
    _report(asked, norms, exact, count, len(sources))


def _recipes(asked):
    """By label the recipe of each model, and its number of parameters."""
    base = dates(asked)
    sizes = vocabulary_sizes(base, asked.folder, asked.data_dir)

    def recipe(label, units):
        overrides = {"units": units, "embedding_dim": 48, "bidirectional": False}
        return dataclasses.replace(base, preset=PRESETS[label], overrides=overrides)

    wanted = parameters(recipe("no attention", UNITS), sizes)
    return matched(PRESETS, recipe, sizes, wanted)


def _of_length(recipe, asked):
    """Sources of that many characters and their targets, of what no model was trained on."""
    splits = [pairs_of(recipe, split, asked.data_dir) for split in ("validation", "test")]
    chosen = [
        pair
        for pairs in splits
        for pair in zip(pairs.sources, pairs.targets, strict=True)
        if len(pair[0]) == asked.length
    ]
    if not chosen:
        raise ValueError(
            f"no date has {asked.length} characters; give another --length, such as 24"
        )
    return tuple(zip(*chosen, strict=True))


def gradient_norms(model, source, target):
    """`|d log p(y_T | y_<T, x) / d x_s|`, with `x_s` the embedding and `y_T` the last before END.

    Args:
        model: a translator.
        source: int `(batch, source length)`, PAD behind END.
        target: int `(batch, 1 + target length)`, START in front, PAD behind END.

    Returns:
        Array `(batch, source length)`.
    """
    vectors = tf.convert_to_tensor(model.source_embedding(source))
    last = tf.reduce_sum(tf.cast(target[:, 1:] != PAD, tf.int32), axis=1) - 2
    with tf.GradientTape() as tape:
        tape.watch(vectors)
        logits, _ = model.forced((vectors, source != PAD, target[:, :-1]))
        gains = tf.gather(forced_gains(logits, target[:, 1:]), last, batch_dims=1)
        total = tf.reduce_sum(gains)
    return tf.norm(tape.gradient(total, vectors), axis=-1).numpy()


def _report(asked, norms, exact, count, sentences):
    places = np.arange(1, asked.length + 1)
    panels = [
        Panel(
            moment,
            "source position, in characters",
            "norm of the gradient of the last digit's\nlog-probability",
            {label: (places, values) for label, values in by_label.items()},
            log=True,
        )
        for moment, by_label in norms.items()
    ]
    lines(panels, asked.to / f"{NAME}.png")
    heading = ["position"] + [f"{label}, {moment}" for moment in norms for label in PRESETS]
    columns = [geometric_mean(norms[moment][label]) for moment in norms for label in PRESETS]
    by_place = [[str(i + 1), *(f"{column[i]:.2e}" for column in columns)] for i in places - 1]
    models = [["model", "preset", "parameters", "validation, % right", *(
        f"first / last position, {moment}" for moment in norms
    )]]  # fmt: skip
    for label, preset in PRESETS.items():
        ratios = [norms[moment][label][:, 0] / norms[moment][label][:, -1] for moment in norms]
        models.append(
            [label, preset, f"{count[label]:,}", spread(exact[label], 1)]
            + [", ".join(f"{ratio:.1e}" for ratio in each) for each in ratios]
        )
    facts = {
        "command": f"`{asked.command}`",
        "seeds": ", ".join(map(str, asked.seeds)) + "; lines and the table by position "
        "have their geometric mean, bands are from the least to the most",
        "data": f"`dates`: {sentences} validation and test dates of {asked.length} characters, "
        "forced to say the gold translation; the mean over them",
        "budget": f"{asked.max_examples:,} training dates, {asked.epochs} epochs, for each model",
        "models": "GRU encoder of one direction, GRU decoder",
    }
    write_page(
        asked.to / f"{NAME}.md", "How far gradients reach", facts, [models, [heading, *by_place]]
    )
