"""How a model is seen one token at a time.

Every translator has three views of its one forward pass:

    encoded = model.encode(source)                  # dict; rows: sources
    state = model.start(encoded, max_length)        # dict; rows: sources, then hypotheses
    logits, state, attention = model.step((tokens, {**encoded, **state}))

`encoded` stays as it is from step to step and is held once for a source, however many hypotheses
there are; `state` moves. All tensors have the batch first. `attention` is
`(batch, source length)`, or `(batch, 0)` where the model has none.
"""

import keras


def inputs_like(tensors):
    """A `keras.Input` for each entry of a dict of symbolic tensors, of any batch size."""
    return {
        name: keras.Input(tensor.shape[1:], dtype=tensor.dtype, name=name)
        for name, tensor in tensors.items()
    }
