"""The models of the founding claims: of like numbers of parameters, trained once and kept."""

import dataclasses
import json

import keras
import numpy as np

import zoo
from training import untrained
from training.prepare import Preparation
from training.recipes import RECIPES
from training.train import splits_of, train
from zoo import card


def dates(asked):
    """The recipe of dates, on the budget that the flags give."""
    return dataclasses.replace(
        RECIPES["dates"],
        max_examples=asked.max_examples,
        epochs=asked.epochs,
        label_smoothing=0.0,  # as in the papers whose claims these are
        validation_examples=200,
    )


def trained(recipe, name, folder, data_dir=None):
    """The translator of a recipe, trained into `folder` if it is not there.

    Args:
        recipe: a `Recipe`.
        name: of the model, `folder/models/<name>`.
        folder: where models and runs are kept.
        data_dir: where TFDS keeps prepared datasets.

    Raises:
        ValueError: if the model that is there was made by another recipe.
    """
    path = folder / "models" / name
    if not (path / card.NAME).is_file():
        print(f"\n{name}", flush=True)
        keras.backend.clear_session()
        runs = {"runs": folder / "runs", "saved_models": folder / "models"}
        train(recipe, name, **runs, data_dir=data_dir)
    expected, found = json.loads(json.dumps(dataclasses.asdict(recipe))), card.read(path)["recipe"]
    if found != expected:
        differing = ", ".join(key for key in expected if found.get(key) != expected[key])
        raise ValueError(
            f"{path} was made by a recipe that differs in {differing}; give another --folder, or "
            "the budget that made it"
        )
    return zoo.Translator.load(path)


def vocabulary_sizes(recipe, folder, data_dir=None):
    """How many ids source and target have in a recipe's data."""
    preparation = Preparation.below(
        folder / "runs" / ".prepared", recipe, splits_of(recipe, data_dir)
    )
    preparation.finish()
    return tuple(tokenizer.vocabulary_size for tokenizer in preparation.tokenizers)


def parameters(recipe, sizes):
    """How many parameters a recipe's model has."""
    keras.backend.clear_session()
    return untrained.build(recipe, *sizes).count_params()


def matched(labels, recipe, sizes, wanted, step=1):
    """Recipes whose models have so many parameters, as nearly as may be.

    Args:
        labels: what tells the models apart.
        recipe: the recipe of a label and a width.
        sizes: of the vocabularies.
        wanted: how many parameters.
        step: of which widths are multiples.

    Returns:
        Recipes by label, and the numbers of parameters by label.
    """
    recipes, counts = {}, {}
    for label in labels:
        width, counts[label] = matched_width(
            lambda width, label=label: parameters(recipe(label, width), sizes), wanted, step
        )
        recipes[label] = recipe(label, width)
    return recipes, counts


def matched_width(count, wanted, step=1):
    """The width, a multiple of `step`, whose model comes nearest to so many parameters; its own.

    Args:
        count: parameters by width: a polynomial of second degree, which every model's is whose
            widths grow in proportion. It is asked three times.
        wanted: how many parameters.

    Raises:
        ValueError: where no such model comes within 5 %.
    """
    widths = [8 * step, 16 * step, 32 * step]
    a, b, c = np.polyfit(widths, [count(width) for width in widths], 2)
    exact = (-b + np.sqrt(max(b * b - 4 * a * (c - wanted), 0))) / (2 * a)
    width = max(step, step * round(exact / step))
    found = round(a * width**2 + b * width + c)
    if abs(found - wanted) > 0.05 * wanted:
        raise ValueError(
            f"no width in steps of {step} gives {wanted:,} parameters within 5 %: {width} gives "
            f"{found:,}; ask for more"
        )
    return width, found
