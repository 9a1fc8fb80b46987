"""From pairs of strings to `Prepared` ones, once for all runs on the same data and tokenizers."""

import shutil
from functools import cached_property
from pathlib import Path

import tensorflow as tf

from training.gold_spans import check_characters, gold_alignments
from training.prepared import NAME, SIDES, Prepared, fingerprint, settings
from training.token_pairs import Sequences, TokenPairs
from training.vocabularies import train_tokenizers
from zoo.text import load_tokenizer, with_end, with_start_and_end

FORMAT = 3  # of the files; another one is prepared anew
CHUNK = 2**16  # pairs that are tokenised at a time


class Preparation:
    """A recipe's data on its way to ids; nothing is done twice that is kept in the folder.

    Args:
        recipe: a `Recipe`.
        pairs: the `Pairs` of "train" and of "validation".
        folder: of the prepared data.

    Raises:
        ValueError: for a folder that holds anything else, or is damaged.
    """

    def __init__(self, recipe, pairs, folder):
        self.recipe = recipe
        self.pairs = pairs
        self.folder = Path(folder)
        self.made_by = what_makes(recipe, pairs)
        self._kept = self._read()

    @classmethod
    def below(cls, folder, recipe, pairs):
        """In a folder of its own below this one, named by its fingerprint; made anew if damaged."""
        own = Path(folder) / fingerprint(what_makes(recipe, pairs))
        try:
            return cls(recipe, pairs, own)
        except ValueError as error:
            print(f"Preparing the data again: {error}.")
            shutil.rmtree(own)
            return cls(recipe, pairs, own)

    @cached_property
    def tokenizers(self):
        """Of source and target: those kept, or newly trained ones."""
        if self._kept:
            return tuple(load_tokenizer(self.folder, side) for side in SIDES)
        return train_tokenizers(self.recipe, self.pairs["train"])

    def finish(self):
        """The `Prepared` data: those kept, or newly tokenised ones, which are kept from now on."""
        if not self._kept:
            try:
                self._write()
            except OSError:
                if not (self.folder / NAME).is_file():  # or else another process came first
                    raise
            self._kept = Prepared.read(self.folder)
        return self._kept

    def _write(self):
        pairs = self.pairs["train"]
        Prepared.write(
            self.folder,
            self.made_by,
            self._tokenised(),
            self.tokenizers,
            data=pairs.name,
            licence=self.recipe.licence or pairs.licence,
        )

    def _read(self):
        if not self.folder.exists() or (self.folder.is_dir() and not any(self.folder.iterdir())):
            return None
        if not (self.folder / NAME).is_file():
            raise ValueError(f"{self.folder} holds something else; name another or a new folder")
        kept = Prepared.read(self.folder)
        if differences := kept.differences(self.made_by):
            raise ValueError(
                f"{self.folder} holds data prepared otherwise ({'; '.join(differences)}); "
                "name another or a new folder"
            )
        return kept

    def _tokenised(self):
        train, validation = (
            tokenise(self.pairs[split], self.tokenizers, self.recipe, longer)
            for split, longer in (("train", self.recipe.longer), ("validation", "cut"))
        )
        if not len(train):
            raise ValueError(
                f"no pair is left to train on: {train.told('training')} Raise "
                "--max-source-length and --max-target-length, or give --longer cut"
            )
        return {"train": train, "validation": validation}


def what_makes(recipe, pairs):
    """All that the ids depend on, JSON-able."""
    return {"format": FORMAT, **{s: pairs[s].fingerprint for s in pairs}, **settings(recipe)}


def tokenise(pairs, tokenizers, recipe, longer):
    """The pairs' ids, none longer than the recipe's lengths, END counted.

    Args:
        pairs: `Pairs`.
        tokenizers: of source and target.
        recipe: a `Recipe`, whose lengths count.
        longer: what becomes of pairs that are longer on either side, "drop" or "cut".

    Returns:
        `TokenPairs`.
    """
    most = recipe.max_source_length, recipe.max_target_length
    sources, targets, rows, over_source, over_target = [], [], [], 0, 0
    for begin in range(0, len(pairs.sources), CHUNK):
        source, target = (
            tokenizer.encode(texts[begin : begin + CHUNK])
            for tokenizer, texts in zip(tokenizers, (pairs.sources, pairs.targets), strict=True)
        )
        # END will take one more.
        long_source, long_target = source.row_lengths() >= most[0], target.row_lengths() >= most[1]
        over_source += int(tf.math.count_nonzero(long_source))
        over_target += int(tf.math.count_nonzero(long_target & ~long_source))
        if pairs.spans:
            check_characters(pairs.sources[begin : begin + CHUNK], source.row_lengths().numpy())
        kept = ~(long_source | long_target) if longer == "drop" else tf.ones_like(long_source)
        source, target = (tf.ragged.boolean_mask(side, kept) for side in (source, target))
        rows += (begin + tf.where(kept)[:, 0]).numpy().tolist()
        sources.append(with_end(source, most[0]))
        targets.append(with_start_and_end(target, most[1] + 1))
    source, target = _joined(sources), _joined(targets)
    gold = gold_alignments(pairs.only(rows), target.lengths - 1) if pairs.spans else None
    if longer == "cut":
        return TokenPairs(source, target, cut=over_source + over_target, gold=gold)
    dropped = {
        f"source longer than {most[0]} tokens": over_source,
        f"target longer than {most[1]} tokens": over_target,
    }
    return TokenPairs(source, target, dropped, gold=gold)


def _joined(parts):
    whole = tf.concat(parts, axis=0)
    return Sequences(whole.flat_values.numpy(), whole.row_splits.numpy())
