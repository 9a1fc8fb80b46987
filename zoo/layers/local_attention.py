"""Local attention of Luong et al. 2015: a window of keys, moved on or predicted."""

import keras
from keras import ops

from zoo.layers import align, attend
from zoo.layers.arguments import check_whole
from zoo.layers.dense import Dense
from zoo.layers.wrapped_attention import WrappedAttention


@keras.saving.register_keras_serializable("zoo")
class LocalAttention(WrappedAttention):
    """Attention to the keys in a window `[p_t - D, p_t + D]` alone.

        local-m:  p_t = t,                                     a_t = softmax(score(h_t, h_s))
        local-p:  p_t = S sigmoid(v_p . tanh(W_p h_t)),
                  a_t(s) = softmax(score(h_t, h_s)) exp(-(s - p_t)^2 / (2 sigma^2)),  sigma = D / 2

    The softmax is over the window. S counts the keys that the mask allows, which come first; keys
    are counted from 0. Local-m's weights sum to 1: once t is past the last key, the window stays
    there, which the paper leaves open. Local-p's are not normalised again after the Gaussian, as
    in the paper: they sum to at most 1, and to 0 for no window, since it always holds a key.

    Args:
        attention: whose score it is; see `WrappedAttention`.
        window: D, 1 or more.
        predictive: local-p; otherwise local-m, whose state is the position t.

    Call arguments, returns and errors: as `Attention`.

    Reference:
        Luong, Pham, Manning 2015, "Effective Approaches to Attention-based Neural Machine
        Translation", section 3.2, eq. 9 and 10.
    """

    def __init__(self, attention, window=10, predictive=False, **kwargs):
        super().__init__(attention, **kwargs)
        check_whole("LocalAttention", window=window)
        self.window = window
        self.predictive = predictive

    def build(self, query_shape, value_shape, key_shape=None):
        super().build(query_shape, value_shape, key_shape)
        if self.predictive:
            options = {"use_bias": False, "dtype": self.dtype_policy}
            self.hidden = Dense(query_shape[-1], "tanh", name="hidden", **options)
            self.position = Dense(1, name="position", **options)
            self.hidden.build(query_shape)
            self.position.build(query_shape)

    def start(self, value):
        return [] if self.predictive else [ops.zeros_like(value[:, 0, :1], dtype="int32")]

    def spread(self, part, query):
        """Query i of several stands i positions after the first."""
        return ops.expand_dims(part, 1) + ops.expand_dims(ops.arange(ops.shape(query)[1]), 1)

    def align(self, query, key, mask, state):
        keys = ops.shape(key)[1]
        length = keys if mask is None else ops.sum(ops.cast(mask, "int32"), axis=-1, keepdims=True)
        centre = self._centre(query, ops.cast(length, "float32"), state)
        apart = align.distance(centre, keys)
        within = attend.both(mask, ops.abs(apart) <= self.window)
        weights = attend.masked_softmax(self.score(query, key), within)
        if self.predictive:
            weights = weights * ops.cast(align.gaussian(apart, self.window), weights.dtype)
        return weights, [position + 1 for position in state]

    def _centre(self, query, length, state):
        """`p_t`: `(batch, queries, 1)`, in float32, which counts further than half precision."""
        if self.predictive:
            return length * ops.sigmoid(ops.cast(self.position(self.hidden(query)), "float32"))
        return ops.minimum(ops.cast(state[0], "float32"), ops.maximum(length - 1, 0))

    def get_config(self):
        return {**super().get_config(), "window": self.window, "predictive": self.predictive}
