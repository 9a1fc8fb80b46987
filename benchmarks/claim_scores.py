"""Luong's Table 4 on written dates: each score, over all keys and over a window of them.

Luong, Pham, Manning 2015, section 5.2: perplexity, quality and alignment error by attention.
"""

import dataclasses
import itertools

import numpy as np

from benchmarks.alignment import against_gold, attentions, ids
from benchmarks.claim_figures import Panel, dots
from benchmarks.claim_models import dates, matched, parameters, trained, vocabulary_sizes
from benchmarks.claim_page import spread, write_page
from benchmarks.gold_links import parse
from training.datasets.load import load_examples
from training.quality import exact_match
from zoo.decoding import forced_gains
from zoo.text import PAD

SCORES = ("location", "dot", "general", "concat")
WAYS = {"global": "luong", "local-m": "luong-local-m", "local-p": "luong-local-p"}
GRID = tuple(itertools.product(SCORES, WAYS))
MEASURES = {"perplexity": 3, "% right": 1, "alignment error rate": 3}
UNITS = 96  # of general, global
NAME = "scores"


def flags(parser):
    parser.set_defaults(epochs=6, max_examples=8000)
    parser.add_argument("--window", type=int, default=4, help="D of local attention")
    parser.add_argument("--sentences", type=int, default=500, help="test dates that are asked")


def run(asked):
    """Train what is missing, measure, draw, and write the page."""
    recipes, count = _recipes(asked)
    examples = load_examples("dates", "test", data_dir=asked.data_dir)
    columns = [examples[name][: asked.sentences] for name in ("text", "iso", "spans")]
    found = {cell: [] for cell in GRID}
    for seed in asked.seeds:  # a run that was stopped has whole tables
        for (score, way), recipe in recipes.items():
            own = dataclasses.replace(recipe, seed=seed)
            name = f"{NAME}-{score}-{way}-{seed}"
            translator = trained(own, name, asked.folder, asked.data_dir)
            found[score, way].append(measure(translator, *columns))
    _report(asked, {cell: np.array(seeds) for cell, seeds in found.items()}, recipes, count)


def _recipes(asked):
    """By score and way the recipe of each model, and its number of parameters."""
    base = dates(asked)
    sizes = vocabulary_sizes(base, asked.folder, asked.data_dir)

    def recipe(cell, units):
        score, way = cell
        # A dot product wants states as wide as the memory: all of them read the source one way.
        overrides = {
            "units": units,
            "embedding_dim": 48,
            "bidirectional": False,
            "attention": WAYS[way],
            "score": score,
            "window": asked.window,
            "max_source_length": base.max_source_length,
        }
        return dataclasses.replace(base, preset="luong-general", overrides=overrides)

    wanted = parameters(recipe(("general", "global"), UNITS), sizes)
    return matched(GRID, recipe, sizes, wanted)


def measure(translator, texts, isos, spans):
    """Perplexity of the gold dates, how many it gets right by itself, and its alignment error.

    Args:
        translator: of dates, with attention.
        texts, isos, spans: columns of the dataset.
    """
    source, target = ids(translator, texts, isos)
    model, labels = translator.model, target[:, 1:]
    logits, _ = model.forced((model.source_embedding(source), source != PAD, target[:, :-1]))
    gains = forced_gains(logits, labels).numpy()
    ((_, weights),) = attentions(model, source, target)
    error, _ = against_gold(weights, texts, [parse(one) for one in spans])
    right = exact_match(translator.translate_all(texts), isos)
    return np.exp(-gains.sum() / (labels.numpy() != PAD).sum()), right, error


def _report(asked, found, recipes, count):
    panels = [
        Panel(
            "",
            measure,
            "score",
            {
                way: (SCORES, np.stack([found[score, way][:, i] for score in SCORES], axis=1))
                for way in WAYS
            },
        )
        for i, measure in enumerate(MEASURES)
    ]
    dots(panels, asked.to / f"{NAME}.png")
    rows = [["score", "over", *MEASURES, "units", "parameters"]]
    for (score, way), seeds in found.items():
        measured = [spread(seeds[:, i], digits) for i, digits in enumerate(MEASURES.values())]
        units = recipes[score, way].overrides["units"]
        rows.append([score, way, *measured, str(units), f"{count[score, way]:,}"])
    facts = {
        "command": f"`{asked.command}`",
        "seeds": ", ".join(map(str, asked.seeds)) + "; bars are from the least to the most",
        "data": f"`dates`: the first {asked.sentences} test dates; perplexity and alignment error "
        "with the gold date given, % right decoded greedily",
        "budget": f"{asked.max_examples:,} training dates, {asked.epochs} epochs, for each model",
        "models": "`luong-general` with another `attention` and `score`: LSTM, encoder of one "
        f"direction, input feeding, D = {asked.window}",
    }
    write_page(asked.to / f"{NAME}.md", "Luong's Table 4 on written dates", facts, [rows])
