"""Attention from a learned query, to make one vector of a sequence."""

import keras
from keras import ops

from zoo.layers import attend, shapes
from zoo.layers.arguments import check_whole
from zoo.layers.dense import Dense


@keras.saving.register_keras_serializable("zoo")
class AttentionPooling(keras.layers.Layer):
    """The elements of a sequence, weighted by how well they answer a learned query.

        u_t = tanh(W h_t + b),   a = softmax(u_t . u_w),   v = sum_t a_t h_t
        hops: [v_1; ...; v_n], each by a learned u_w of its own

    With several hops there are as many learned queries, and their sums stand side by side.

    Args:
        units: width of `u`; the inputs' width when not given.
        hops: how many queries.

    Call arguments:
        inputs: `(batch, length, dim)`.
        mask: boolean `(batch, length)`, True for elements that count. Filled in from the Keras
            mask.
        return_attention_scores: also return the weights.

    Returns:
        `(batch, hops * dim)`; with `return_attention_scores`, a pair with the weights
        `(batch, hops, length)`. A row with nothing that counts gives zeros.

    Raises:
        ValueError: for a mask that does not fit, or `units` or `hops` below 1.

    Reference:
        Yang et al. 2016, "Hierarchical Attention Networks for Document Classification", eq. 5 to 7.
        Hops: Lin et al. 2017, "A Structured Self-attentive Sentence Embedding", eq. 6 and 7.
    """

    def __init__(self, units=None, hops=1, **kwargs):
        super().__init__(**kwargs)
        check_whole("AttentionPooling", optional=True, units=units)
        check_whole("AttentionPooling", hops=hops)
        self.units = units
        self.hops = hops
        self.supports_masking = True

    def build(self, inputs_shape):
        units = self.units or inputs_shape[-1]
        self.projection = Dense(
            units, activation="tanh", dtype=self.dtype_policy, name="projection"
        )
        self.projection.build(inputs_shape)
        self.queries = self.add_weight(
            shape=(units, self.hops), initializer="glorot_uniform", name="queries"
        )

    def call(self, inputs, mask=None, return_attention_scores=False):
        shapes.check_memory(self.name, inputs, inputs, mask, names=("inputs", "inputs", "mask"))
        inputs = attend.blank(inputs, mask)
        scores = ops.matmul(self.projection(inputs), self.queries)  # (batch, length, hops)
        weights = attend.masked_softmax(ops.swapaxes(scores, 1, 2), attend.key_mask(mask))
        sums = attend.weighted_sum(weights, inputs)  # (batch, hops, dim)
        pooled = ops.reshape(sums, (-1, self.hops * inputs.shape[-1]))
        return (pooled, weights) if return_attention_scores else pooled

    def compute_mask(self, inputs, mask=None):
        """None: there is no sequence any more."""

    def get_config(self):
        return {**super().get_config(), "units": self.units, "hops": self.hops}
