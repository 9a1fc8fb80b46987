"""What a model does with text, as functions that a SavedModel can hold."""

import contextlib
import functools
import threading

import keras
import tensorflow as tf

from zoo.decoding import forced_gains, sampled, search
from zoo.settings import LARGEST_PENALTY
from zoo.text import PAD, START, with_end, with_start_and_end


def _column(dtype, name):
    return tf.TensorSpec([None], dtype, name=name)


# The signature that XLA compiles, which a server offers where an export asks for it.
COMPILED = "translate_compiled"

_TEXT = _column(tf.string, "text")
_SETTINGS = (
    _column(tf.string, "prefix"),
    _column(tf.float32, "length_penalty"),
    _column(tf.int32, "min_length"),
    _column(tf.int32, "max_length"),
)
_CHANCE = (
    _column(tf.int32, "seed"),
    _column(tf.float32, "temperature"),
    _column(tf.int32, "top_k"),
    _column(tf.float32, "top_p"),
)


def as_they_are(variables):
    """A tensor for each Keras variable."""
    return tuple(tf.convert_to_tensor(variable.value) for variable in variables)


class Signatures:
    """Functions of batch-first tensors that each give a dict of them: text in, answers out.

    Every input is `(batch,)`, and so what a text gets depends on its own row alone. Scores are
    natural logarithms of probabilities.

    Args:
        model: `encode`, `start`, `step` and `embed`, as the zoo's translators have them.
        source, target: tokenizers of the two sides.
        decoding: how to decode.
        read: a function that gives a tensor for each of the model's variables, for those that are
            stored otherwise than they are computed with. A signature reads once, in front of the
            loop over the steps.

    Raises:
        ValueError: for a decoding that the model or the tokenizers can't do.
    """

    def __init__(self, model, source, target, decoding, read=None):
        self.model = model
        self.source = source
        self.target = target
        self.decoding = decoding
        self._check()
        # Built here and not while a signature is traced, whose graph would own their constants.
        self._encode, self._step, self._embed = model.encode, model.step, model.embed
        self._read_variables = read or functools.partial(as_they_are, model.variables)
        self._tracing = threading.local()
        # What several signatures do is traced once: an export then holds it once, and loads in a
        # fraction of the time.
        for part in ("_source", "_begin", "_one_step", "_best", "_read"):
            setattr(self, part, self._traced_once(getattr(self, part)))

    def functions(self):
        """The signatures by name, as `tf.function`s."""
        signatures = {
            "serving_default": (self.translate,),
            "translate_n_best": (self.translate_n_best,),
            "translate_with_alignment": (self.translate_with_alignment,),
            "translate_with_settings": (self.translate_with_settings, *_SETTINGS),
            "sample": (self.sample, *_CHANCE),
            "score": (self.score, _column(tf.string, "target")),
            "encode": (self.encode,),
        }
        return {name: self._function(method, *more) for name, (method, *more) in signatures.items()}

    def compiled(self):
        """`serving_default` with its arithmetic compiled by XLA, for servers that allow that.

        It is compiled at the first request of each shape: batches as they come, texts padded to a
        power of two tokens, or the longest that they may be.
        """
        step_in_room = self.model.step_in_room

        def decode(source):
            encoded = self._encode(source)
            state = self.model.start(encoded, self.decoding.max_target_length)

            def step(tokens, given):
                return step_in_room((tokens, given))

            return search(self.decoding, step, encoded, state, source != PAD, whole=True)

        def translate(text):
            source = _to_power_of_two(self._source(text), self.decoding.max_source_length)
            best = tf.function(decode, jit_compile=True, autograph=False)(source)
            return {"text": self._read(text, best)[:, 0], "score": best.log_probabilities[:, 0]}

        return self._function(translate)

    def ids(self):
        """Source ids, and the best translation's, START in front: what a model is forced with."""

        def ids(text):
            source = self._source(text)
            best = self._best(source).tokens[:, 0]
            return source, tf.pad(best, [[0, 0], [1, 0]], constant_values=START)

        return self._function(ids)

    def _function(self, method, *more):
        @functools.wraps(method)
        def traced(*inputs):
            with self._computing_with(self._read_variables()):
                return method(*inputs)

        return tf.function(traced, autograph=False, input_signature=[_TEXT, *more])

    def _traced_once(self, part):
        @functools.partial(tf.function, autograph=False, reduce_retracing=True)
        def traced(values, *inputs):
            with self._computing_with(values):
                return part(*inputs)

        return lambda *inputs: traced(self._tracing.values, *inputs)

    @contextlib.contextmanager
    def _computing_with(self, values):
        """Has the model's variables be these tensors of the graph that is being traced."""
        outer, self._tracing.values = getattr(self._tracing, "values", None), values
        try:
            with keras.StatelessScope(list(zip(self.model.variables, values, strict=True))):
                yield
        finally:
            self._tracing.values = outer

    def _check(self):
        longest, asked = self.model.longest_source, self.decoding.max_source_length
        if longest is not None and asked > longest:
            raise ValueError(
                f"`max_source_length` {asked} is more than the {longest} tokens that the model's "
                f"location score looks at; set it to {longest} or less"
            )
        if self.decoding.coverage_penalty and not self.model.has_attention:
            raise ValueError("`coverage_penalty` needs a model with attention; set it to 0")
        if self.decoding.replace_unknown and not (
            self.model.has_attention and self.source.kind == self.target.kind == "words"
        ):
            raise ValueError(
                "`replace_unknown` needs a model with attention and word tokenizers; got "
                f"{self.source.kind} and {self.target.kind}"
                + ("" if self.model.has_attention else ", and no attention")
            )

    def translate(self, text):
        """The best translation: `text` and `score`, `(batch,)` each."""
        best = self._best(self._source(text))
        return {"text": self._read(text, best)[:, 0], "score": best.log_probabilities[:, 0]}

    def translate_n_best(self, text):
        """`text`, `score` (what they are ordered by) and `log_probability`, `(batch, n)` each.

        Where a source has fewer strings than n, the text is empty and its score -1e30.
        """
        return self._all(text, self._decode(self._source(text), n_best=self.decoding.count))

    def translate_with_settings(self, text, prefix, length_penalty, min_length, max_length):
        """N-best translation, with settings for each text.

        `prefix` is what the translation starts with, "" for nothing, in which a piece that the
        target's vocabulary lacks is UNKNOWN; a length of 0 leaves it to the decoding. A length
        penalty below 0, or that is no number, is 0, and one above `LARGEST_PENALTY` that.
        """
        penalty = tf.where(length_penalty > 0, tf.minimum(length_penalty, LARGEST_PENALTY), 0.0)
        best = self._decode(
            self._source(text),
            n_best=self.decoding.count,
            prefix=self.target.encode(prefix).to_tensor(),
            length_penalty=penalty,
            min_length=min_length,
            max_length=max_length,
        )
        return self._all(text, best)

    def sample(self, text, seed, temperature, top_k, top_p):
        """A translation drawn by chance: `text` and `score`; see `zoo.decoding.sample`."""
        drawn = self._decode(
            self._source(text),
            sampled,
            seed=seed,
            temperature=temperature,
            top_k=top_k,
            top_p=top_p,
        )
        return {"text": self._read(text, drawn)[:, 0], "score": drawn.log_probabilities[:, 0]}

    def translate_with_alignment(self, text):
        """The best translation, the tokens and lengths of both sides, and what looked at what.

        `alignment` is `(batch, target length, source length)`, of width 0 without attention.
        """
        source = self._source(text)
        best = self._best(source)
        return {
            "text": self._read(text, best)[:, 0],
            "score": best.log_probabilities[:, 0],
            "source_tokens": self.source.tokens(source),
            "source_length": _length(source),
            "target_tokens": self.target.tokens(best.tokens[:, 0]),
            "target_length": best.lengths[:, 0],
            "alignment": best.alignment[:, 0],
        }

    def score(self, text, target):
        """What the model says of given translations, as it would of its own.

        `score (batch,)`, and for each token of `target_tokens` its part of it, `token_scores`.
        """
        longest = self.decoding.max_target_length + 1
        tokens = _padded(with_start_and_end(self.target.encode(target), longest), 2)
        logits = self.model((self._source(text), tokens[:, :-1]))
        gains = forced_gains(logits, tokens[:, 1:])
        return {
            "score": tf.reduce_sum(gains, axis=1),
            "token_scores": gains,
            "target_tokens": self.target.tokens(tokens[:, 1:]),
            "target_length": _length(tokens[:, 1:]),
        }

    def encode(self, text):
        """`vector (batch, dim)`: the mean of the encoder's outputs over each text's tokens."""
        return {"vector": self._embed(self._source(text))}

    def _source(self, text):
        """Source ids, `(batch, length)`."""
        return _padded(with_end(self.source.encode(text), self.decoding.max_source_length), 1)

    def _decode(self, source, how=search, **asked):
        """Source ids `(batch, length)` -> `Hypotheses`."""
        encoded, state = self._begin(source)
        return how(self.decoding, self._one_step, encoded, state, source != PAD, **asked)

    def _best(self, source):
        return self._decode(source)

    def _begin(self, source):
        encoded = self._encode(source)
        return encoded, self.model.start(encoded)

    def _one_step(self, tokens, given):
        return self._step((tokens, given))

    def _all(self, text, best):
        return {
            "text": self._read(text, best),
            "score": best.scores,
            "log_probability": best.log_probabilities,
        }

    def _read(self, text, hypotheses):
        """The texts of hypotheses, `(batch, n)`."""
        if not self.decoding.replace_unknown:
            return self.target.decode(hypotheses.tokens)
        words = self.source.pieces(text)[:, : self.decoding.max_source_length - 1]
        words = words.to_tensor(shape=tf.shape(hypotheses.alignment)[::3])  # END reads ""
        weights = tf.where((words != "")[:, None, None], hypotheses.alignment, -1.0)
        read = tf.gather(words, tf.argmax(weights, axis=-1), batch_dims=1)  # (batch, n, length)
        return self.target.decode_reading(hypotheses.tokens, read)


def _padded(ids, least):
    """Ragged ids as `(batch, length)`, so wide at the least, which an empty batch would not be."""
    width = tf.maximum(tf.reduce_max(ids.row_lengths()), least)
    return ids.to_tensor(shape=tf.stack([ids.nrows(), width]))


def _to_power_of_two(ids, longest):
    """Ids `(batch, length)`, padded to a length of 8, 16, 32, ..., or the longest."""
    length = tf.shape(ids)[1]
    lengths = tf.constant([*(2**n for n in range(3, 31) if 2**n < longest), longest])
    return tf.pad(ids, [[0, 0], [0, tf.reduce_min(lengths[lengths >= length]) - length]])


def _length(ids):
    return tf.reduce_sum(tf.cast(ids != PAD, tf.int32), axis=1)
