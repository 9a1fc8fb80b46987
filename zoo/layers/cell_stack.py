"""A stack of recurrent cells, one time step at a time."""

import contextlib

import keras
from keras import ops

from zoo.layers import loop


class CellStack:
    """Cells on top of each other, where each but the first sees what the one below gives.

    It owns no weights: it is how a layer sees its cells in one call.

    Args:
        cells: Keras cells, first the one that sees the input.
        residual: add what a cell above the first has of the one below to what it gives.
        training: as the cells take it.
        drops: what each cell above the first sees of the one below is multiplied by one of these,
            `(batch, length, width)`, or `(batch, width)` in a step; none for no dropout.
        mask: boolean `(batch, length)`, False for steps that leave the states as they are.
    """

    def __init__(self, cells, residual=False, training=False, drops=(), mask=None):
        self.cells = cells
        self.residual = residual
        self.training = training
        self.drops = drops
        self.mask = mask
        self.sizes = state_sizes(cells)
        self.top = len(state_sizes(cells[:-1]))  # where among the states the last output is

    def over_time(self, step, inputs, states, more=()):
        """`loop.over_time` of `step(cells, x, states, *more)`: `cells` is this stack at t."""
        count = len(self.drops)

        def at_its_time(x, states, *parts):
            cells = CellStack(self.cells, self.residual, self.training, parts[:count])
            return step(cells, x, states, *parts[count:])

        return loop.over_time(at_its_time, inputs, states, [*self.drops, *more], self.mask)

    def first(self, x, states):
        """One step of the first cell.

        Args:
            x: `(batch, dim)`.
            states: list of `(batch, size)`, as `state_sizes` orders them; more may follow.

        Returns:
            The output `(batch, units)` and the list of new states.
        """
        return self._advance(self.cells[0], x, states)

    def others(self, x, states, beside=None):
        """One step of the cells above the first.

        Args:
            x: what the first gave.
            states: those of all cells; more may follow.
            beside: `(batch, dim)`, what each of them sees beside what the one below gives.
        """
        states, after = states[len(state_sizes(self.cells[:1])) :], []
        for i, cell in enumerate(self.cells[1:]):
            seen = x * self.drops[i] if self.drops else x
            seen = seen if beside is None else ops.concatenate([seen, beside], axis=-1)
            output, new = self._advance(cell, seen, states)
            x = x + output if self.residual else output
            states, after = states[len(new) :], [*after, *new]
        return x, after

    def step(self, x, states):
        """One step of all cells."""
        x, below = self.first(x, states)
        x, above = self.others(x, states)
        return x, [*below, *above]

    def _advance(self, cell, x, states):
        count = len(keras.tree.flatten(cell.state_size))
        output, after = cell(x, states[:count], training=self.training)
        return output, keras.tree.flatten(after)


def state_sizes(cells):
    """The width of each state of each cell, in order."""
    return [size for cell in cells for size in keras.tree.flatten(cell.state_size)]


def draw_drops(dropout, cells, inputs):
    """What `CellStack` drops out by: masks for all steps, drawn where each backend can draw.

    Args:
        dropout: a `keras.layers.Dropout`.
        inputs: `(batch, length, dim)`.
    """
    row = ops.ones_like(inputs[..., :1])
    widths = [cell.output_size for cell in cells[:-1]]
    return [dropout(ops.repeat(row, width, axis=-1), training=True) for width in widths]


@contextlib.contextmanager
def one_mask_a_sequence(cells, widths, states, training):
    """Draw the dropout masks of cells that have any, before the loop; drop them at the end.

    Gal and Ghahramani 2016, "A Theoretically Grounded Application of Dropout in Recurrent Neural
    Networks": one mask for all steps.

    Args:
        widths: of what each cell sees.
        states: as `state_sizes` orders them; more may follow.
    """
    states = list(states)
    for cell, width in zip(cells, widths, strict=True):
        if training and hasattr(cell, "get_dropout_mask"):
            row = ops.ones_like(states[0][:, :1])
            cell.get_dropout_mask(ops.repeat(row, width, axis=-1))
            cell.get_recurrent_dropout_mask(states[0])
        states = states[len(keras.tree.flatten(cell.state_size)) :]
    try:
        yield
    finally:
        for cell in cells:
            if hasattr(cell, "get_dropout_mask"):
                cell.reset_dropout_mask()
                cell.reset_recurrent_dropout_mask()
