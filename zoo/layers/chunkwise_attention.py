"""Monotonic chunkwise attention (MoChA) of Chiu and Raffel 2018."""

import keras
from keras import ops

from zoo.layers import align
from zoo.layers.arguments import check_whole, refuse
from zoo.layers.wrapped_attention import WrappedAttention


@keras.saving.register_keras_serializable("zoo")
class ChunkwiseAttention(WrappedAttention):
    """Attention to a chunk of keys that ends where a monotonic attention stopped.

        b_ij = sum_{k=j}^{j+w-1} a_ik exp(u_ij) / sum_{l=k-w+1}^{k} exp(u_il)

    with `a` the monotonic alignment and `u` a score of its own. With hard `a`, a softmax over the
    w keys that end at the one that was chosen. The weights sum to what those of `a` sum to, at
    most 1. A chunk of 1 is the monotonic attention itself.

    Args:
        attention: whose score `u` is; see `WrappedAttention`.
        monotonic: a `MonotonicAttention`, whose alignment `a` is.
        chunk: w, 1 or more.

    Call arguments, returns and errors: as `Attention`. The state is the monotonic attention's.

    Reference:
        Chiu, Raffel 2018, "Monotonic Chunkwise Attention", section 2.3.
    """

    parallel = False

    def __init__(self, attention, monotonic, chunk=2, **kwargs):
        super().__init__(attention, **kwargs)
        check_whole("ChunkwiseAttention", chunk=chunk)
        if not (hasattr(type(monotonic), "align") and hasattr(monotonic, "mode")):
            refuse("ChunkwiseAttention", "monotonic", "a `MonotonicAttention`", monotonic)
        self.monotonic = monotonic
        self.chunk = chunk

    def build(self, query_shape, value_shape, key_shape=None):
        super().build(query_shape, value_shape, key_shape)
        if not self.monotonic.built:
            self.monotonic.build(query_shape, value_shape, key_shape)
        key = keras.KerasTensor((None, None, (key_shape or value_shape)[-1]))
        self.units = self.attention.project_key(key).shape[-1]

    def project_key(self, key):
        """Both scores' keys, side by side."""
        keys = [part.project_key(key) for part in (self.attention, self.monotonic)]
        return ops.concatenate(keys, axis=-1)

    def start(self, value):
        return self.monotonic.start(value)

    def draw(self, query, value):
        return self.monotonic.draw(query, value)

    def align(self, query, key, mask, state):
        own, other = key[..., : self.units], key[..., self.units :]
        weights, state = self.monotonic.align(query, other, mask, state)
        scores = self.score(query, own)
        return align.chunkwise(weights, scores, self.chunk, mask), state

    def get_config(self):
        monotonic = keras.saving.serialize_keras_object(self.monotonic)
        return {**super().get_config(), "monotonic": monotonic, "chunk": self.chunk}

    @classmethod
    def from_config(cls, config):
        monotonic = keras.saving.deserialize_keras_object(config["monotonic"])
        return super().from_config({**config, "monotonic": monotonic})
