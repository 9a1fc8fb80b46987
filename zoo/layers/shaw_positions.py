"""Relative position representations of Shaw et al. 2018."""

import keras
from keras import ops

from zoo.layers.arguments import check_whole
from zoo.layers.positions import Positions


@keras.saving.register_keras_serializable("zoo")
class ShawPositions(Positions):
    """A learned key and a learned value for each distance, clipped, shared by the heads.

        e_ij = q_i . (k_j + a^K_ij) / sqrt(width),   z_i = sum_j alpha_ij (v_j + a^V_ij)
        a_ij = w_clip(j - i),                        clip(d) = max(-c, min(c, d))

    Every layer of a stack has its own. Holds a key and a value for each pair of positions, so
    memory of `queries * keys * width`.

    Args:
        max_distance: `c`, beyond which all distances are one.

    Raises:
        ValueError: for a `max_distance` below 1, or layers that share it, of other heads' width.

    Reference:
        Shaw, Uszkoreit, Vaswani 2018, "Self-Attention with Relative Position Representations",
        eq. 3 to 5; section 3.3.
    """

    def __init__(self, max_distance=16, **kwargs):
        super().__init__(**kwargs)
        check_whole("ShawPositions", max_distance=max_distance)
        self.max_distance = max_distance

    def prepare(self, num_heads, width, causal):
        if self.first_for(f"heads of width {width}"):
            shape = (2 * self.max_distance + 1, width)
            self.keys = self.add_weight(shape=shape, initializer="glorot_uniform", name="keys")
            self.values = self.add_weight(shape=shape, initializer="glorot_uniform", name="values")

    def of_layer(self):
        return ShawPositions(self.max_distance, dtype=self.dtype_policy)

    def bias(self, query, query_positions, key_positions):
        keys = self._of_pairs(self.keys, query_positions, key_positions)
        query = query * ops.cast(query.shape[-1] ** -0.5, query.dtype)
        return _with_pairs(query, ops.swapaxes(ops.cast(keys, query.dtype), 2, 3))

    def context(self, weights, query_positions, key_positions):
        values = self._of_pairs(self.values, query_positions, key_positions)
        return _with_pairs(weights, ops.cast(values, weights.dtype))

    def _of_pairs(self, table, query_positions, key_positions):
        """`(1 or batch, queries, keys, width)`."""
        distance = ops.expand_dims(key_positions, 1) - ops.expand_dims(query_positions, 2)
        clipped = ops.clip(distance, -self.max_distance, self.max_distance)
        return ops.take(table, clipped + self.max_distance, axis=0)

    def get_config(self):
        return {**super().get_config(), "max_distance": self.max_distance}


def _with_pairs(heads, pairs):
    """`heads (batch, heads, queries, n)` times `pairs (1 or batch, queries, n, m)`.

    Pairs that all rows share are multiplied with all of them at once (section 3.3). To broadcast
    them is not only slower: TensorFlow 2.21 writes past its memory where there is a single query.
    """
    if pairs.shape[0] != 1:
        return ops.swapaxes(ops.matmul(ops.swapaxes(heads, 1, 2), pairs), 1, 2)
    batch, count, queries, width = ops.shape(heads)
    rows = ops.reshape(ops.transpose(heads, (2, 0, 1, 3)), (queries, -1, width))
    answer = ops.matmul(rows, ops.squeeze(pairs, 0))  # (queries, batch * heads, m)
    answer = ops.reshape(answer, (queries, batch, count, ops.shape(pairs)[-1]))
    return ops.transpose(answer, (1, 2, 0, 3))
