"""How good the recipes' translations are, with the published figures beside them.

    python -m benchmarks.quality [--data-files FOLDER] [--recipes ...] [--seeds 0 1 2] [--to FOLDER]
    python -m benchmarks.quality --so-far

Each recipe is trained with each seed as `attention-zoo train` does it, and translates its test sets
with its own decoding. What is finished is not trained again, and what was stopped goes on. The
tables are printed after each run and kept in `--to`, in `results.md`. `--so-far` trains nothing: of
a run that was stopped, or goes on elsewhere, it measures the best weights that there are.

`--data-files` is a folder with the files of Multi30k, those of its `raw` and those of its `tok`.
Its licence forbids passing on what is trained on it, and git passes over `--to`'s default.
"""

import argparse
import contextlib
import dataclasses
import datetime
import json
import os
import shlex
import sys
from pathlib import Path

os.environ.update(TF_CPP_MIN_LOG_LEVEL="3", KERAS_BACKEND="tensorflow")

import keras
import numpy as np

import zoo
from benchmarks.pages import machine
from benchmarks.quality_tables import Result, report
from training import arrays, untrained
from training.checkpoints import Position
from training.datasets.builders import find_builder
from training.datasets.download import prepare
from training.prepare import Preparation
from training.recipe import Recipe
from training.recipes import RECIPES, recipe
from training.train import pairs_of, splits_of, train
from zoo import card
from zoo.replacing import replacing

MULTI30K = "multi30k"
NAMES = [
    *(name for name in RECIPES if name.startswith(MULTI30K)),
    "python-docs-en-ko-transformer",
    "tatoeba-en-fr-transformer",
    "tatoeba-fr-en-transformer",
]
SEEDS = (0, 1, 2)


@dataclasses.dataclass(frozen=True)
class Place:
    """Where one recipe's run of one seed is, below a folder."""

    folder: Path
    recipe: str
    seed: int

    @property
    def name(self):
        return f"{self.recipe}-{self.seed}"

    @property
    def runs(self):
        return self.folder / "runs"

    @property
    def run(self):
        return self.runs / self.name

    @property
    def models(self):
        return self.folder / "models"

    @property
    def model(self):
        return self.models / self.name

    @property
    def result(self):
        return self.folder / "results" / f"{self.name}.json"

    @property
    def finished(self):
        return (self.model / card.NAME).is_file()


def train_at(place, data_dir):
    """Train, or go on, unless it is finished.

    Raises:
        ValueError: for what was trained by another recipe, or on other data.
    """
    made = dataclasses.replace(recipe(place.recipe), seed=place.seed)
    if place.finished and card.read(place.model).get("recipe") == _as_json(made):
        return
    train(made, place.name, runs=place.runs, saved_models=place.models, data_dir=data_dir)
    keras.backend.clear_session()


def measure(place, data_dir):
    """The `Result` of the best weights that there are; None before the first epoch's end.

    What was measured before, of the same weights of the same recipe, is taken from its file.
    """
    told = _finished(place) if place.finished else _so_far(place.run)
    if told is None:
        return None
    made, epochs, best = told
    known = {
        "recipe": place.recipe,
        "dataset": made.dataset,
        "seed": place.seed,
        "finished": place.finished,
        "epochs": epochs,
        "planned": made.epochs,
        "best": best,
        "made_by": _as_json(made),
    }
    with contextlib.suppress(FileNotFoundError):
        kept = Result(**json.loads(place.result.read_text(encoding="utf-8")))
        if all(getattr(kept, field) == value for field, value in known.items()):
            return kept
    translator = translator_of(place, made, data_dir)
    result = Result(
        **known,
        parameters=translator.model.count_params(),
        tests={split: _translated(translator, made, split, data_dir) for split in _tests(made)},
        machine=machine(),
        date=datetime.date.today().isoformat(),
    )
    keras.backend.clear_session()
    place.result.parent.mkdir(parents=True, exist_ok=True)
    with replacing(place.result) as beside:
        text = json.dumps(dataclasses.asdict(result), ensure_ascii=False)
        beside.write_text(text, encoding="utf-8")
    return result


def translator_of(place, made, data_dir):
    """The trained model; or one of the best weights so far, which decodes like it."""
    if place.finished:
        return zoo.Translator.load(place.model)
    splits = splits_of(made, data_dir)
    tokenizers = Preparation.below(place.runs / ".prepared", made, splits).tokenizers
    model = untrained.build(made, *(tokenizer.vocabulary_size for tokenizer in tokenizers))
    values, _ = arrays.read(place.run / "best.npz", model.weights)
    arrays.assign(model.weights, values)
    return zoo.Translator(model, *tokenizers, untrained.decoding(made))


def _translated(translator, made, split, data_dir):
    pairs = pairs_of(made, split, data_dir)
    return {"hypotheses": translator.translate_all(pairs.sources), "references": pairs.targets}


def _tests(made):
    return ("test", "test_2017") if made.dataset.startswith(MULTI30K) else ("test",)


def _finished(place):
    """The recipe, the epochs and the best of them, by the model's card.

    The run need not be here: `benchmarks/gpu_train.py` makes models of weights from elsewhere.
    """
    told = card.read(place.model)
    best = told["validation"]
    return Recipe.from_json(told["recipe"]), best["epochs"], [best["epoch"], best["weights"]]


def _so_far(run):
    """As `_finished`, by the last checkpoint; None where it has no validation behind it."""
    if not (run / "checkpoint.npz").is_file():
        return None
    with np.load(run / "checkpoint.npz") as checkpoint:
        position = Position(**json.loads(str(checkpoint["note"])))
    if not position.epoch:
        return None
    told = json.loads((run / "run.json").read_text(encoding="utf-8"))
    best = [position.best_epoch, position.best_weights]
    return Recipe.from_json(told["recipe"]), position.epoch, best


def _as_json(made):
    return json.loads(json.dumps(dataclasses.asdict(made)))


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data-files", metavar="FOLDER", help="Multi30k's, in place of a download")
    parser.add_argument("--data-dir", metavar="FOLDER", help="where TFDS keeps prepared datasets")
    parser.add_argument("--recipes", nargs="+", choices=NAMES, default=NAMES, metavar="RECIPE")
    parser.add_argument("--seeds", nargs="+", type=int, default=SEEDS)
    parser.add_argument("--to", type=Path, default=Path("build/quality"), metavar="FOLDER")
    parser.add_argument(
        "--so-far", action="store_true", help="train nothing; measure what is there"
    )
    parsed = parser.parse_args(arguments)
    given = sys.argv[1:] if arguments is None else arguments
    command = shlex.join(["python", "-m", "benchmarks.quality", *given])
    results = []
    for place in (Place(parsed.to, n, seed) for seed in parsed.seeds for n in parsed.recipes):
        dataset = recipe(place.recipe).dataset
        if parsed.data_files and dataset.startswith(MULTI30K):
            try:
                prepare(find_builder(dataset, parsed.data_dir), parsed.data_files)
            except (FileNotFoundError, ValueError) as error:
                parser.error(f"{error}")
        if not parsed.so_far:
            train_at(place, parsed.data_dir)
        result = measure(place, parsed.data_dir)
        if result is None:
            print(f"{place.name}: not an epoch has been trained.", flush=True)
            continue
        results.append(result)
        text = report(results, command)
        (parsed.to / "results.md").write_text(text, encoding="utf-8")
        print(f"\n{text}", flush=True)


if __name__ == "__main__":
    main()
