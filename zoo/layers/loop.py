"""A step of tensors, applied over time: the loop under what goes step by step."""

import keras
from keras import ops
from keras.backend import standardize_dtype


def over_time(step, inputs, states, more=(), mask=None):
    """Apply `step(inputs at t, states, *more at t) -> output, states` from first to last.

    Args:
        step: pure function of tensors; its output is `(batch, dim)`.
        inputs: `(batch, length, dim)`. A length known to be 1 runs without a loop.
        states: list of `(batch, size)`.
        more: list of `(batch, length, width)`, which a step gets its part of behind the states.
            The last one's width may be unknown.
        mask: boolean `(batch, length)`, False for steps that leave the states as they are and give
            zeros. When not given, the Keras mask of `inputs`, unless its length is known to be 1.

    Returns:
        The outputs `(batch, length, dim)` and the list of final states.
    """
    if inputs.shape[1] == 1 and mask is None:
        output, states = step(inputs[:, 0], states, *(part[:, 0] for part in more))
        return ops.expand_dims(output, 1), states
    given = [inputs, *more]
    widths = [part.shape[-1] for part in given]
    kinds, dtypes = ([standardize_dtype(x.dtype) for x in tensors] for tensors in (given, states))
    widest = keras.backend.result_type(*kinds, *dtypes, "float32")

    def in_own_precision(x, states):
        """Keras's loop holds everything in one precision; each tensor's own is for the step."""
        x, *more_now = _cast(split(x, *widths[:-1]), kinds)
        output, states = step(x, _cast(states, dtypes), *more_now)
        return ops.cast(output, widest), [ops.cast(state, widest) for state in states]

    cell = _Step(in_own_precision, [state.shape[-1] for state in states], widest)
    loop = keras.layers.RNN(
        cell, return_sequences=True, return_state=True, zero_output_for_mask=True, dtype=widest
    )
    joined = ops.concatenate(_cast(given, [widest] * len(given)), axis=-1) if more else inputs
    outputs, *states = loop(joined, initial_state=states, mask=mask)
    return ops.cast(outputs, kinds[0]), _cast(states, dtypes)


def _cast(tensors, dtypes):
    return [ops.cast(*pair) for pair in zip(tensors, dtypes, strict=True)]


def split(steps, *widths):
    """`(..., sum)` as parts of those widths, and one of what is left."""
    parts, begin = [], 0
    for width in widths:
        part = steps[..., begin : begin + width]
        parts.append(ops.reshape(part, (*ops.shape(steps)[:-1], width)))
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
