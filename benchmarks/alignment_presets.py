"""Alignment error rates of every preset with attention, on one budget, as a Markdown table.

    python -m benchmarks.alignment_presets --folder build/alignment [--presets luong-dot ...]

Each preset is trained on `dates`, as the recipe of its kind does but for the budget, the same for
all: `--max-examples` and `--epochs`. What is trained is not trained again, nor is measured what is
measured: stopped, it goes on. As Luong's Table 6 a row has the error rate of what a model looks at,
here beside that of what mattered to it, and their weight on the weekday, from which nothing comes.
Of several heads and layers it is the mean of the last layer's heads, which `explain` shows.
"""

import argparse
import dataclasses
import json
import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from benchmarks.alignment import against_gold, ids, shares_of, written
from benchmarks.claim_models import trained
from benchmarks.gold_links import parse
from benchmarks.pages import table
from training.datasets.load import load_examples
from training.recipes import RECIPES
from zoo import card
from zoo.explain.attribution import METHODS
from zoo.explain.attributor import Attributor
from zoo.explain.heads import choose
from zoo.models.presets import PRESETS, preset
from zoo.replacing import replacing

HEADING = ["preset", "right", "AER: attention", *(method.replace("-", " ") for method in METHODS)]
HEADING += ["on the weekday: attention", *HEADING[3:]]


def with_attention():
    """The names of the translators' presets that have attention."""
    return [
        name
        for name, one in PRESETS.items()
        if one.model != "classifier" and one.settings.get("attention", True)
    ]


def recipe_of(name, asked):
    """The recipe that a preset is trained by: that of its kind, on the budget asked for."""
    kind = "dates-bahdanau" if preset(name).model == "recurrent" else "dates-transformer"
    return dataclasses.replace(
        RECIPES[kind],
        preset=name,
        max_examples=asked.max_examples,
        epochs=asked.epochs,
        seed=asked.seed,
    )


def measure(translator, texts, isos, spans):
    """Error rates and weights on the weekday: of attention, then of each attribution."""
    model, (source, target) = translator.model, ids(translator, texts, isos)
    _, attention = model.forced((model.source_embedding(source), source != 0, target[:, :-1]))
    ((_, looked),) = choose([layer.numpy() for layer in attention])
    attributor, weights = Attributor(model), [looked]
    weights += [shares_of(attributor, method, source, target) for method in METHODS]
    spans = [parse(one) for one in spans]
    rates, weekday = zip(*(against_gold(one, texts, spans) for one in weights), strict=True)
    return [*rates, *weekday]


def row(name, asked, columns):
    """What is measured of a preset; from its file where it was measured before."""
    model = f"{name}-{asked.seed}"
    translator = trained(recipe_of(name, asked), model, asked.folder, asked.data_dir)
    kept = asked.folder / "results" / f"{model}-{asked.sentences}.json"
    if kept.is_file():
        return json.loads(kept.read_text(encoding="utf-8"))
    right = card.read(asked.folder / "models" / model)["validation"]["exact_match"]
    cells = [name, f"{right:.1f} %", *written(measure(translator, *columns))]
    kept.parent.mkdir(exist_ok=True)
    with replacing(kept) as beside:
        beside.write_text(json.dumps(cells), encoding="utf-8")
    return cells


def main(arguments=None):
    names = with_attention()
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--folder", type=Path, default=Path("build/alignment"))
    parser.add_argument("--presets", nargs="+", choices=names, default=names, metavar="PRESET")
    parser.add_argument("--max-examples", type=int, default=8000, help="to train on")
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--sentences", type=int, default=200, help="test dates that are asked")
    parser.add_argument("--data-dir", help="where TFDS keeps prepared datasets")
    asked = parser.parse_args(arguments)
    if asked.sentences < 1:
        parser.error(f"--sentences wants 1 or more, got {asked.sentences}")
    examples = load_examples("dates", "test", data_dir=asked.data_dir)
    columns = [examples[column][: asked.sentences] for column in ("text", "iso", "spans")]
    rows = [HEADING]
    for name in asked.presets:
        rows.append(row(name, asked, columns))
        print(f"\n{table(rows)}", flush=True)


if __name__ == "__main__":
    main()
