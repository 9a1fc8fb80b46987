"""Tokenizers whose pieces are looked up in a table, on core TensorFlow ops alone."""

import json
from collections import Counter
from collections.abc import Iterable
from itertools import islice

import tensorflow as tf

from zoo.text.normalization import normalize
from zoo.text.tokenizer import Tokenizer
from zoo.text.vocabulary import PAD, SPECIAL_PIECES, UNKNOWN


class TableTokenizer(Tokenizer):
    """Looks pieces up in a fixed vocabulary; a piece outside it becomes UNKNOWN.

    Subclasses say what a piece is: `_split` turns clean strings `[batch]` into ragged pieces
    `[batch, (length)]`, and `_join_pieces` turns them back.

    Args:
        vocabulary: the pieces by id, the special ones first.
        lower: whether text is lower-cased first.
    """

    suffix = ".txt"

    def __init__(self, vocabulary: list[str], lower: bool = False):
        super().__init__()
        self.vocabulary = list(vocabulary)
        self.lower = lower
        pieces, ids = tf.constant(self.vocabulary), tf.range(len(self.vocabulary))
        self._ids = _table(pieces, ids, default=UNKNOWN)
        self._pieces = _table(ids, pieces, default=SPECIAL_PIECES[UNKNOWN])

    @classmethod
    def train(cls, texts: Iterable[str], size: int, *, lower: bool = False):
        """Keeps the most frequent pieces of `texts`, at most `size` with the four special ones.

        Equally frequent pieces go by code point, so the same texts give the same vocabulary.
        """
        if size <= len(SPECIAL_PIECES):
            raise ValueError(
                f"a vocabulary of {size} pieces has no room for text: four are special; "
                "ask for 5 or more"
            )
        counts = cls._count(texts, lower)
        if not counts:
            raise ValueError(
                "no text to learn a vocabulary from: expected a line that is not blank"
            )
        # UTF-8 bytes sort as their code points do.
        ranked = sorted(counts, key=lambda piece: (-counts[piece], piece))
        kept = [piece.decode() for piece in ranked[: size - len(SPECIAL_PIECES)]]
        return cls([*SPECIAL_PIECES, *kept], lower)

    @classmethod
    def _count(cls, texts, lower):
        texts, counts = iter(texts), Counter()
        while batch := list(islice(texts, 4096)):
            pieces = cls._split(normalize(batch, lower)).flat_values
            unique, _, occurrences = tf.unique_with_counts(pieces)
            counts.update(dict(zip(unique.numpy(), occurrences.numpy().tolist(), strict=True)))
        return counts

    def encode(self, texts):
        """Turns strings `[batch]` into ragged int32 ids `[batch, (length)]`, without END."""
        pieces = self._split(normalize(texts, self.lower))
        return pieces.with_flat_values(self._ids.lookup(pieces.flat_values))

    def tokens(self, ids):
        """Names each id: int `[...]` -> pieces, strings `[...]`; PAD gives an empty one."""
        ids = tf.cast(ids, tf.int32)
        return tf.where(ids == PAD, "", self._pieces.lookup(ids))

    def config(self) -> dict:
        return super().config() | {"lower": self.lower}

    def _join(self, ids):
        return self._join_pieces(ids.with_flat_values(self._pieces.lookup(ids.flat_values)))

    def _to_bytes(self):
        """A piece a line, each a JSON string, so that blanks and controls can be seen."""
        return "".join(f"{json.dumps(p, ensure_ascii=False)}\n" for p in self.vocabulary).encode()

    @classmethod
    def from_bytes(cls, data, lower=False):
        return cls([json.loads(line) for line in data.decode().split("\n")[:-1]], lower)


def _table(keys, values, default):
    initializer = tf.lookup.KeyValueTensorInitializer(keys, values)
    return tf.lookup.StaticHashTable(initializer, default)
