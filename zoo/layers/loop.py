"""Running cells over time: the loop under the recurrent decoder."""

import keras
from keras import ops


def state_sizes(cells):
    """The width of each state of each cell, in order."""
    return [size for cell in cells for size in keras.tree.flatten(cell.state_size)]


def advance(cells, inputs, states, training=False, beside=None, residual=False):
    """One time step through a stack of cells.

    Args:
        cells: Keras cells, first the one that sees the input.
        inputs: `(batch, dim)`.
        states: list of `(batch, size)`, as `state_sizes` orders them; more may follow.
        beside: `(batch, dim)`, what every cell sees beside its input.
        residual: add each cell's input to its output.

    Returns:
        The last cell's output `(batch, units)` and the list of the cells' new states.
    """
    states, new_states = list(states), []
    for cell in cells:
        count = len(keras.tree.flatten(cell.state_size))
        seen = inputs if beside is None else ops.concatenate([inputs, beside], axis=-1)
        output, after = cell(seen, states[:count], training=training)
        inputs = inputs + output if residual else output
        new_states += keras.tree.flatten(after)
        states = states[count:]
    return inputs, new_states


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


def dropout_masks(cells, widths, states, training):
    """Draw the dropout masks of cells that have any, before the loop: one mask for all steps.

    Gal and Ghahramani 2016, "A Theoretically Grounded Application of Dropout in Recurrent Neural
    Networks". Undone by `forget_dropout_masks`.

    Args:
        widths: of what each cell sees.
    """
    states = list(states)
    for cell, width in zip(cells, widths, strict=True):
        if training and hasattr(cell, "get_dropout_mask"):
            row = ops.ones_like(states[0][:, :1])
            cell.get_dropout_mask(ops.repeat(row, width, axis=-1))
            cell.get_recurrent_dropout_mask(states[0])
        states = states[len(keras.tree.flatten(cell.state_size)) :]


def forget_dropout_masks(cells):
    """Drop the masks that `dropout_masks` drew."""
    for cell in cells:
        if hasattr(cell, "get_dropout_mask"):
            cell.reset_dropout_mask()
            cell.reset_recurrent_dropout_mask()
