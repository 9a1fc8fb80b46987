"""How a model is seen on strings that it is given, by those who look inside.

    vectors, mask = model.source_embedding(source), source != 0
    logits, attention = model.forced((vectors, mask, target))

It is the model's one forward pass, begun behind the source's embedding, so that gradients reach
each source token, and positions are still added. `attention` is a list, layer by layer of the
decoder, of `(batch, heads, target length, source length)`; empty where the model has none.
"""

import keras


def forced_view(model):
    """The functional model of `model.answer`, on the layers of `model`."""
    width = model.source_embedding.output_dim
    vectors = keras.Input((None, width), name="vectors")
    mask = keras.Input((None,), dtype="bool", name="mask")
    target = keras.Input((None,), dtype="int32", name="target")
    return keras.Model((vectors, mask, target), model.answer(vectors, mask, target), name="forced")
