"""How a model is seen one token at a time.

Every translator has five views of its one forward pass:

    encoded = model.encode(source)                  # dict; rows: sources
    state = model.start(encoded)                    # dict; rows: sources, then hypotheses
    logits, state, attention = model.step((tokens, {**encoded, **state}))
    vectors = model.embed(source)                   # (batch, dim), one for a sentence
    logits, attention = model.aligned((source, target))  # all steps at once

`encoded` stays as it is from step to step and is held once for a source, however many hypotheses
there are; `state` moves. All tensors have the batch first. `attention` is
`(batch, source length)`, or `(batch, 0)` where the model has none.
"""

import keras
from keras import ops


def source_and_target():
    """The inputs of a translator."""
    return tuple(keras.Input((None,), dtype="int32", name=n) for n in ("source", "target"))


def inputs_like(tensors):
    """A `keras.Input` for each entry of a dict of symbolic tensors, of any batch size."""
    return {
        name: keras.Input(tensor.shape[1:], dtype=tensor.dtype, name=name)
        for name, tensor in tensors.items()
    }


def mean_over_tokens(sequence, mask):
    """`(batch, length, dim)` -> `(batch, dim)`, over what `mask (batch, length)` counts."""
    weights = ops.expand_dims(ops.cast(mask, sequence.dtype), -1)
    total = ops.sum(sequence * weights, axis=1)
    return total / ops.maximum(ops.sum(weights, axis=1), 1)
