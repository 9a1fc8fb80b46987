"""The orders of the recurrent decoder: when it looks, what goes into the cells, what comes out.

Each is a strategy without weights or memory of its own: a layer hands it `Parts` and it runs them
over time. A state is the cells' states, then what is fed back, then the attention's.
"""

from collections.abc import Callable
from typing import NamedTuple

from keras import ops

from zoo.layers import loop
from zoo.layers.arguments import check_choice
from zoo.layers.cell_stack import CellStack


class Parts(NamedTuple):
    """What a decoder is put together from, in one call.

    Args:
        cells: the `CellStack`.
        look: `(queries (batch, queries, dim), state, drawn) -> context, weights, state`.
        output: makes one tensor of several that stand side by side.
        units, memory_dim: widths of the output and of the context.
        drawn: what the attention drew for all queries: see `Attention.draw`.
    """

    cells: CellStack
    look: Callable
    output: Callable
    units: int
    memory_dim: int
    drawn: list

    def split(self, state):
        """The cells' states, and what follows."""
        count = len(self.cells.sizes)
        return state[:count], state[count:]


class Order:
    """The base of the orders: nothing is fed back, and the query is the last cell's output."""

    asking = -1  # the cell whose output is the query

    def widths(self, dim, units, memory_dim):
        """What the first cell sees, what those above see beside, and what the output is made of.

        An output that is made of nothing is the last cell's.
        """
        return dim, 0, 0

    def fed(self, hidden, memory):
        """What is fed back before the first step, zeros: a list of one tensor or none."""
        return []

    def run(self, parts, inputs, state):
        """Outputs `(batch, length, units)`, weights `(batch, length, keys)` and the state after."""
        raise NotImplementedError


class Alone(Order):
    """No attention: `o_t = h_t`."""

    def run(self, parts, inputs, state):
        states, _ = parts.split(state)
        hidden, states = parts.cells.over_time(CellStack.step, inputs, states)
        return hidden, None, states


class After(Order):
    """Luong: `c_t = attention(h_t, memory)`, `h~_t = tanh(W_c [c_t; h_t])`.

    Nothing is fed back: the attention and the output are computed for all steps at once.
    """

    def widths(self, dim, units, memory_dim):
        return dim, 0, memory_dim + units

    def run(self, parts, inputs, state):
        states, aligned = parts.split(state)
        hidden, states = parts.cells.over_time(CellStack.step, inputs, states)
        context, weights, aligned = parts.look(hidden, aligned, parts.drawn)
        return parts.output(context, hidden), weights, [*states, *aligned]


class FedBack(Order):
    """What looks, or what it saw, goes into the cells: all in the loop. Gives `step`."""

    def run(self, parts, inputs, state):
        def step(cells, x, state, *drawn):
            def look_once(query, state):
                query, *draws = (ops.expand_dims(part, 1) for part in (query, *drawn))
                context, weights, state = parts.look(query, state, draws)
                return context[:, 0], weights[:, 0], state

            now = parts._replace(cells=cells, look=look_once)
            *answer, state = self.step(now, x, *parts.split(state))
            return ops.concatenate(answer, axis=-1), state

        steps, state = parts.cells.over_time(step, inputs, state, parts.drawn)
        hidden, context, weights = loop.split(steps, parts.units, parts.memory_dim)
        return self.finish(parts, inputs, hidden, context), weights, state

    def step(self, parts, x, states, rest):
        """Output, context, weights and state of one step: `(batch, width)` each."""
        raise NotImplementedError

    def finish(self, parts, inputs, hidden, context):
        """What of the output needs no loop."""
        return hidden


class InputFeeding(FedBack):
    """Luong with input feeding: `h~_{t-1}` goes into the first cell."""

    def widths(self, dim, units, memory_dim):
        return dim + units, 0, memory_dim + units

    def fed(self, hidden, memory):
        return [ops.zeros_like(hidden)]

    def step(self, parts, x, states, rest):
        vector, *aligned = rest
        hidden, states = parts.cells.step(ops.concatenate([x, vector], axis=-1), states)
        context, weights, aligned = parts.look(hidden, aligned)
        vector = parts.output(context, hidden)
        return vector, context, weights, [*states, vector, *aligned]


class Before(FedBack):
    """Bahdanau: the context of `s_{t-1}` goes into the first cell.

    The paper's deep output is a maxout over the same three with `s_{t-1}`; tanh and `s_t` are what
    its successors settled on.
    """

    def widths(self, dim, units, memory_dim):
        return dim + memory_dim, 0, memory_dim + units + dim

    def step(self, parts, x, states, rest):
        context, weights, aligned = parts.look(states[parts.cells.top], rest)
        hidden, states = parts.cells.step(ops.concatenate([x, context], axis=-1), states)
        return hidden, context, weights, [*states, *aligned]

    def finish(self, parts, inputs, hidden, context):
        return parts.output(context, hidden, inputs)


class Between(FedBack):
    """GNMT: the context of the first cell's output goes into the others, and back into itself."""

    asking = 0

    def widths(self, dim, units, memory_dim):
        return dim + memory_dim, memory_dim, 0

    def fed(self, hidden, memory):
        return [ops.zeros_like(memory[:, 0])]

    def step(self, parts, x, states, rest):
        context, *aligned = rest
        first, below = parts.cells.first(ops.concatenate([x, context], axis=-1), states)
        context, weights, aligned = parts.look(first, aligned)
        hidden, above = parts.cells.others(first, states, context)
        return hidden, context, weights, [*below, *above, context, *aligned]


ORDERS = {"before": Before(), "after": After(), "between": Between()}


def order_of(attend, attention, input_feeding, cells):
    """The order that a decoder's arguments mean.

    Raises:
        ValueError: where they do not go together.
    """
    check_choice("RecurrentDecoder", tuple(ORDERS), attend=attend)
    if attend == "between" and len(cells) == 1:
        raise ValueError("RecurrentDecoder: attend='between' needs two `cells` or more, got 1.")
    if input_feeding and (attention is None or attend != "after"):
        raise ValueError(
            "RecurrentDecoder: `input_feeding` feeds the attentional vector, which there is only "
            "with an attention and attend='after'."
        )
    if attention is None:
        return Alone()
    return InputFeeding() if input_feeding else ORDERS[attend]
