"""Text in, text out: tokenizers, a model and a decoding in one graph."""

import dataclasses
from pathlib import Path

import keras
import tensorflow as tf

from zoo import card
from zoo.models import Ensemble, load
from zoo.models.loading import folder_of
from zoo.saving import TOKENIZERS, digests, save_model
from zoo.settings import Decoding
from zoo.signatures import Signatures
from zoo.text import load_tokenizer


class Translator:
    """A model with its tokenizers and its decoding: the whole way from text to text.

    What it does with text are `signatures`, `tf.function`s by name; an export holds these very
    functions, so that what is served is what was computed here. They are attributes as well:
    `translator.translate(texts)`, `translator.score(texts, translations)`. Beside them, and not
    exported by default: `ids` gives the ids of texts and of their translations, and `compiled()` is
    a function like `translate`, compiled by XLA.

    Args:
        model: a built translator, `RecurrentTranslator` or `TransformerTranslator`, or an
            `Ensemble` of them.
        source, target: tokenizers of the two sides.
        decoding: how to decode.
        known: what else its card says: what made it, its data's licence; a JSON-able dict.

    Raises:
        ValueError: on another Keras backend than TensorFlow; for a decoding that the model or the
            tokenizers can't do.
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
        own = Signatures(model, source, target, self.decoding)
        self.signatures = own.functions()
        self.compiled = own.compiled
        self.ids = own.ids()
        self.translate = self.signatures["serving_default"]
        for name in set(self.signatures) - {"serving_default"}:
            setattr(self, name, self.signatures[name])

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

    def save(self, folder, precision="float32"):
        """Write model and tokenizers, and last the card, which holds the others' digests.

        Args:
            folder: where.
            precision: of the model's weights in its file: "float32" or "float16".
        """
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        self.source.save(folder, "source")
        self.target.save(folder, "target")
        save_model(folder, self.model, self.decoding, self.known, precision)

    @classmethod
    def load(cls, folder, ensemble=(), **decoding):
        """The translator that `save` wrote, with the decoding it was saved with but for `decoding`.

        Args:
            folder: of the trained model, or the name of one that ships.
            ensemble: folders of others, trained with the same tokenizers, to answer as one with it.
            **decoding: fields of `Decoding`.

        Raises:
            FileNotFoundError: where no trained model is.
            ValueError: for a folder that is damaged, or whose files are of several trainings; for
                an ensemble of several tokenizers.
        """
        folder = folder_of(folder)
        known = card.read(folder)
        model = load(folder)
        source, target = load_tokenizer(folder, "source"), load_tokenizer(folder, "target")
        if known.pop("files") != digests(folder):
            raise ValueError(
                f"{folder} holds files of several trainings; train the model again, or restore it"
            )
        try:
            saved = Decoding(**known.pop("decoding"))
        except TypeError as error:
            raise ValueError(f"{folder / card.NAME} is damaged: {error}") from error
        decoding = dataclasses.replace(saved, **decoding)
        for other in map(folder_of, ensemble):
            if digests(other, TOKENIZERS) != digests(folder, TOKENIZERS):
                raise ValueError(
                    f"{other} and {folder} have tokenizers of their own; an ensemble shares them"
                )
        if ensemble:
            model = Ensemble([model, *map(load, ensemble)])
        return cls(model, source, target, decoding, known)
