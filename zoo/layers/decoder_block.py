"""One layer of a Transformer decoder."""

import keras
from keras import ops

from zoo.layers import shapes
from zoo.layers.transformer_block import TransformerBlock


@keras.saving.register_keras_serializable("zoo")
class DecoderBlock(TransformerBlock):
    """Causal self-attention, attention to the memory, a feed-forward network; each a residual.

        u = x + SelfAttention(norm(x)),   y = u + CrossAttention(norm(u), memory)
        z = y + FFN(norm(y))

    That is pre-norm; for post-norm see `Residual`.

    Args: as `TransformerBlock`: `num_heads`, `hidden_dim`, and what the parts are made of.

    Call arguments:
        inputs: `(batch, length, dim)`.
        memory: the encoder's output `(batch, keys, memory_dim)`.
        memory_mask: boolean `(batch, keys)`, True for tokens. Filled in from the Keras mask.
        cache, position: as in `SelfAttention`, to decode one token at a time.
        projected: in place of the memory, what `project_memory` made of it, once, for a whole
            decoding. Several rows of `inputs` (the hypotheses of a beam) may then share a row of
            it, as many each, the rows of one source together.
        return_attention_scores: whether the weights are of interest, which costs some backends
            their fastest kernel.

    Returns:
        `(batch, length, dim)`; the weights of the attention to the memory `(batch, heads, length,
        keys)`, or of width 0 when not asked for; and the keys and values of the self-attention, as
        `SelfAttention` returns them. Always three, since a Keras graph that calls a layer twice
        wants as many answers both times.

    Raises:
        ValueError: for shapes that do not fit, or heads that do not divide the width.

    Reference:
        Vaswani et al. 2017, "Attention Is All You Need", section 3.1.
    """

    def __init__(self, num_heads, hidden_dim, *args, **kwargs):
        super().__init__(num_heads, hidden_dim, *args, **kwargs)
        self.self_attention = self.make_self_attention(causal=True, name="self_attention")
        self.cross_attention = self.make_cross_attention("cross_attention")
        self.around_self = self.residual("around_self")
        self.around_cross = self.residual("around_cross")

    def build(self, inputs_shape, memory_shape, cache_shape=None, position_shape=None):
        self.memory_dim = memory_shape[-1]
        self.self_attention.build(inputs_shape)
        self.cross_attention.build(inputs_shape, memory_shape)
        self.feed_forward.build(inputs_shape)
        for residual in (self.around_self, self.around_cross, self.around_feed_forward):
            residual.build(inputs_shape)

    def project_memory(self, memory, memory_mask=None):
        """The memory's keys and values, `(batch, num_kv_heads, keys, width)` each."""
        return self.cross_attention.project_memory(memory, value_mask=memory_mask)

    def call(
        self,
        inputs,
        memory=None,
        memory_mask=None,
        cache=None,
        position=None,
        projected=None,
        return_attention_scores=False,
        training=False,
    ):
        if projected is None:
            shapes.check_memory(self.name, inputs, memory, memory_mask, self.memory_dim)
            projected = self.project_memory(memory, memory_mask)
        else:
            shapes.refuse(self.name, "does not go with `projected`", memory=memory)
            names = ("inputs", "projected", "memory_mask")
            self.cross_attention.check_projected(self.name, inputs, projected, memory_mask, names)
        branch, cache = self.self_attention(
            self.around_self.enter(inputs),
            cache=cache,
            position=position,
            return_cache=True,
            training=training,
        )
        x = self.around_self.leave(inputs, branch, training)
        branch, weights = self._look(
            self.around_cross.enter(x), projected, memory_mask, return_attention_scores, training
        )
        x = self.around_cross.leave(x, branch, training)
        return self.pass_through_feed_forward(x, training), weights, cache

    def _look(self, query, projected, mask, weights_wanted, training):
        """The attention to the memory, and its weights or none."""
        answer = self.cross_attention.attend(
            query, projected, mask, return_attention_scores=weights_wanted, training=training
        )
        if weights_wanted:
            return answer
        batch, length, _ = ops.shape(query)
        nothing = ops.zeros((batch, self.options["num_heads"], length, 0), dtype=answer.dtype)
        return answer, nothing
