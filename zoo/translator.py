"""Text in, text out: tokenizers, a model and a decoding in one graph."""

import dataclasses
from pathlib import Path

import tensorflow as tf

from zoo import card
from zoo.decoding import beam_search, greedy
from zoo.models import load
from zoo.text import load_tokenizer, with_end

TEXT = tf.TensorSpec([None], tf.string, name="text")


@dataclasses.dataclass(frozen=True)
class Decoding:
    """How to decode.

    Attributes:
        beam_size: live hypotheses for each source; 1 for greedy.
        length_penalty: GNMT's alpha, 0 for none (Wu et al. 2016, eq. 14); needs a beam.
        max_source_length, max_target_length: in tokens, END counted. A longer source is cut.
    """

    beam_size: int = 4
    length_penalty: float = 0.6
    max_source_length: int = 128
    max_target_length: int = 128

    def __post_init__(self):
        for field, least in (
            ("beam_size", 1),
            ("length_penalty", 0),
            ("max_source_length", 1),
            ("max_target_length", 1),
        ):
            if getattr(self, field) < least:
                raise ValueError(f"`{field}` must be {least} or more, got {getattr(self, field)}.")


class Translator:
    """A model with its tokenizers and its decoding: the whole way from text to text.

    `translate` and `translate_with_alignment` are `tf.function`s of a string tensor `(batch,)`;
    an export holds these very functions, so that what is served is what was computed here.

    Args:
        model: a built translator, `RecurrentTranslator` or `TransformerTranslator`.
        source, target: tokenizers of the two sides.
        decoding: how to decode.
        known: what else its card says: what made it, its data's licence; a JSON-able dict.
    """

    def __init__(self, model, source, target, decoding=None, known=None):
        self.model = model
        self.source = source
        self.target = target
        self.decoding = decoding or Decoding()
        self.known = known or {}
        self.translate = tf.function(self._translate, input_signature=[TEXT])
        self.translate_with_alignment = tf.function(
            self._translate_with_alignment, input_signature=[TEXT]
        )

    def _decode(self, source):
        """Source ids `(batch, length)` -> `Hypotheses`."""
        encoded = self.model.encode(source)
        length = self.decoding.max_target_length
        state = self.model.start(encoded, length)

        def step(tokens, given):
            return self.model.step((tokens, given))

        if self.decoding.beam_size == 1:
            return greedy(step, encoded, state, length)
        beam, alpha = self.decoding.beam_size, self.decoding.length_penalty
        return beam_search(step, encoded, state, length, beam, alpha=alpha)

    def _source_ids(self, text):
        return with_end(self.source.encode(text), self.decoding.max_source_length)

    def _translate(self, text):
        best = self._decode(_padded(self._source_ids(text)))
        return {
            "text": self.target.decode(best.tokens[:, 0]),
            "score": best.log_probabilities[:, 0],
        }

    def _translate_with_alignment(self, text):
        source = self._source_ids(text)
        padded = _padded(source)
        best = self._decode(padded)
        return {
            "text": self.target.decode(best.tokens[:, 0]),
            "score": best.log_probabilities[:, 0],
            "source_tokens": self.source.tokens(padded),
            "source_length": tf.cast(source.row_lengths(), tf.int32),
            "target_tokens": self.target.tokens(best.tokens[:, 0]),
            "target_length": best.lengths[:, 0],
            "alignment": best.alignment[:, 0],
        }

    def translate_all(self, texts, batch_size=64):
        """The translations of many texts, in their order: a list of strings.

        Texts of like length share a batch, which is the same result in less time.
        """
        order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
        answers = [""] * len(texts)
        for begin in range(0, len(order), batch_size):
            rows = order[begin : begin + batch_size]
            outputs = self.translate(tf.constant([texts[i] for i in rows]))
            for i, text in zip(rows, outputs["text"].numpy(), strict=True):
                answers[i] = text.decode()
        return answers

    def save(self, folder):
        """Write model, tokenizers and card, each beside its place and renamed into it."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        self.source.save(folder, "source")
        self.target.save(folder, "target")
        card.write(folder, {**self.known, "decoding": dataclasses.asdict(self.decoding)})
        beside = folder / ".writing.model.keras"
        self.model.save(beside, include_optimizer=False)
        beside.rename(folder / "model.keras")

    @classmethod
    def load(cls, folder, **decoding):
        """The translator that `save` wrote, with the decoding it was saved with but for `decoding`.

        Raises:
            FileNotFoundError: where no trained model is.
        """
        folder = Path(folder)
        model = load(folder)
        known = card.read(folder)
        decoding = Decoding(**{**known.pop("decoding"), **decoding})
        source, target = load_tokenizer(folder, "source"), load_tokenizer(folder, "target")
        return cls(model, source, target, decoding, known)


def _padded(ids):
    """Dense ids, one column wide at the least, which an empty batch would not be."""
    width = tf.maximum(tf.reduce_max(ids.row_lengths()), 1)
    return ids.to_tensor(shape=tf.stack([ids.nrows(), width]))
