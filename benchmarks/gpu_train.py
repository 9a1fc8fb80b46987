"""Train the Multi30k recipes on a GPU, from prepared data alone: a results table, and the weights.

    KERAS_BACKEND=jax python benchmarks/gpu_train.py prepared/* --to results
    python benchmarks/gpu_train.py prepared/* --to results --adopt build/quality/models
    python -m benchmarks.quality --so-far

Each recipe takes the folder that was prepared for it. In `--to`, `<recipe>-<seed>.npz` has the best
weights as float16 and `results.md` the table, of which the tokens are the target's, with compiling
and validation in the time. What is there is not trained again, and a training that was killed goes
on. No training is begun after `--minutes`. With `--jobs` several share the GPU, which models as
small as these leave mostly idle, each in a process of its own; one that fails does not stop the
others. `--adopt` makes folders of models from the weights, on the machine that has TensorFlow;
`benchmarks/quality.py` measures them. `--smoke` takes a few steps of each.
"""

import argparse
import dataclasses
import itertools
import json
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from training import arrays, untrained
from training.prepared import SPLITS, Prepared
from training.recipe import Recipe
from training.recipes import RECIPES, recipe
from training.token_pairs import Sequences, TokenPairs
from training.train_prepared import train_prepared
from zoo import card
from zoo.replacing import replacing
from zoo.saving import save_model
from zoo.settings import Decoding

NAMES = [name for name in RECIPES if name.startswith("multi30k")]
SEEDS = (0, 1, 2)
SMOKE = 256  # pairs


def prepared_for(name, made, folders):
    """The `Prepared` data that fit the recipe of this name.

    Raises:
        FileNotFoundError, ValueError: for a folder that is none, or where none fits.
    """
    for prepared in map(Prepared.read, folders):
        try:
            prepared.check(made)
        except ValueError:
            continue
        return prepared
    raise ValueError(
        f"none of {', '.join(map(str, folders))} was prepared for {name}, as that recipe is now; "
        f"where the texts are: attention-zoo prepare {name} --to FOLDER"
    )


def made_for(name, seed, parsed):
    """The recipe, in the small for a smoke test."""
    made = dataclasses.replace(recipe(name), seed=seed)
    short = {"epochs": 1, "average_last": 0, "schedule": "constant", "warmup_steps": 0}
    return dataclasses.replace(made, **short) if parsed.smoke else made


def weights_in(folder):
    """The files of weights there, and none that is being written."""
    return sorted(folder.glob("[!.]*.npz"))


def note_of(path):
    """What was noted beside the weights."""
    with np.load(path) as weights:
        return json.loads(str(weights["note"]))


def is_trained(path, made):
    """Whether the weights are there.

    Raises:
        ValueError: for those of another recipe.
    """
    if not path.is_file():
        return False
    if Recipe.from_json(note_of(path)["card"]["recipe"]) != made:
        raise ValueError(f"{path} is of another recipe; remove it, or name another folder by --to")
    return True


def first(pairs, count):
    """So many of the `TokenPairs`."""
    sides = {}
    for side in ("source", "target"):
        rows = getattr(pairs, side)
        offsets = rows.offsets[: count + 1]
        sides[side] = Sequences(rows.values[: offsets[-1]], offsets)
    return TokenPairs(**sides)


def train(name, seed, parsed):
    """Train one, and keep its weights and what they reached."""
    made = made_for(name, seed, parsed)
    prepared = prepared_for(name, made, parsed.prepared)
    if parsed.smoke:
        splits = {split: first(getattr(prepared, split), SMOKE) for split in SPLITS}
        prepared = dataclasses.replace(prepared, **splits)
    own, began = f"{name}-{seed}", time.perf_counter()
    places = {"runs": parsed.to / "runs", "saved_models": parsed.to / "runs" / "models"}
    whole = not (places["runs"] / own).exists()  # or else a part of it was timed elsewhere
    history = train_prepared(made, own, prepared, **places)
    seconds = time.perf_counter() - began
    tokens = len(history) * int(prepared.train.lengths[1].sum())
    told = card.read(places["saved_models"] / own)
    best = {part: told["validation"][part] for part in ("epoch", "weights")}
    suffix = "" if best["weights"] == "trained" else f"_{best['weights']}"
    measured = history[best["epoch"] - 1]
    note = {
        **best,
        "card": {part: told[part] for part in told if part != "files"},
        "loss": measured[f"val_loss{suffix}"],
        "perplexity": measured[f"val_perplexity{suffix}"],
        "tokens": tokens / seconds if whole else "-",
        "minutes": seconds / 60 if whole else "-",
    }
    with np.load(places["runs"] / own / "best.npz") as weights:
        halves = {n: weights[n].astype("float16") for n in weights.files if n != "note"}
    with arrays.writing(parsed.to / f"{own}.npz") as beside, beside.open("wb") as file:
        np.savez(file, note=json.dumps(note), **halves)


def train_apart(name, seed, parsed):
    """The same, in a process of its own, whose exit status is returned."""
    one = ["--to", parsed.to, "--recipes", name, "--seeds", str(seed)]
    flags = ["--smoke"] if parsed.smoke else []
    return subprocess.run([sys.executable, __file__, *parsed.prepared, *one, *flags]).returncode


def missing_in(parsed):
    """Names and seeds that are to be trained; an error, before hours of it, where one can't be."""
    missing = []
    for seed, name in itertools.product(parsed.seeds, parsed.recipes):
        made = made_for(name, seed, parsed)
        if not is_trained(parsed.to / f"{name}-{seed}.npz", made):
            prepared_for(name, made, parsed.prepared)
            missing.append((name, seed))
    return missing


def train_all(missing, parsed):
    """Train these, so many at a time; the names of those that failed."""
    parsed.to.mkdir(parents=True, exist_ok=True)
    if len(missing) == 1:
        train(*missing[0], parsed)
        return []
    end = time.monotonic() + 60 * parsed.minutes

    def fails(one):
        return time.monotonic() < end and train_apart(*one, parsed) != 0

    with ThreadPoolExecutor(parsed.jobs) as pool:
        failed = list(pool.map(fails, missing))
    return [f"{name}-{seed}" for name, seed in itertools.compress(missing, failed)]


def adopt(path, parsed):
    """Make a model's folder from its weights."""
    told = note_of(path)["card"]
    made = Recipe.from_json(told["recipe"])
    prepared = prepared_for(path.stem.rpartition("-")[0], made, parsed.prepared)
    model = untrained.build(made, *prepared.about["vocabulary_sizes"])
    values, _ = arrays.read(path, model.weights)
    arrays.assign(model.weights, [value.astype("float32") for value in values])
    folder = parsed.adopt / path.stem
    prepared.copy_tokenizers(folder)
    save_model(folder, model, Decoding(**told.pop("decoding")), told)
    print(f"Saved {folder}.")


def adopt_all(parsed):
    """Make the models of all weights in `--to`."""
    paths = weights_in(parsed.to)
    if not paths:
        raise FileNotFoundError(f"no weights in {parsed.to}: name the folder of a training by --to")
    for path in paths:
        adopt(path, parsed)


def write_table(folder):
    """What all have reached so far, as a Markdown table."""
    columns = ("loss", "perplexity", "epoch", "weights", "tokens", "minutes")
    heads = ["model", "validation loss", "perplexity", "epoch", "weights", "tokens/s", "minutes"]
    lines = [heads, ["---"] * len(heads)]
    for path in weights_in(folder):
        note = note_of(path)
        values = [note[column] for column in columns]
        lines.append([path.stem, *(f"{v:.4g}" if isinstance(v, float) else str(v) for v in values)])
    text = "".join(f"| {' | '.join(line)} |\n" for line in lines)
    with replacing(folder / "results.md") as beside:
        beside.write_text(text, encoding="utf-8")
    print(text, flush=True)


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("prepared", nargs="+", type=Path, help="folders of prepared data")
    parser.add_argument("--to", type=Path, default=Path("gpu_train"), help="for the results")
    parser.add_argument("--recipes", nargs="+", choices=NAMES, default=NAMES)
    parser.add_argument("--seeds", nargs="+", type=int, default=SEEDS)
    parser.add_argument("--minutes", type=float, default=25, help="after which none is begun")
    parser.add_argument("--jobs", type=int, default=1, help="trainings side by side")
    parser.add_argument("--adopt", type=Path, metavar="SAVED_MODELS", help="only make the models")
    parser.add_argument("--smoke", action="store_true", help="a few steps of each")
    parsed = parser.parse_args(arguments)
    if parsed.jobs < 1:
        parser.error(f"--jobs must be at least 1, got {parsed.jobs}")
    try:
        if parsed.adopt:
            adopt_all(parsed)
            return
        missing = missing_in(parsed)
    except (FileNotFoundError, ValueError) as error:
        parser.error(f"{error}")
    failed = train_all(missing, parsed)
    write_table(parsed.to)
    if failed:
        sys.exit(f"failed: {', '.join(failed)}; why stands above; the same command tries again")


if __name__ == "__main__":
    main()
