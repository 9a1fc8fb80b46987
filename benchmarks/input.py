"""What the input costs: the share of padding, and how long a step waits, as a Markdown table.

    ATTENTION_ZOO_DATA=FOLDER python -m benchmarks.input --batch-tokens 4096 --step 0.05

On Python's documentation, `FOLDER/python_docs/pydocs.en-{fr,ko}.tsv.gz`, in SentencePiece BPE. A
row for each way of making batches: NumPy's arrays, for any backend, and tf.data. "alone" is how
many batches a second it makes; "waits" is the share of its time that a step of `--step` seconds,
on another processor, waits for its batch.
"""

import argparse
import dataclasses
import itertools
import os
import tempfile
import time
from pathlib import Path

from attention_zoo.quiet import import_tensorflow
from training.array_batches import ArrayBatches
from training.datasets.corpus import read_table
from training.recipe import Recipe

LANGUAGES = ("fr", "ko")
SPLITS = {"train": "train", "validation": "valid"}
BATCHES = 300


def splits_of(language):
    """The documentation's `Pairs` of each split."""
    from training.datasets.load import Pairs

    name = f"pydocs.en-{language}.tsv.gz"
    _, *rows = read_table(Path(os.environ["ATTENTION_ZOO_DATA"]) / "python_docs" / name)
    return {
        split: Pairs(name, *map(list, zip(*(r[2:4] for r in rows if r[0] == own), strict=True)))
        for split, own in SPLITS.items()
    }


def rate(batches):
    """How many are made a second, of some that begin in the middle of an epoch."""
    made = iter(batches.from_epoch(1, skip=len(batches) // 2))
    next(made)
    began = time.perf_counter()
    count = sum(1 for _ in itertools.islice(made, BATCHES))
    return count / (time.perf_counter() - began)


def waits(batches, step):
    """The share of the time in which steps that take so many seconds wait for a batch."""
    made, waited = iter(batches.from_epoch(0)), 0.0
    next(made)
    began = time.perf_counter()
    for _ in range(BATCHES):
        time.sleep(step)
        asked = time.perf_counter()
        next(made)
        waited += time.perf_counter() - asked
    return waited / (time.perf_counter() - began)


def report(language, recipe, step):
    from training.pipeline import Batches
    from training.prepare import Preparation

    with tempfile.TemporaryDirectory() as folder:
        pairs = Preparation.below(folder, recipe, splits_of(language)).finish().train
        for way in (ArrayBatches, Batches):
            batches = way.of(pairs, recipe)
            plan = batches.plan
            numbers = (len(pairs), len(plan), len(plan.shapes), f"{plan.padding:.1%}")
            speed = (f"{rate(batches):.0f}", f"{waits(batches, step):.1%}")
            row = (f"en-{language}", recipe.max_source_length, way.__name__, *numbers, *speed)
            print("|", " | ".join(map(str, row)), "|", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--step", type=float, default=0.05, help="seconds of a step")
    parser.add_argument("--batch-tokens", type=int, default=4096)
    parser.add_argument("--lengths", type=int, nargs="+", default=[64, 128], help="the longest")
    arguments = parser.parse_args()
    if not os.environ.get("ATTENTION_ZOO_DATA"):
        parser.error("set ATTENTION_ZOO_DATA to the folder that holds python_docs")
    import_tensorflow()
    print(f"{arguments.batch_tokens} tokens a batch, a step of {arguments.step * 1e3:g} ms\n")
    print("| pairs | longest | input | kept | batches | shapes | padding | alone | waits |")
    print("|---|---|---|---|---|---|---|---|---|")
    base = Recipe(
        tokenizer="sentencepiece", vocabulary_size=8000, batch_tokens=arguments.batch_tokens
    )
    for language, longest in itertools.product(LANGUAGES, arguments.lengths):
        lengths = {"max_source_length": longest, "max_target_length": longest}
        report(language, dataclasses.replace(base, **lengths), arguments.step)


if __name__ == "__main__":
    main()
