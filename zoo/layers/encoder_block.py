"""One layer of a Transformer encoder."""

import keras

from zoo.layers.transformer_block import TransformerBlock


@keras.saving.register_keras_serializable("zoo")
class EncoderBlock(TransformerBlock):
    """Self-attention, then a feed-forward network, each in a residual connection.

        y = x + SelfAttention(norm(x)),   z = y + FFN(norm(y))

    That is pre-norm; for post-norm see `Residual`.

    Args: as `TransformerBlock`: `num_heads`, `hidden_dim`, and what the parts are made of.

    Call arguments:
        inputs: `(batch, length, dim)`.
        mask: boolean `(batch, length)`, True for tokens. Filled in from the Keras mask.
        return_attention_scores: also return the weights `(batch, heads, length, length)`.

    Returns:
        `(batch, length, dim)`, with the weights if asked for.

    Reference:
        Vaswani et al. 2017, "Attention Is All You Need", section 3.1.
    """

    def __init__(self, num_heads, hidden_dim, *args, **kwargs):
        super().__init__(num_heads, hidden_dim, *args, **kwargs)
        self.attention = self.make_self_attention(causal=False, name="attention")
        self.around_attention = self.residual("around_attention")

    def build(self, inputs_shape):
        self.attention.build(inputs_shape)
        self.feed_forward.build(inputs_shape)
        self.around_attention.build(inputs_shape)
        self.around_feed_forward.build(inputs_shape)

    def call(self, inputs, mask=None, return_attention_scores=False, training=False):
        branch = self.attention(
            self.around_attention.enter(inputs),
            value_mask=mask,
            return_attention_scores=return_attention_scores,
            training=training,
        )
        branch, *weights = branch if return_attention_scores else (branch,)
        x = self.around_attention.leave(inputs, branch, training)
        x = self.pass_through_feed_forward(x, training)
        return (x, *weights) if return_attention_scores else x
