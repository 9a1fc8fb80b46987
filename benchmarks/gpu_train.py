"""Train the Multi30k recipes on a GPU, from prepared data alone: a results table, and the weights.

    KERAS_BACKEND=jax python benchmarks/gpu_train.py prepared/* --to results
    python benchmarks/gpu_train.py prepared/* --to results --adopt saved_models

Each recipe takes the folder that was prepared for it. In `--to`, `<recipe>-<seed>.npz` has the best
weights as float16 and `results.md` the table, of which the tokens are the target's, with compiling
and validation in the time. What is there is not trained again, and a training that was killed goes
on. No training is begun after `--minutes`. With `--jobs` several share the GPU, which models as
small as these leave mostly idle, each in a process of its own. `--adopt` makes folders of models
from the weights, on the machine that has TensorFlow; `benchmarks/quality.py` measures them.
`--smoke` takes a few steps of each.
"""

import argparse
import dataclasses
import json
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from training import arrays, untrained
from training.prepared import SPLITS, Prepared
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


def prepared_for(made, folders):
    """The `Prepared` data that fit the recipe."""
    for prepared in map(Prepared.read, folders):
        try:
            prepared.check(made)
        except ValueError:
            continue
        return prepared
    raise ValueError(f"none of {', '.join(map(str, folders))} was prepared for {made.preset}")


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
    made = dataclasses.replace(recipe(name), seed=seed)
    prepared = prepared_for(made, parsed.prepared)
    if parsed.smoke:
        short = {"epochs": 1, "average_last": 0, "schedule": "constant", "warmup_steps": 0}
        made = dataclasses.replace(made, **short)
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
    write_table(parsed.to)


def train_apart(name, seed, parsed):
    """The same, in a process of its own."""
    one = ["--to", parsed.to, "--recipes", name, "--seeds", str(seed)]
    flags = ["--smoke"] if parsed.smoke else []
    subprocess.run([sys.executable, __file__, *parsed.prepared, *one, *flags], check=True)


def adopt(path, parsed):
    """Make a model's folder from its weights."""
    with np.load(path) as weights:
        told = json.loads(str(weights["note"]))["card"]
    made = recipe(path.stem.rpartition("-")[0])
    prepared = prepared_for(made, parsed.prepared)
    model = untrained.build(made, *prepared.about["vocabulary_sizes"])
    values, _ = arrays.read(path, model.weights)
    arrays.assign(model.weights, [value.astype("float32") for value in values])
    folder = parsed.adopt / path.stem
    prepared.copy_tokenizers(folder)
    save_model(folder, model, Decoding(**told.pop("decoding")), told)
    print(f"Saved {folder}.")


def write_table(folder):
    """What all have reached so far, as a Markdown table."""
    columns = ("loss", "perplexity", "epoch", "weights", "tokens", "minutes")
    heads = ["model", "validation loss", "perplexity", "epoch", "weights", "tokens/s", "minutes"]
    lines = [heads, ["---"] * len(heads)]
    for path in sorted(folder.glob("*.npz")):
        with np.load(path) as weights:
            note = json.loads(str(weights["note"]))
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
    if parsed.adopt:
        for path in sorted(parsed.to.glob("*.npz")):
            adopt(path, parsed)
        return
    parsed.to.mkdir(parents=True, exist_ok=True)
    missing = [
        (name, seed)
        for seed in parsed.seeds
        for name in parsed.recipes
        if not (parsed.to / f"{name}-{seed}.npz").is_file()
    ]
    if len(missing) == 1:
        train(*missing[0], parsed)
        return
    end = time.monotonic() + 60 * parsed.minutes

    def begin(one):
        if time.monotonic() < end:
            train_apart(*one, parsed)

    with ThreadPoolExecutor(parsed.jobs) as pool:
        list(pool.map(begin, missing))


if __name__ == "__main__":
    main()
