"""`list`, `prepare`, `train` and `evaluate`."""

import dataclasses
import os
from pathlib import Path

from attention_zoo.command import add_model, add_saved_models, command, model_folder
from attention_zoo.flags import add_flags, given
from attention_zoo.quiet import import_tensorflow
from training.recipe import Recipe
from training.recipes import RECIPES, recipe
from zoo import card
from zoo.freed_memory import keep_freed_memory


def add_list(commands):
    parser = command(
        commands,
        "list",
        _run_list,
        "show presets, recipes and trained models",
        "attention-zoo list",
    )
    add_saved_models(parser)


def _run_list(parsed):
    if not Path(parsed.saved_models).is_dir():
        raise FileNotFoundError(f"no folder {parsed.saved_models}; name one by --saved-models")
    import_tensorflow()
    from zoo.models import PRESETS

    print("Presets:")
    for name, preset in PRESETS.items():
        print(f"  {name:26} {preset.paper}")
    print("\nRecipes:")
    for name, made in RECIPES.items():
        print(f"  {name:36} {made.preset} on {made.dataset or 'your own corpus'}")
    print(f"\nTrained models in {parsed.saved_models}:")
    for path in sorted(Path(parsed.saved_models).glob(f"*/{card.NAME}")):
        print(f"\n  {path.parent.name}")
        for line in _card(path.parent):
            print(f"    {line}")


def _card(folder):
    """The lines of a model's card; what is wrong with it, where it is damaged."""
    try:
        told = card.facts(folder, card.read(folder))
    except ValueError as error:
        return [error]
    return [
        f"{title if first else '':12}{line}"
        for title, text in told.items()
        for first, line in zip([True, *[False] * text.count("\n")], text.split("\n"), strict=True)
    ]


def add_prepare(commands):
    parser = command(
        commands,
        "prepare",
        _run_prepare,
        "tokenise a recipe's data, for a machine that only trains",
        "attention-zoo prepare tatoeba-en-fr-transformer --to prepared --joint-vocabulary",
    )
    parser.add_argument("--to", required=True, metavar="FOLDER", help="where to write them")
    _add_recipe(parser)


def _run_prepare(parsed):
    made = _recipe_of(parsed)
    import_tensorflow()
    from training.prepare import Preparation
    from training.train import splits_of

    _take_data_files(parsed, made)
    prepared = Preparation(made, splits_of(made, parsed.data_dir), parsed.to).finish()
    for kind, pairs in (("training", prepared.train), ("validation", prepared.validation)):
        print(pairs.told(kind) or f"{len(pairs)} {kind} pairs.")
    print(f"Wrote {prepared.folder}.")


def add_train(commands):
    parser = command(
        commands,
        "train",
        _run_train,
        "train a recipe, or go on with a run that was interrupted",
        "attention-zoo train tatoeba-en-fr-luong --epochs 3 --overrides units=128",
    )
    parser.add_argument("--run", metavar="NAME", help="of run and model; the recipe's by default")
    parser.add_argument("--runs", default="runs", metavar="FOLDER", help="where runs are kept")
    parser.add_argument(
        "--checkpoint-every", type=int, default=200, metavar="STEPS", help="200 by default"
    )
    parser.add_argument(
        "--prepared", metavar="FOLDER", help="train on what `attention-zoo prepare` wrote there"
    )
    parser.add_argument(
        "--backend",
        choices=("tensorflow", "jax"),
        help="Keras's; jax needs --prepared, and no TensorFlow",
    )
    for flag, kind, what in (
        ("--workers", int, "how many processes train together, on JAX; or as the launcher says"),
        ("--worker", int, "the number of this one, from 0; or as the launcher says"),
        ("--coordinator", str, "HOST:PORT of worker 0; or MASTER_ADDR and MASTER_PORT"),
    ):
        parser.add_argument(flag, type=kind, metavar=flag.strip("-").upper(), help=what)
    add_saved_models(parser)
    _add_recipe(parser)


def _add_recipe(parser):
    """The recipe, what of it is to be different, and where its data are."""
    parser.add_argument("recipe", metavar="RECIPE", help="see attention-zoo list")
    _add_data(parser)
    add_flags(parser.add_argument_group("what differs from the recipe"), Recipe)


def _recipe_of(parsed):
    base = recipe(parsed.recipe)
    changed = given(parsed, Recipe)
    if "overrides" in changed:
        changed["overrides"] = {**base.overrides, **changed["overrides"]}
    return dataclasses.replace(base, **changed)


def _take_data_files(parsed, made):
    from training.datasets.builders import find_builder
    from training.datasets.download import prepare

    if parsed.data_files:
        prepare(find_builder(made.dataset, parsed.data_dir), parsed.data_files)


def _run_train(parsed):
    made = _recipe_of(parsed)
    name = parsed.recipe if parsed.run is None else parsed.run
    places = {"runs": parsed.runs, "saved_models": parsed.saved_models}
    train = _train_prepared if parsed.prepared else _train_texts
    if parsed.backend:
        os.environ["KERAS_BACKEND"] = parsed.backend  # before Keras is imported
    keep_freed_memory()
    try:
        train(parsed, made, name, checkpoint_every=parsed.checkpoint_every, **places)
    except KeyboardInterrupt:
        print("\nInterrupted; the same command goes on from the last checkpoint.")
        raise
    print(f"Saved {Path(parsed.saved_models) / name}; the run is in {Path(parsed.runs) / name}.")


def _train_texts(parsed, made, name, **options):
    if parsed.backend == "jax":
        raise ValueError("texts are read with TensorFlow; for --backend jax give --prepared FOLDER")
    if (parsed.workers or 1) > 1:
        raise ValueError("several workers train prepared data: give --prepared FOLDER, too")
    import_tensorflow()
    from training.train import train

    _take_data_files(parsed, made)
    train(made, name, data_dir=parsed.data_dir, **options)


def _train_prepared(parsed, made, name, **options):
    if (parsed.backend or os.environ.get("KERAS_BACKEND", "tensorflow")) == "tensorflow":
        import_tensorflow()
    from training.prepared import Prepared
    from training.train_prepared import train_prepared
    from training.workers import Workers

    workers = Workers.found(parsed.worker, parsed.workers, parsed.coordinator)
    train_prepared(made, name, Prepared.read(parsed.prepared), workers=workers, **options)


def add_evaluate(commands):
    parser = command(
        commands,
        "evaluate",
        _run_evaluate,
        "measure a trained model on data it has not seen, and note it on its card",
        "attention-zoo evaluate dates",
    )
    add_model(parser)
    data = parser.add_mutually_exclusive_group()
    data.add_argument(
        "--split", default="test", help="test (by default), validation, train, or the dataset's own"
    )
    data.add_argument(
        "--corpus", nargs="+", default=(), metavar="FILE", help="the whole of these files instead"
    )
    _add_data(parser)


def _add_data(parser):
    parser.add_argument("--data-dir", metavar="FOLDER", help="where TFDS keeps prepared datasets")
    parser.add_argument(
        "--data-files",
        metavar="FOLDER",
        help="the dataset's files, to prepare it from in place of a download",
    )


def _run_evaluate(parsed):
    import_tensorflow()
    from training.evaluate import evaluate

    scores = evaluate(
        model_folder(parsed),
        split=parsed.split,
        corpus=parsed.corpus,
        data_dir=parsed.data_dir,
        data_files=parsed.data_files,
    )
    measured = " ".join(parsed.corpus) or parsed.split
    print(f"{measured}: " + ", ".join(f"{name} {value}" for name, value in scores.items()))
