"""One layer of a Transformer encoder."""

import keras

from zoo.layers.feed_forward import FeedForward
from zoo.layers.residual import Residual
from zoo.layers.self_attention import SelfAttention


@keras.saving.register_keras_serializable("zoo")
class EncoderBlock(keras.layers.Layer):
    """Self-attention, then a feed-forward network, each in a residual connection.

    Args:
        num_heads: attention heads.
        hidden_dim: width of the feed-forward network's hidden layer.
        activation: the feed-forward network's.
        dropout: rate on the attention weights, the hidden layer and each branch.
        norm_first: pre-norm; a stack of such blocks wants one more norm at its end.

    Call arguments:
        inputs: `(batch, length, dim)`.
        mask: boolean `(batch, length)`, True for tokens. Filled in from the Keras mask.
        return_attention_scores: also return the weights `(batch, heads, length, length)`.

    Returns:
        `(batch, length, dim)`, with the weights if asked for.

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
        self.attention = SelfAttention(num_heads, dropout=dropout, dtype=policy, name="attention")
        self.feed_forward = FeedForward(
            hidden_dim, activation, dropout, dtype=policy, name="feed_forward"
        )
        self.around_attention = Residual(dropout, norm_first, dtype=policy, name="around_attention")
        self.around_feed_forward = Residual(
            dropout, norm_first, dtype=policy, name="around_feed_forward"
        )

    def build(self, inputs_shape):
        self.attention.build(inputs_shape)
        self.feed_forward.build(inputs_shape)
        self.around_attention.build(inputs_shape)
        self.around_feed_forward.build(inputs_shape)

    def call(self, inputs, mask=None, return_attention_scores=False, training=False):
        branch, weights = self.attention(
            self.around_attention.enter(inputs),
            value_mask=mask,
            return_attention_scores=True,
            training=training,
        )
        x = self.around_attention.leave(inputs, branch, training)
        branch = self.feed_forward(self.around_feed_forward.enter(x), training=training)
        x = self.around_feed_forward.leave(x, branch, training)
        return (x, weights) if return_attention_scores else x

    def get_config(self):
        return {**super().get_config(), **self.options}
