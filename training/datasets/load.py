"""Any dataset as (source strings, target strings), in the order of its files."""

import difflib
import hashlib
import importlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import tensorflow_datasets as tfds

from training.datasets.corpus import read_corpus
from training.datasets.splits import split_pairs


@dataclass(frozen=True)
class Pairs:
    """The pairs of one split: `targets[i]` is what a model should make of `sources[i]`."""

    name: str
    sources: list[str] = field(repr=False)
    targets: list[str] = field(repr=False)

    @cached_property
    def fingerprint(self) -> str:
        """16 hex digits that change with any pair or their order."""
        digest = hashlib.sha256()
        for source, target in zip(self.sources, self.targets, strict=True):
            digest.update(f"{source}\0{target}\0".encode())
        return digest.hexdigest()[:16]


def load_pairs(
    dataset: str, split: str, *, source: str, target: str, data_dir: str | None = None
) -> Pairs:
    """Loads two text features of a dataset; the arguments are those of `load_examples`."""
    examples = load_examples(dataset, split, features=(source, target), data_dir=data_dir)
    return Pairs(dataset, examples[source], examples[target])


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
        raise _unknown(split, splits, f"split of {name}")
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
        dataset: "dates", "tatoeba_fra_eng", or a TFDS name such as "wmt14_translate/de-en".
        split: "train", "validation" or "test".
        features: Names of text features; by default all of them.
        data_dir: Where prepared datasets are; by default TFDS's own folder.
    """
    builder = _builder(dataset, data_dir)
    known = builder.info.features.items()
    texts = [name for name, feature in known if isinstance(feature, tfds.features.Text)]
    for name in features or ():
        if name not in texts:
            raise _unknown(name, texts, f"text feature of {dataset}")
    builder.download_and_prepare()
    if split not in builder.info.splits:
        raise _unknown(split, builder.info.splits, f"split of {dataset}")
    return _read(builder, split, features or texts)


def _builder(dataset: str, data_dir: str | None) -> tfds.core.DatasetBuilder:
    """Finds the builder, ours or TFDS's, without a look at the network for an unknown name."""
    name = re.split("[/:]", dataset)[0]
    embedded = sorted(
        path.parent.name for path in Path(__file__).parent.glob("*/*_dataset_builder.py")
    )
    if name in embedded:  # Importing it registers it with TFDS.
        importlib.import_module(f"training.datasets.{name}.{name}_dataset_builder")
    elif name not in (others := tfds.list_builders(with_community_datasets=False)):
        kind = f"dataset of this package ({', '.join(embedded)}) or of TFDS"
        raise _unknown(name, {*embedded, *others}, kind)
    try:
        return tfds.builder(dataset, data_dir=data_dir)
    except (AssertionError, TypeError, ValueError) as error:
        configurations = [f"{name}/{config}" for config in tfds.builder_cls(name).builder_configs]
        kind = f"configuration or version of {name}"
        raise _unknown(dataset, configurations or [name], kind) from error


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


def _unknown(name: str, known: Iterable[str], kind: str) -> ValueError:
    """Makes the error for an unknown name, with those that there are, the closest first."""
    closest = difflib.get_close_matches(name, known, n=8, cutoff=0)
    return ValueError(f"{name!r} is no {kind}; there is: {', '.join(closest) or 'none'}")
