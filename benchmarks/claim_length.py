"""BLEU by the length of the source: without attention, Bahdanau's, Luong's, and a Transformer.

Bahdanau et al. 2015, figure 2; Luong et al. 2015, figure 6. On `python_docs`, English to Korean,
and on short sentences of it that are joined: those are the same sentences at each length.
"""

import dataclasses
import hashlib
import itertools
import json

import numpy as np

from benchmarks.claim_figures import Panel, lines
from benchmarks.claim_models import matched, trained, vocabulary_sizes
from benchmarks.claim_page import spread, write_page
from training.quality import bleu, chrf
from training.recipes import RECIPES
from training.train import pairs_of

PRESETS = {
    "no attention": "seq2seq-gru",
    "Bahdanau": "bahdanau-gru",
    "Luong": "luong-gru",
    "Transformer": "transformer-lite",
}
STEP = 4  # of widths
UP_TO = (5, 10, 20, 30, 40, 60, 10**9)  # words of the sources of each part
JOINED = (1, 2, 3, 4, 6, 8)  # so many short sentences
SHORT = 10  # words, at most
LEAST = 0.01  # BLEU that is drawn
NAME = "length"


def flags(parser):
    parser.set_defaults(epochs=15, max_examples=0)
    parser.add_argument("--parameters", type=int, default=5_000_000, help="of each model")
    parser.add_argument("--vocabulary-size", type=int, default=8000, help="pieces on either side")
    parser.add_argument("--warmup-steps", type=int, default=200, help="of the cosine schedule")
    parser.add_argument(
        "--sentences", type=int, default=0, help="test pairs that are translated; 0 for all"
    )


def run(asked):
    """Train what is missing, translate, draw, and write the page."""
    recipes, count = _recipes(asked)
    pairs = pairs_of(recipes["Transformer"], "test", asked.data_dir)
    pairs = pairs.only(range(asked.sentences or len(pairs.sources))[: len(pairs.sources)])
    sets = {"docs": by_length(pairs), "joined": joined(pairs)}
    found = {label: {kind: [] for kind in sets} for label in PRESETS}
    for seed in asked.seeds:  # a run that was stopped has whole figures
        for label, recipe in recipes.items():
            name = f"{NAME}-{PRESETS[label]}-{seed}"
            said = _translated(dataclasses.replace(recipe, seed=seed), name, sets, asked)
            for kind, parts in sets.items():
                found[label][kind].append(scores(parts, said[kind]))
    _report(asked, sets, found, recipes, count)


def _recipes(asked):
    """By label the recipe of each model, which is all alike but for the model, and its size."""
    base = dataclasses.replace(
        RECIPES["python-docs-en-ko-transformer"],
        vocabulary_size=asked.vocabulary_size,
        max_examples=asked.max_examples,
        epochs=asked.epochs,
        schedule="cosine",
        warmup_steps=asked.warmup_steps,
        learning_rate=2e-3,
        beam_size=1,
        length_penalty=0.0,
        validation_examples=200,
    )

    def recipe(label, width):
        recurrent = {"units": width, "embedding_dim": width // 2, "bidirectional": True}
        transformer = {"dim": width, "hidden_dim": 3 * width, "num_layers": 3}
        widths = transformer if label == "Transformer" else recurrent
        overrides = {**widths, "dropout": 0.2}
        return dataclasses.replace(base, preset=PRESETS[label], overrides=overrides)

    sizes = vocabulary_sizes(base, asked.folder, asked.data_dir)
    return matched(PRESETS, recipe, sizes, asked.parameters, STEP)


def by_length(pairs):
    """The pairs in parts by the words of their sources: lists of sources and targets."""
    parts = [([], []) for _ in UP_TO]
    for source, target in zip(pairs.sources, pairs.targets, strict=True):
        sources, targets = parts[np.searchsorted(UP_TO, len(source.split()))]
        sources.append(source)
        targets.append(target)
    return [part for part in parts if part[0]]


def joined(pairs):
    """For each number in `JOINED`, the short pairs, so many at a time joined to one.

    Each has the same sentences: as many as fill the groups of every number.

    Raises:
        ValueError: for too few short pairs.
    """
    short = [
        pair
        for pair in zip(pairs.sources, pairs.targets, strict=True)
        if len(pair[0].split()) <= SHORT
    ]
    whole = int(np.lcm.reduce(JOINED))
    if len(short) < whole:
        raise ValueError(
            f"joining takes {whole} pairs of up to {SHORT} words or more; got {len(short)}: "
            "raise --sentences"
        )
    short = short[: len(short) - len(short) % whole]
    return [
        tuple(
            [" ".join(side[i : i + count]) for i in range(0, len(short), count)]
            for side in zip(*short, strict=True)
        )
        for count in JOINED
    ]


def scores(parts, said):
    """BLEU of each part, then BLEU and chrF of all of them.

    Args:
        parts: lists of sources and targets.
        said: for each part the translations.
    """
    right = [targets for _, targets in parts]
    everything = [list(itertools.chain(*side)) for side in (said, right)]
    return [*map(bleu, said, right), bleu(*everything), chrf(*everything)]


def _translated(recipe, name, sets, asked):
    """By set the translations of its parts; kept beside the figure, and so made once for all."""
    path = asked.to / NAME / f"{name}.json"
    made = json.loads(json.dumps(dataclasses.asdict(recipe)))
    sources = {kind: [sources for sources, _ in parts] for kind, parts in sets.items()}
    digest = hashlib.sha256(json.dumps(sources).encode()).hexdigest()
    kept = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None
    if not kept or kept["sources"] != digest or not kept["recipe"].items() <= made.items():
        translator = trained(recipe, name, asked.folder, asked.data_dir)
        said = {
            kind: [translator.translate_all(texts) for texts in parts]
            for kind, parts in sources.items()
        }
        kept = {"recipe": made, "sources": digest, "said": said}
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(kept, ensure_ascii=False, indent=0) + "\n", encoding="utf-8")
    return kept["said"]


def _report(asked, sets, found, recipes, count):
    words = {kind: [mean_words(sources) for sources, _ in parts] for kind, parts in sets.items()}
    titles = {
        "docs": ("python_docs, English to Korean", "words of the source, mean of a part"),
        "joined": ("the same short sentences, joined", "words of the source, mean"),
    }
    values = {
        label: {kind: np.array(rows) for kind, rows in kinds.items()}
        for label, kinds in found.items()
    }
    panels = [
        Panel(*titles[kind], "BLEU", {label: (words[kind], drawn(values[label][kind]))
                                      for label in PRESETS}, log=True)
        for kind in sets
    ]  # fmt: skip
    lines(panels, asked.to / f"{NAME}.png")
    models = [["model", "preset", "width", "parameters", "BLEU, all of the docs", "chrF"]]
    for label in PRESETS:
        options = recipes[label].overrides
        width = options.get("units") or options["dim"]
        whole = [spread(values[label]["docs"][:, i], 1) for i in (-2, -1)]
        models.append([label, PRESETS[label], str(width), f"{count[label]:,}", *whole])
    tables = [models]
    for kind, parts in sets.items():
        rows = [[titles[kind][0] + ": words", "pairs", *PRESETS]]
        for i, (sources, _) in enumerate(parts):
            cells = [spread(values[label][kind][:, i], 1) for label in PRESETS]
            rows.append([f"{words[kind][i]:.1f}", str(len(sources)), *cells])
        tables.append(rows)
    facts = {
        "command": f"`{asked.command}`",
        "seeds": ", ".join(map(str, asked.seeds)) + "; bands are from the least to the most; lines "
        "of the figure are geometric means, figures of the tables arithmetic ones",
        "data": f"`python_docs/en-ko`, test pairs; joined: those of up to {SHORT} words, "
        f"{', '.join(map(str, JOINED))} at a time; no model was trained on joined ones",
        "budget": f"{asked.max_examples or 'all'} training pairs, {asked.epochs} epochs, one "
        "schedule, for each model; decoded greedily",
    }
    write_page(asked.to / f"{NAME}.md", "BLEU by the length of the source", facts, tables)


def drawn(values):
    """BLEU of the parts, none of it 0, which a logarithmic axis has not."""
    return np.maximum(values[:, :-2], LEAST)


def mean_words(sources):
    return float(np.mean([len(source.split()) for source in sources]))
