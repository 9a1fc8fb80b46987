"""What integrated gradients take, and how complete they are, as a Markdown table.

    python -m benchmarks.attribution saved_models/dates-*

Of each trained model: the completeness residuals of the first test sentences, at the default steps;
and the time that `BATCH` sentences of `LENGTH` tokens take, END among them, beside that of one
training step on them. An attribution has a row for each target token, each of which is a gradient
of its own, so that the multiple is also given for one of them.
"""

import argparse
import os
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np

import zoo
from benchmarks.alignment import ids
from benchmarks.pages import machine, table
from training.recipe import Recipe
from training.train import pairs_of
from zoo import card
from zoo.explain.attribution import COMPLETE, METHODS
from zoo.explain.attributor import Attributor

BATCH, LENGTH = 32, 20
HEADING = [
    *("model", "residual: median", "largest", f"above {COMPLETE:.0%}"),
    *("target tokens", "seconds", "training step", "multiple", "for a target token"),
]


def measure(folder, sentences, data_dir):
    """The row of a model."""
    translator = zoo.Translator.load(folder)
    recipe = Recipe.from_json(card.read(folder)["recipe"])
    pairs = pairs_of(recipe, "test", data_dir)
    source, target = ids(translator, pairs.sources, pairs.targets)
    attributor = Attributor(translator.model)
    found = [
        one
        for i in range(0, min(sentences, len(pairs.sources)), BATCH)
        for one in attributor.attribute(
            METHODS[0], *(cropped(side[i : min(i + BATCH, sentences)]) for side in (source, target))
        )
    ]
    residuals = np.array([one.residual for one in found])
    of_length = np.flatnonzero((source.numpy() != 0).sum(axis=1) == LENGTH)[:BATCH]
    if len(of_length) < BATCH:
        raise ValueError(f"{folder}: {len(of_length)} test texts have {LENGTH} tokens, not {BATCH}")
    batch = [cropped(side.numpy()[of_length]) for side in (source, target)]
    seconds = min(_seconds(attributor, batch) for _ in range(2))
    step = _training_step(translator.model, *batch)
    length = (batch[1][:, 1:] != 0).sum(axis=1).mean()
    return [
        *(folder.name, f"{np.median(residuals):.2%}", f"{residuals.max():.2%}"),
        *(f"{(residuals > COMPLETE).sum()} of {len(residuals)}", f"{length:.1f}"),
        *(f"{seconds:.2f}", f"{step:.4f}", f"{seconds / step:.0f}"),
        f"{seconds / step / length:.1f}",
    ]


def cropped(rows):
    """Rows without the columns in which all have padding."""
    rows = np.asarray(rows)
    return rows[:, : (rows != 0).sum(axis=1).max()]


def _seconds(attributor, batch):
    begin = time.perf_counter()
    attributor.attribute(METHODS[0], *batch)
    return time.perf_counter() - begin


def _training_step(model, source, target):
    """Seconds of a training step on a batch: the least of five."""
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(True, ignore_class=0))
    seconds, weights = [], model.get_weights()
    for _ in range(6):
        begin = time.perf_counter()
        model.train_on_batch((source, target[:, :-1]), target[:, 1:])
        seconds.append(time.perf_counter() - begin)
    model.set_weights(weights)
    return min(seconds[1:])


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folders", nargs="+", type=Path, metavar="MODEL", help="trained models")
    parser.add_argument("--sentences", type=int, default=200, help="whose residuals are taken")
    parser.add_argument("--data-dir", help="where TFDS keeps prepared datasets")
    asked = parser.parse_args(arguments)
    if asked.sentences < 1:
        parser.error(f"--sentences wants 1 or more, got {asked.sentences}")
    try:
        rows = [HEADING, *(measure(one, asked.sentences, asked.data_dir) for one in asked.folders)]
    except (FileNotFoundError, ValueError) as error:
        raise SystemExit(f"{error}") from error
    print(table(rows))
    print(f"\n{machine()}")


if __name__ == "__main__":
    main()
