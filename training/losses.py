"""What is minimised, and what is shown beside it."""

import keras
from keras import ops


def crossentropy(labels, logits, smoothing):
    """The smoothed cross-entropy of each token, `(batch, length)`: see `TokenCrossentropy`."""
    labels = ops.cast(labels, "int32")  # a `Loss` makes floats of them
    logits = ops.cast(logits, "float32")
    if not smoothing:
        return keras.losses.sparse_categorical_crossentropy(labels, logits, from_logits=True)
    vocabulary = logits.shape[-1]
    smoothed = (1 - smoothing) * ops.one_hot(labels, vocabulary) + smoothing / vocabulary
    return keras.losses.categorical_crossentropy(smoothed, logits, from_logits=True)


def divergence(labels, logits, others):
    """Of two predictions, mean over the tokens: `(KL(p || q) + KL(q || p)) / 2`, symmetric."""
    log_p, log_q = (ops.log_softmax(ops.cast(x, "float32"), axis=-1) for x in (logits, others))
    both = ops.sum((ops.exp(log_p) - ops.exp(log_q)) * (log_p - log_q), axis=-1) / 2
    tokens = ops.cast(ops.not_equal(labels, 0), both.dtype)
    return ops.sum(both * tokens) / ops.maximum(ops.sum(tokens), 1.0)


def alignment_crossentropy(gold, attention):
    """Of gold alignments and an attention's weights, mean over the tokens that have a gold one.

        -sum_s A_ts log a_ts,   A_ts = 1 / (end_t - begin_t) for begin_t <= s < end_t, else 0

    Args:
        gold: int `(batch, 2 * target length)`, `begin_t` and `end_t` in turn.
        attention: `a`, `(batch, target length, source length)`.

    Reference:
        Chen et al. 2016, "Guided Alignment Training for Topic-Aware Neural Machine Translation".
    """
    weights = ops.maximum(ops.cast(attention, "float32"), keras.config.epsilon())
    begin, end = (ops.expand_dims(gold[:, first::2], -1) for first in (0, 1))
    places = ops.arange(ops.shape(weights)[-1], dtype=gold.dtype)
    inside = ops.cast(ops.logical_and(begin <= places, places < end), "float32")
    long = ops.sum(inside, axis=-1)
    each = -ops.sum(inside * ops.log(weights), axis=-1) / ops.maximum(long, 1.0)
    return ops.sum(each) / ops.maximum(ops.sum(ops.cast(long > 0, "float32")), 1.0)


@keras.saving.register_keras_serializable("zoo")
class TokenCrossentropy(keras.losses.Loss):
    """Cross-entropy of the next token, label-smoothed, mean over the tokens that are no padding.

        loss = (1 - e) * nll + e * mean_v(-log p_v) = -sum_v q_v log p_v
        q_v = (1 - e) [v = y] + e / V

    It is computed on `q`: the gradient of the first form, which picks the label's own logit, takes
    longer on TensorFlow than making `q`.

    Args:
        label_smoothing: `e`.

    Call arguments:
        y_true: int `(batch, length)`, 0 where there is padding.
        y_pred: logits `(batch, length, vocabulary)`.

    Reference:
        Szegedy et al. 2016, "Rethinking the Inception Architecture", section 7.
    """

    def __init__(self, label_smoothing=0.0, name="token_crossentropy", **kwargs):
        super().__init__(name=name, **kwargs)
        self.label_smoothing = label_smoothing

    def call(self, y_true, y_pred):
        loss = crossentropy(y_true, y_pred, self.label_smoothing)
        tokens = ops.cast(ops.not_equal(y_true, 0), loss.dtype)
        return ops.sum(loss * tokens) / ops.maximum(ops.sum(tokens), 1.0)

    def get_config(self):
        return {**super().get_config(), "label_smoothing": self.label_smoothing}


@keras.saving.register_keras_serializable("zoo")
class TokenAccuracy(keras.metrics.Mean):
    """The share of tokens, padding aside, whose logit is the largest."""

    def __init__(self, name="accuracy", **kwargs):
        super().__init__(name=name, **kwargs)

    def update_state(self, y_true, y_pred, sample_weight=None):
        # On TensorFlow Keras's `argmax` looks at all logits several times, to tell 0 from -0.
        best = ops.top_k(y_pred, k=1)[1][..., 0]
        right = ops.equal(ops.cast(best, y_true.dtype), y_true)
        return super().update_state(*each_token(right, y_true))


def each_token(values, labels):
    """Values and their weights, 0 at padding, in a row: of a table Keras's `Mean` averages rows."""
    return ops.reshape(values, (-1,)), ops.reshape(ops.not_equal(labels, 0), (-1,))


@keras.saving.register_keras_serializable("zoo")
class TokenLoss(keras.metrics.Mean):
    """The loss over all tokens that are no padding, each token alike, however they are batched.

    Args:
        label_smoothing: of the loss.
    """

    def __init__(self, label_smoothing=0.0, name="token_loss", **kwargs):
        super().__init__(name=name, **kwargs)
        self.label_smoothing = label_smoothing

    def update_state(self, y_true, y_pred, sample_weight=None):
        loss = crossentropy(y_true, y_pred, self.label_smoothing)
        return super().update_state(*each_token(loss, y_true))

    def get_config(self):
        return {**super().get_config(), "label_smoothing": self.label_smoothing}


@keras.saving.register_keras_serializable("zoo")
class Perplexity(TokenLoss):
    """`exp` of the mean cross-entropy of a token, without smoothing."""

    def __init__(self, name="perplexity", **kwargs):
        super().__init__(**{**kwargs, "label_smoothing": 0.0, "name": name})

    def result(self):
        return ops.exp(super().result())
