"""Any dataset as (source strings, target strings), in the order of its files."""

import dataclasses
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import tensorflow_datasets as tfds

from training.datasets.builders import find_builder, unknown_name
from training.datasets.corpus import read_corpus
from training.datasets.download import prepare
from training.datasets.splits import split_pairs


@dataclass(frozen=True)
class Pairs:
    """The pairs of one split: `targets[i]` is what a model should make of `sources[i]`.

    `licence` is the data's, where they state one. `spans[i]`, where they were asked for, says which
    characters of a source mean what: see `training.gold_spans`.
    """

    name: str
    sources: list[str] = field(repr=False)
    targets: list[str] = field(repr=False)
    licence: str = ""
    spans: list[str] = field(default_factory=list, repr=False)

    @cached_property
    def fingerprint(self) -> str:
        """16 hex digits that change with any pair or their order."""
        digest = hashlib.sha256()
        for source, target in zip(self.sources, self.targets, strict=True):
            digest.update(f"{source}\0{target}\0".encode())
        for spans in self.spans:
            digest.update(f"{spans}\0".encode())
        return digest.hexdigest()[:16]

    def only(self, rows: Sequence[int]) -> "Pairs":
        """These of the pairs, in this order."""
        columns = {name: getattr(self, name) for name in ("sources", "targets", "spans")}
        chosen = {name: [values[i] for i in rows] for name, values in columns.items() if values}
        return dataclasses.replace(self, **chosen)


def load_pairs(
    dataset: str,
    split: str,
    *,
    source: str,
    target: str,
    with_spans: bool = False,
    data_dir: str | None = None,
) -> Pairs:
    """Loads two text features of a dataset; the arguments are those of `load_examples`.

    With `with_spans`, also its feature `spans`.
    """
    builder = find_builder(dataset, data_dir)
    features = [source, target, *(["spans"] if with_spans else [])]
    examples = _examples(builder, split, features)
    licence = " ".join(builder.info.redistribution_info.license.split())
    spans = examples["spans"] if with_spans else []
    return Pairs(dataset, examples[source], examples[target], licence, spans)


def whole_corpus(paths: Sequence[Path]) -> Pairs:
    """Loads all of one's own files (see `read_corpus`)."""
    sources, targets = zip(*read_corpus(paths), strict=True)
    return Pairs(_name(paths), list(sources), list(targets))


def _name(paths: Sequence[Path]) -> str:
    return "+".join(Path(path).name for path in paths)


def load_corpus(paths: Sequence[Path], split: str) -> Pairs:
    """Loads one split of one's own files (see `read_corpus` and `split_of`)."""
    name = _name(paths)
    splits = split_pairs(read_corpus(paths))
    if split not in splits:
        raise unknown_name(split, splits, f"split of {name}")
    if not splits[split]:
        sizes = ", ".join(f"{len(pairs)} {split}" for split, pairs in splits.items())
        raise ValueError(
            f"{name}: no pair falls into the {split} split ({sizes}); it takes a larger corpus"
        )
    sources, targets = zip(*splits[split], strict=True)
    return Pairs(name, list(sources), list(targets))


def load_examples(
    dataset: str,
    split: str,
    *,
    features: Sequence[str] | None = None,
    data_dir: str | None = None,
) -> dict[str, list[str]]:
    """Loads text features as one list of strings each, and prepares the dataset if need be.

    Args:
        dataset, data_dir: A name such as "dates" or "wmt14_translate/de-en", or a folder; see
            `find_builder`.
        split: "train", "validation", "test", or what else the dataset has.
        features: Names of text features; by default all of them.
    """
    return _examples(find_builder(dataset, data_dir), split, features)


def _examples(
    builder: tfds.core.DatasetBuilder, split: str, features: Sequence[str] | None
) -> dict[str, list[str]]:
    known = builder.info.features.items()
    texts = [name for name, feature in known if isinstance(feature, tfds.features.Text)]
    for name in features or ():
        if name not in texts:
            raise unknown_name(name, texts, f"text feature of {builder.name}")
    prepare(builder)
    if split not in builder.info.splits:
        raise unknown_name(split, builder.info.splits, f"split of {builder.name}")
    return _read(builder, split, features or texts)


def _read(
    builder: tfds.core.DatasetBuilder, split: str, features: Sequence[str]
) -> dict[str, list[str]]:
    """Reads the examples in their order, in batches: one at a time takes many times as long."""
    in_order = tfds.ReadConfig(interleave_cycle_length=1)
    examples = builder.as_dataset(split=split, shuffle_files=False, read_config=in_order)
    columns = {name: [] for name in features}
    for batch in tfds.as_numpy(examples.batch(1024)):
        for name, column in columns.items():
            column.extend(text.decode("utf-8") for text in batch[name])
    return columns
