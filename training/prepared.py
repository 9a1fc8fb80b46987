"""Prepared data on disk: what training reads, on machines without TensorFlow, too."""

import dataclasses
import hashlib
import json
import shutil
from pathlib import Path

import numpy as np

from training.token_pairs import Sequences, TokenPairs
from zoo.replacing import replacing

NAME = "prepared.json"
SPLITS = ("train", "validation")
SIDES = ("source", "target")
GOLD = "gold"

# What of a recipe the ids depend on.
FIELDS = (
    "dataset",
    "corpus",
    "source",
    "target",
    "max_length_ratio",
    "max_characters",
    "max_words",
    "drop_identical",
    "max_examples",
    "tokenizer",
    "vocabulary_size",
    "joint_vocabulary",
    "lower",
    "max_source_length",
    "max_target_length",
    "longer",
)


@dataclasses.dataclass(frozen=True)
class Prepared:
    """A folder of tokenised pairs, with the tokenizers that made them.

    `<split>.<side>.npy` holds a side's ids and `<split>.<side>.offsets.npy` where each row begins
    (see `Sequences`); gold alignments, where there are some, count as a side. `source.*` and
    `target.*` are the tokenizers' files. `prepared.json` says what made them all, and has their
    digests.

    Attributes:
        folder: where it is.
        made_by: the pairs' fingerprints and all settings that the ids depend on, JSON-able.
        about: what a model's card says of the data: `data`, their name, and `licence`; and
            `vocabulary_sizes`, of source and target.
        train, validation: `TokenPairs`, memory-mapped.
    """

    folder: Path
    made_by: dict
    about: dict
    train: TokenPairs
    validation: TokenPairs

    @classmethod
    def read(cls, folder):
        """The data that `write` wrote.

        Raises:
            FileNotFoundError: where there is none.
            ValueError: where it is damaged.
        """
        folder = Path(folder)
        if not (folder / NAME).is_file():
            raise FileNotFoundError(
                f"no {folder / NAME}: expected a folder that `attention-zoo prepare` wrote"
            )
        try:
            told = json.loads((folder / NAME).read_text(encoding="utf-8"))
            for name, digest in told["files"].items():
                if _digest(folder / name) != digest:
                    raise ValueError(f"{name} is another")
            splits = {split: _read_split(folder, split, told["splits"][split]) for split in SPLITS}
            return cls(folder, told["made_by"], told["about"], **splits)
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise ValueError(
                f"{folder} is damaged ({error}); remove it and prepare the data again"
            ) from error

    @staticmethod
    def write(folder, made_by, splits, tokenizers, *, data="", licence=""):
        """Write a folder, whole or not at all.

        Args:
            folder: where nothing is, or an empty folder.
            made_by: see above.
            splits: the `TokenPairs` of each split, by name.
            tokenizers: of the source and of the target.
            data, licence: what a model's card will say of them.

        Raises:
            OSError: where something is there by then.
        """
        folder = Path(folder)
        folder.parent.mkdir(parents=True, exist_ok=True)
        with replacing(folder) as beside:
            beside.mkdir()
            for side, tokenizer in zip(SIDES, tokenizers, strict=True):
                tokenizer.save(beside, side)
            for split, pairs in splits.items():
                for side in (*SIDES, GOLD) if pairs.gold is not None else SIDES:
                    rows = getattr(pairs, side)
                    np.save(beside / f"{split}.{side}.npy", rows.values)
                    np.save(beside / f"{split}.{side}.offsets.npy", rows.offsets)
            told = {
                "made_by": made_by,
                "about": {
                    "data": data,
                    "licence": licence,
                    "vocabulary_sizes": [tokenizer.vocabulary_size for tokenizer in tokenizers],
                },
                "splits": {
                    split: {"pairs": len(pairs), "dropped": pairs.dropped, "cut": pairs.cut}
                    for split, pairs in splits.items()
                },
                "files": {path.name: _digest(path) for path in sorted(beside.iterdir())},
            }
            text = json.dumps(told, indent=2, ensure_ascii=False)
            (beside / NAME).write_text(text + "\n", encoding="utf-8")

    def check(self, recipe):
        """Refuse a recipe whose ids would be others.

        Raises:
            ValueError: naming what differs.
        """
        if differences := self.differences(settings(recipe)):
            raise ValueError(
                f"{self.folder} was prepared for another recipe ({'; '.join(differences)}); "
                "give the same flags as then, or prepare the data again"
            )

    def differences(self, made_by):
        """Each of these settings that was another when the data were prepared, in words."""
        return [
            f"{name} was {self.made_by.get(name)!r}, is {value!r}"
            for name, value in made_by.items()
            if self.made_by.get(name) != value
        ]

    def copy_tokenizers(self, folder):
        """Put the tokenizers' files into a folder, which is made if it is not there."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        for side in SIDES:
            # The vocabulary first, as a tokenizer itself does.
            for path in sorted(self.folder.glob(f"{side}.*"), key=lambda p: p.suffix == ".json"):
                with replacing(folder / path.name) as beside:
                    shutil.copyfile(path, beside)


def settings(recipe):
    """What of a recipe the ids depend on, JSON-able."""
    return json.loads(json.dumps({name: getattr(recipe, name) for name in FIELDS}))


def fingerprint(made_by):
    """16 hex digits that change with whatever the ids depend on."""
    return hashlib.sha256(json.dumps(made_by, sort_keys=True).encode()).hexdigest()[:16]


def _read_split(folder, split, told):
    names = [*SIDES, GOLD] if (folder / f"{split}.{GOLD}.npy").is_file() else SIDES
    sides = {side: _read_rows(folder / f"{split}.{side}") for side in names}
    if {len(rows) for rows in sides.values()} != {told["pairs"]}:
        raise ValueError(f"{split} has not its {told['pairs']} pairs")
    return TokenPairs(**sides, dropped=told["dropped"], cut=told["cut"])


def _read_rows(path):
    names = (f"{path.name}.npy", f"{path.name}.offsets.npy")
    # As plain arrays, whose results are plain, too; they stay mapped.
    return Sequences(*(np.asarray(np.load(path.with_name(n), mmap_mode="r")) for n in names))


def _digest(path):
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
