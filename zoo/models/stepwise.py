"""How a model is seen one token at a time.

Every translator has four views of its one forward pass:

    encoded = model.encode(source)                  # dict; rows: sources
    state = model.start(encoded)                    # dict; rows: sources, then hypotheses
    logits, state, attention = model.step((tokens, {**encoded, **state}))
    vectors = model.embed(source)                   # (batch, dim), one for a sentence

Under XLA, which wants shapes that never change, `model.start(encoded, room)` is for so many steps
of `model.step_in_room`, which answers the same.

`encoded` stays as it is from step to step and is held once for a source, however many hypotheses
there are; `state` moves. All tensors have the batch first. `attention` is
`(batch, source length)`, or `(batch, 0)` where the model has none.
"""

import keras
from keras import ops


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
