"""Text in, text out: tokenizers, a model and a decoding in one graph."""

import dataclasses
import hashlib
from pathlib import Path

import keras
import tensorflow as tf

from zoo import card
from zoo.decoding import beam_search, greedy
from zoo.models import load
from zoo.replacing import replacing
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
        for name, (least, most, kind) in RANGES.items():
            value = getattr(self, name)
            if not isinstance(value, kind) or not least <= value <= most:
                raise ValueError(f"`{name}` must be a number from {least} to {most}; got {value!r}")


RANGES = {
    "beam_size": (1, 1024, int),
    "length_penalty": (0, 100, (int, float)),
    "max_source_length": (1, 2**16, int),
    "max_target_length": (1, 2**16, int),
}


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
        if keras.backend.backend() != "tensorflow":
            raise ValueError(
                f"text is translated in TensorFlow's graph, but Keras runs on "
                f"{keras.backend.backend()}: set KERAS_BACKEND=tensorflow"
            )
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
        """Write model and tokenizers, and last the card, which holds the others' digests."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        self.source.save(folder, "source")
        self.target.save(folder, "target")
        with replacing(folder / "model.keras") as beside:
            self.model.save(beside, include_optimizer=False)
        decoding = dataclasses.asdict(self.decoding)
        card.write(folder, {**self.known, "decoding": decoding, "files": _digests(folder)})

    @classmethod
    def load(cls, folder, **decoding):
        """The translator that `save` wrote, with the decoding it was saved with but for `decoding`.

        Raises:
            FileNotFoundError: where no trained model is.
            ValueError: for a folder that is damaged, or whose files are of several trainings.
        """
        folder = Path(folder)
        known = card.read(folder)
        model = load(folder)
        source, target = load_tokenizer(folder, "source"), load_tokenizer(folder, "target")
        if known.pop("files") != _digests(folder):
            raise ValueError(
                f"{folder} holds files of several trainings; train the model again, or restore it"
            )
        try:
            decoding = Decoding(**{**known.pop("decoding"), **decoding})
        except TypeError as error:
            raise ValueError(f"{folder / card.NAME} is damaged: {error}") from error
        return cls(model, source, target, decoding, known)


def _digests(folder):
    """What the files that make up a model hold, as SHA-256."""
    names = ("model.keras", "source.json", "target.json")
    return {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in names}


def _padded(ids):
    """Dense ids, one column wide at the least, which an empty batch would not be."""
    width = tf.maximum(tf.reduce_max(ids.row_lengths()), 1)
    return ids.to_tensor(shape=tf.stack([ids.nrows(), width]))
