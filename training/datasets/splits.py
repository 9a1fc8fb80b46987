"""The split of a corpus that has none of its own."""

import hashlib
from collections.abc import Iterable, Sequence
from typing import Literal, TypeVar

Split = Literal["train", "validation", "test"]
Pair = TypeVar("Pair", bound=Sequence[str])


def split_of(source: str) -> Split:
    """Gives the split of every pair with this source: 2% are test, 2% validation.

    One sentence often has several translations. A split by line would put some of them into
    training and others into the test; a hash of the source keeps them together, and keeps each
    in its split when the corpus grows or changes its order.
    """
    percentile = int(hashlib.sha256(source.encode("utf-8")).hexdigest(), 16) % 100
    if percentile < 2:
        return "test"
    return "validation" if percentile < 4 else "train"


def split_pairs(pairs: Iterable[Pair]) -> dict[Split, list[Pair]]:
    """Shares pairs, whose first item is the source, out to their splits, in their order."""
    splits = {"train": [], "validation": [], "test": []}
    for pair in pairs:
        splits[split_of(pair[0])].append(pair)
    return splits
