"""What is minimised, and what is shown beside it."""

import keras
from keras import ops


def crossentropy(labels, logits, smoothing):
    """The smoothed cross-entropy of each token, `(batch, length)`: see `TokenCrossentropy`."""
    logits = ops.cast(logits, "float32")
    loss = keras.losses.sparse_categorical_crossentropy(labels, logits, from_logits=True)
    if smoothing:
        ids = ops.expand_dims(ops.cast(labels, "int32"), -1)  # Keras's `Loss` made them floats
        own = ops.take_along_axis(logits, ids, axis=-1)[..., 0]
        even = loss + own - ops.mean(logits, axis=-1)
        loss = (1 - smoothing) * loss + smoothing * even
    return loss


def divergence(labels, logits, others):
    """Of two predictions, mean over the tokens: `(KL(p || q) + KL(q || p)) / 2`, symmetric."""
    log_p, log_q = (ops.log_softmax(ops.cast(x, "float32"), axis=-1) for x in (logits, others))
    both = ops.sum((ops.exp(log_p) - ops.exp(log_q)) * (log_p - log_q), axis=-1) / 2
    tokens = ops.cast(ops.not_equal(labels, 0), both.dtype)
    return ops.sum(both * tokens) / ops.maximum(ops.sum(tokens), 1.0)


@keras.saving.register_keras_serializable("zoo")
class TokenCrossentropy(keras.losses.Loss):
    """Cross-entropy of the next token, label-smoothed, mean over the tokens that are no padding.

        loss = (1 - e) * nll + e * mean_v(-log p_v),   mean_v(-log p_v) = nll + z_y - mean_v(z_v)

    Written on the sparse labels, the second form costs no one-hot tensor of the vocabulary's size.

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
        right = ops.equal(ops.cast(ops.argmax(y_pred, axis=-1), y_true.dtype), y_true)
        return super().update_state(right, sample_weight=ops.not_equal(y_true, 0))


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
        return super().update_state(loss, sample_weight=ops.not_equal(y_true, 0))

    def get_config(self):
        return {**super().get_config(), "label_smoothing": self.label_smoothing}


@keras.saving.register_keras_serializable("zoo")
class Perplexity(TokenLoss):
    """`exp` of the mean cross-entropy of a token, without smoothing."""

    def __init__(self, name="perplexity", **kwargs):
        super().__init__(**{**kwargs, "label_smoothing": 0.0, "name": name})

    def result(self):
        return ops.exp(super().result())
