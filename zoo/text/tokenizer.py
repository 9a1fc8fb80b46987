"""What all tokenizers share: from ids back to text, and to disk."""

import hashlib
import json
from pathlib import Path

import tensorflow as tf

from zoo.replacing import replacing
from zoo.text.vocabulary import without_specials


class Tokenizer(tf.Module):
    """Turns text into ids and back with TensorFlow ops alone.

    A tokenizer is a `tf.Module` that owns its lookup resources: to export it, make it an attribute
    of the exported module. Methods work eagerly and inside a `tf.function` without AutoGraph:
    where a tensor decides, it is by `tf.cond` and the like.

    Subclasses set `kind` and `suffix`, fill `vocabulary` (the pieces by id), and give `encode`,
    `tokens`, `_join` (ragged ids `[rows, (length)]` to strings `[rows]`), `_to_bytes` and
    `from_bytes`.
    """

    kind: str
    suffix: str

    @property
    def vocabulary_size(self) -> int:
        return len(self.vocabulary)

    def decode(self, ids):
        """Turns int `[..., length]` into strings `[...]`, each row read up to its first END."""
        ids = tf.cast(ids, tf.int32)
        leading = tf.shape(ids)[:-1]
        rows = tf.reshape(ids, [tf.reduce_prod(leading), tf.shape(ids)[-1]])
        texts = tf.reshape(self._join(without_specials(rows)), leading)
        texts.set_shape(ids.shape[:-1])
        return texts

    def config(self) -> dict:
        """What `from_bytes` needs beside the vocabulary, and the kind."""
        return {"kind": self.kind}

    def save(self, folder, name: str) -> None:
        """Writes `<name>.json`, the options, and the vocabulary beside it.

        The options hold the vocabulary's digest: a pair torn by a kill or an edit does not load.
        """
        folder, data = Path(folder), self._to_bytes()
        folder.mkdir(parents=True, exist_ok=True)
        options = self.config() | {"sha256": hashlib.sha256(data).hexdigest()}
        with replacing(folder / f"{name}{self.suffix}") as beside:
            beside.write_bytes(data)
        with replacing(folder / f"{name}.json") as beside:
            beside.write_text(json.dumps(options, indent=2) + "\n", encoding="utf-8")
