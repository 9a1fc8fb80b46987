"""What is minimised, and what is shown beside it."""

import keras
from keras import ops


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
        y_pred = ops.cast(y_pred, "float32")
        loss = keras.losses.sparse_categorical_crossentropy(y_true, y_pred, from_logits=True)
        if self.label_smoothing:
            own = ops.take_along_axis(y_pred, ops.expand_dims(y_true, -1), axis=-1)[..., 0]
            even = loss + own - ops.mean(y_pred, axis=-1)
            loss = (1 - self.label_smoothing) * loss + self.label_smoothing * even
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
