"""One layer of a Transformer decoder."""

import keras

from zoo.layers.cross_attention import CrossAttention
from zoo.layers.feed_forward import FeedForward
from zoo.layers.residual import Residual
from zoo.layers.self_attention import SelfAttention


@keras.saving.register_keras_serializable("zoo")
class DecoderBlock(keras.layers.Layer):
    """Causal self-attention, attention to the memory, a feed-forward network; each a residual.

    Args:
        num_heads: attention heads, in both attentions.
        hidden_dim: width of the feed-forward network's hidden layer.
        activation: the feed-forward network's.
        dropout: rate on the attention weights, the hidden layer and each branch.
        norm_first: pre-norm; a stack of such blocks wants one more norm at its end.

    Call arguments:
        inputs: `(batch, length, dim)`.
        memory: the encoder's output `(batch, keys, memory_dim)`; or, with `projected`, what
            `project_memory` made of it, once, for a whole decoding.
        memory_mask: boolean `(batch, keys)`, True for tokens. Filled in from the Keras mask.
        cache, position: as in `SelfAttention`, to decode one token at a time.
        projected: `memory` went through `project_memory`.

    Returns:
        `(batch, length, dim)`; the weights of the attention to the memory `(batch, heads, length,
        keys)`; and the keys and values of the self-attention, as `SelfAttention` returns them.

    Reference:
        Vaswani et al. 2017, "Attention Is All You Need", section 3.1.
    """

    def __init__(
        self, num_heads, hidden_dim, activation="relu", dropout=0.0, norm_first=True, **kwargs
    ):
        super().__init__(**kwargs)
        self.options = {
            "num_heads": num_heads,
            "hidden_dim": hidden_dim,
            "activation": activation,
            "dropout": dropout,
            "norm_first": norm_first,
        }
        self.supports_masking = True
        policy = self.dtype_policy
        self.self_attention = SelfAttention(
            num_heads, causal=True, dropout=dropout, dtype=policy, name="self_attention"
        )
        self.cross_attention = CrossAttention(
            num_heads, dropout=dropout, dtype=policy, name="cross_attention"
        )
        self.feed_forward = FeedForward(
            hidden_dim, activation, dropout, dtype=policy, name="feed_forward"
        )
        self.around_self, self.around_cross, self.around_feed_forward = (
            Residual(dropout, norm_first, dtype=policy, name=name)
            for name in ("around_self", "around_cross", "around_feed_forward")
        )

    def build(self, inputs_shape, memory_shape, cache_shape=None, position_shape=None):
        self.self_attention.build(inputs_shape)
        self.cross_attention.build(inputs_shape, memory_shape)
        self.feed_forward.build(inputs_shape)
        for residual in (self.around_self, self.around_cross, self.around_feed_forward):
            residual.build(inputs_shape)

    def project_memory(self, memory, memory_mask=None):
        """The memory's keys and values: `(batch, keys, 2 * dim)`."""
        return self.cross_attention.project_memory(memory, value_mask=memory_mask)

    def call(
        self,
        inputs,
        memory,
        memory_mask=None,
        cache=None,
        position=None,
        projected=False,
        training=False,
    ):
        if not projected:
            memory = self.project_memory(memory, memory_mask)
        branch, cache = self.self_attention(
            self.around_self.enter(inputs),
            cache=cache,
            position=position,
            return_cache=True,
            training=training,
        )
        x = self.around_self.leave(inputs, branch, training)
        branch, weights = self.cross_attention.attend(
            self.around_cross.enter(x), memory, memory_mask, training
        )
        x = self.around_cross.leave(x, branch, training)
        branch = self.feed_forward(self.around_feed_forward.enter(x), training=training)
        x = self.around_feed_forward.leave(x, branch, training)
        return x, weights, cache

    def get_config(self):
        return {**super().get_config(), **self.options}
