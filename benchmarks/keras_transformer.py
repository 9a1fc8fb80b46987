"""The Transformer as one writes it with Keras's own layers, `MultiHeadAttention` above all."""

import keras
from keras import ops
from keras.layers import Dense, Dropout, LayerNormalization, MultiHeadAttention

from zoo.layers import SinusoidalPositions, TiedEmbedding


def keras_transformer(vocabulary, dim, num_layers, num_heads, hidden_dim, dropout):
    """Pre-norm, with one embedding for source, target and output."""
    embedding, positions = TiedEmbedding(vocabulary, dim), SinusoidalPositions()
    scale = keras.layers.Rescaling(dim**0.5)

    def embed(ids):
        return Dropout(dropout)(positions(scale(embedding(ids))))

    def add(x, branch):
        return x + Dropout(dropout)(branch)

    def attend(query, value, **how):
        return MultiHeadAttention(num_heads, dim // num_heads, dropout=dropout)(query, value, **how)

    def feed_forward(x):
        hidden = Dense(hidden_dim, "relu")(LayerNormalization(epsilon=1e-5)(x))
        return Dense(dim)(Dropout(dropout)(hidden))

    source, target = (keras.Input((None,), dtype="int32") for _ in range(2))
    mask = ops.expand_dims(ops.not_equal(source, 0), 1)  # (batch, 1, keys)
    memory = embed(source)
    for _ in range(num_layers):
        normed = LayerNormalization(epsilon=1e-5)(memory)
        memory = add(memory, attend(normed, normed, attention_mask=mask))
        memory = add(memory, feed_forward(memory))
    memory, x = LayerNormalization(epsilon=1e-5)(memory), embed(target)
    for _ in range(num_layers):
        normed = LayerNormalization(epsilon=1e-5)(x)
        x = add(x, attend(normed, normed, use_causal_mask=True))
        normed = LayerNormalization(epsilon=1e-5)(x)
        x = add(x, attend(normed, memory, attention_mask=mask))
        x = add(x, feed_forward(x))
    logits = embedding(LayerNormalization(epsilon=1e-5)(x), reverse=True)
    return keras.Model((source, target), logits)
