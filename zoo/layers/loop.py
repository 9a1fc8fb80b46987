"""A step of tensors, applied over time: the loop under what goes step by step."""

import keras
from keras import ops


def over_time(step, inputs, states):
    """Apply `step(inputs at t, states) -> output, states` from the first time step to the last.

    Args:
        step: pure function of tensors; its output is `(batch, dim)`.
        inputs: `(batch, length, dim)`. A length known to be 1 runs without a loop.
        states: list of `(batch, size)`.

    Returns:
        The outputs `(batch, length, dim)` and the list of final states.
    """
    if inputs.shape[1] == 1:
        output, states = step(inputs[:, 0], states)
        return ops.expand_dims(output, 1), states
    dtypes = [keras.backend.standardize_dtype(x.dtype) for x in (inputs, *states)]
    widest = keras.backend.result_type(*dtypes, "float32")

    def in_own_precision(x, states):
        """Keras's loop holds everything in one precision; each tensor's own is for the step."""
        x, *states = _cast((x, *states), dtypes)
        output, states = step(x, states)
        return ops.cast(output, widest), [ops.cast(state, widest) for state in states]

    cell = _Step(in_own_precision, [state.shape[-1] for state in states], widest)
    loop = keras.layers.RNN(cell, return_sequences=True, return_state=True, dtype=widest)
    outputs, *states = _cast(loop(inputs, initial_state=states), dtypes)
    return outputs, states


def _cast(tensors, dtypes):
    return [ops.cast(*pair) for pair in zip(tensors, dtypes, strict=True)]


def split(steps, *widths):
    """`(batch, length, sum)` as parts of those widths, and one of what is left."""
    parts, begin = [], 0
    for width in widths:
        part = steps[..., begin : begin + width]
        parts.append(ops.reshape(part, (*ops.shape(steps)[:2], width)))
        begin += width
    return [*parts, steps[..., begin:]]


class _Step:
    """A function in the shape of the cell that `keras.layers.RNN` asks for."""

    def __init__(self, function, state_size, compute_dtype):
        self.function = function
        self.state_size = state_size
        self.compute_dtype = compute_dtype

    def call(self, inputs, states):
        return self.function(inputs, states)

    __call__ = call
