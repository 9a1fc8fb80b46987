import hashlib
import importlib
import io
import re
from collections.abc import Iterable

import tensorflow as tf

from zoo.text.tokenizer import Tokenizer
from zoo.text.vocabulary import END, PAD, START, UNKNOWN


class SentencePieceTokenizer(Tokenizer):
    """Sub-word pieces learned from data, of any script, with bytes for what is unseen.

    Training needs the package sentencepiece and running needs tensorflow-text: the `text` extra.
    TensorFlow Serving has tensorflow-text's ops built in. The model holds its own normalisation:
    NFKC, whitespace folded and, on request, case. Invalid UTF-8 is spelled as U+FFFD. The id
    UNKNOWN, which text never gets, reads ` ⁇ `.

    Args:
        model: a serialised SentencePiece model whose special pieces have this project's ids.

    Reference:
        Kudo and Richardson 2018, https://arxiv.org/abs/1808.06226
    """

    kind = "sentencepiece"
    suffix = ".model"

    def __init__(self, model: bytes):
        super().__init__()
        self._model = model
        # Not the Fast variant, which segments BPE models differently without an error.
        self._sentencepiece = _needs_extra("tensorflow_text").SentencepieceTokenizer(
            model, out_type=tf.int32
        )
        self._sentencepiece._model_resource = _Loaded(model)  # in place of its own, see there
        pieces = self._sentencepiece.id_to_string(tf.range(self._sentencepiece.vocab_size()))
        self.vocabulary = [piece.decode() for piece in pieces.numpy()]

    @classmethod
    def train(
        cls,
        texts: Iterable[str],
        size: int,
        *,
        lower: bool = False,
        model_type: str = "bpe",
        character_coverage: float = 1.0,
    ):
        """Learns exactly `size` pieces, of which 4 are special and 256 are the bytes.

        Args:
            texts: the training lines.
            size: the size of the vocabulary.
            lower: whether the model folds case.
            model_type: `bpe` or `unigram`.
            character_coverage: the share of character occurrences that get a piece of their own;
                the others are spelled in bytes.

        Raises:
            ValueError: for a size that the texts do not allow, with one that they do.
        """
        texts, model = [text for text in texts if text.strip()], io.BytesIO()
        if not texts:
            raise ValueError(
                "no text to learn a vocabulary from: expected a line that is not blank"
            )
        try:
            _needs_extra("sentencepiece").SentencePieceTrainer.train(
                sentence_iterator=iter(texts),
                model_writer=model,
                model_type=model_type,
                vocab_size=size,
                character_coverage=character_coverage,
                normalization_rule_name="nmt_nfkc_cf" if lower else "nmt_nfkc",
                byte_fallback=True,
                pad_id=PAD,
                unk_id=UNKNOWN,
                bos_id=START,
                eos_id=END,
                max_sentence_length=2**30,  # The default silently leaves out long lines.
                minloglevel=2,
            )
        except RuntimeError as error:
            raise ValueError(_why_not(size, str(error))) from error
        return cls(model.getvalue())

    def encode(self, texts):
        """Turns strings `[batch]` into ragged int32 ids `[batch, (length)]`, without END."""
        return self._sentencepiece.tokenize(tf.convert_to_tensor(texts, tf.string))

    def tokens(self, ids):
        """Names each id: int `[...]` -> pieces, strings `[...]`; PAD gives an empty one."""
        ids = self._known(tf.cast(ids, tf.int32))
        return tf.where(ids == PAD, "", self._sentencepiece.id_to_string(ids))

    def _join(self, ids):
        return self._sentencepiece.detokenize(ids.with_flat_values(self._known(ids.flat_values)))

    def _known(self, ids):
        """Makes ids outside the vocabulary UNKNOWN: the ops fail on them, or crash the process."""
        return tf.where((ids >= 0) & (ids < self.vocabulary_size), ids, UNKNOWN)

    def _to_bytes(self):
        return self._model

    @classmethod
    def from_bytes(cls, data):
        return cls(data)


class _Loaded(tf.saved_model.experimental.TrackableResource):
    """A model in memory, for as long as the process lives; equal ones are one.

    tensorflow-text's own belongs to the kernel that made it, and both are gone after
    `tf.random.set_seed`, which drops the kernels that TensorFlow keeps.
    """

    def __init__(self, model):
        super().__init__()
        self._model = model

    def _create_resource(self):
        ops = _needs_extra("tensorflow_text.python.ops.sentencepiece_tokenizer")
        return ops.gen_sentencepiece_tokenizer.sentencepiece_op(
            model=self._model, shared_name=hashlib.sha256(self._model).hexdigest()
        )


def _why_not(size, error):
    """One line from SentencePiece's error."""
    reason = error.rpartition("] ")[2]
    if most := re.search(r"too high .* <= (\d+)", reason):
        reason = f"these texts allow {most[1]} at most; lower `vocabulary_size`"
    elif least := re.search(r"smaller than required_chars\. \d+ vs (\d+)", reason):
        reason = f"bytes and characters alone take {least[1]}; raise `vocabulary_size`"
    return f"no SentencePiece vocabulary of {size} pieces: {reason}"


def _needs_extra(module):
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise ImportError(
            f"SentencePieceTokenizer needs {module}: pip install attention-zoo[text]"
        ) from error
