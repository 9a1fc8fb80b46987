"""Relative position bias of T5."""

import math

import keras
from keras import ops

from zoo.layers.arguments import check_whole, refuse
from zoo.layers.positions import Positions


@keras.saving.register_keras_serializable("zoo")
class T5Positions(Positions):
    """A learned number for each head and each bucket of distances, added to the score.

        e_ij = q_i . k_j / sqrt(width) + b_head[bucket(j - i)]

    Near distances have a bucket each; farther ones share buckets that grow logarithmically up to
    `max_distance`; everything beyond shares the last. Where later keys are seen too, they have
    half of the buckets. The layers of a stack share one table.

    Args:
        num_buckets: how many numbers each head learns; even.
        max_distance: from where on all distances are one.

    Raises:
        ValueError: for an odd `num_buckets`, a `max_distance` that its buckets reach anyway, or
            layers of different heads that share it, or of which only some are causal.

    Reference:
        Raffel et al. 2020, "Exploring the Limits of Transfer Learning with a Unified Text-to-Text
        Transformer", section 2.1; the buckets are those of its code.
    """

    def __init__(self, num_buckets=32, max_distance=128, **kwargs):
        super().__init__(**kwargs)
        check_whole("T5Positions", num_buckets=num_buckets, max_distance=max_distance)
        if num_buckets < 4 or num_buckets % 2:
            refuse("T5Positions", "num_buckets", "even and 4 or more", num_buckets)
        if max_distance <= num_buckets // 2:
            least = f"over half of `num_buckets`, {num_buckets // 2}"
            refuse("T5Positions", "max_distance", least, max_distance)
        self.num_buckets = num_buckets
        self.max_distance = max_distance

    def prepare(self, num_heads, width, causal):
        if self.first_for(f"{num_heads} heads, causal={causal}"):
            self.causal = causal
            shape = (self.num_buckets, num_heads)
            self.table = self.add_weight(shape=shape, initializer="glorot_uniform", name="table")

    def bias(self, query, query_positions, key_positions):
        distance = ops.expand_dims(key_positions, 1) - ops.expand_dims(query_positions, 2)
        bias = ops.take(self.table, self.bucket(distance), axis=0)  # (1 or b, q, k, heads)
        return ops.transpose(bias, (0, 3, 1, 2))

    def bucket(self, distance):
        """The bucket of each distance `j - i`, in 0 .. `num_buckets` - 1."""
        if self.causal:
            return self._logarithmic(ops.maximum(-distance, 0), self.num_buckets)
        half = self.num_buckets // 2
        later = ops.cast(distance > 0, "int32") * half
        return later + self._logarithmic(ops.absolute(distance), half)

    def _logarithmic(self, distance, buckets):
        exact = buckets // 2
        ratio = ops.cast(ops.maximum(distance, exact), "float32") / exact
        growth = (buckets - exact) / math.log(self.max_distance / exact)
        far = exact + ops.cast(ops.log(ratio) * growth, "int32")
        return ops.where(distance < exact, distance, ops.minimum(far, buckets - 1))

    def get_config(self):
        return {
            **super().get_config(),
            "num_buckets": self.num_buckets,
            "max_distance": self.max_distance,
        }
