"""The recurrent decoder with attention: Bahdanau's way, Luong's way and GNMT's."""

import keras
from keras import ops

from zoo.layers import attend as attention_ops
from zoo.layers import loop
from zoo.layers.arguments import check_choice

ORDERS = ("before", "after", "between")


@keras.saving.register_keras_serializable("zoo")
class RecurrentDecoder(keras.layers.Layer):
    """A stack of recurrent cells that looks at a memory at every step.

    `attend="after"` (Luong): the query is the state of step t, the answer joins it in the
    attentional vector, which with input feeding also goes into the next step's cell:

        h_t = cell([y_{t-1}; h~_{t-1}], h_{t-1}),   c_t = attention(h_t, memory)
        h~_t = tanh(W_c [c_t; h_t])

    `attend="before"` (Bahdanau): the query is the state of step t-1, the context goes into the
    cell, and the output is a deep one on state, context and input:

        c_t = attention(s_{t-1}, memory),   s_t = cell([y_{t-1}; c_t], s_{t-1})
        o_t = tanh(W_o [c_t; s_t; y_{t-1}])

    The paper's deep output is a maxout over the same three with s_{t-1}; tanh and s_t are what
    its successors settled on.

    `attend="between"` (GNMT): the query is the first cell's output, and the context goes into all
    cells above it, and into the first cell of the next step:

        h1_t = cell_1([y_{t-1}; c_{t-1}], h1_{t-1}),   c_t = attention(h1_t, memory)
        hk_t = cell_k([h(k-1)_t; c_t], hk_{t-1}),   o_t = hn_t

    Without an attention the output is `h_t` alone (Sutskever 2014): all that is known of the
    source is the initial state. What needs no loop stays out of it: keys are projected once, and
    where nothing is fed back the attention and the output are computed for all steps at once.

    Args:
        cells: a Keras cell (`SimpleRNNCell`, `LSTMCell`, `GRUCell`) or a list of them, first the
            one that sees the input. The last one's output is the state that is spoken of above.
            Dropout between layers is the cells' own, variational: one mask for all steps.
        attention: `LuongAttention`, `BahdanauAttention` or another `Attention`; None for none.
        attend: "after" or "before" the cells, or "between" the first and the others.
        input_feeding: feed `h~_{t-1}` into the cells; for `attend="after"` only.
        residual: add what a cell above the first sees of the one below to what it gives.

    Call arguments:
        inputs: `(batch, length, dim)`, the embedded target tokens, shifted right.
        memory: `(batch, keys, memory_dim)`. Several rows of `inputs` (the hypotheses of a beam) may
            share a row of memory, if the rows of one source lie together.
        memory_mask: boolean `(batch, keys)`, True for tokens. Filled in from the Keras mask.
        keys: the memory's projected keys, if `project_memory` made memory and keys already.
        initial_state: list of `(batch, size)`: the cells' states alone, or all that `start` gives;
            zeros when not given.
        return_attention_scores, return_state: also return them.

    Returns:
        The outputs `(batch, length, units)`; then, if asked for, the weights `(batch, length,
        keys)` and the list of final states. A decoding step is a call of length 1.

    Raises:
        ValueError: for an unknown order, input feeding with nothing to feed, nothing to be between,
            or a residual between widths that differ.

    Reference:
        After: Luong et al. 2015, section 3, eq. 5, and 3.3 (input feeding). Before: Bahdanau et al.
        2015, section 3.1 and appendix A.1.2 and A.2.2. Without: Sutskever et al. 2014, section 2.
        Between: Wu et al. 2016, "Google's Neural Machine Translation System", section 3, eq. 4, and
        3.1 (residual).
    """

    def __init__(
        self,
        cells,
        attention=None,
        attend="after",
        input_feeding=False,
        residual=False,
        **kwargs,
    ):
        super().__init__(**kwargs)
        check_choice("RecurrentDecoder", ORDERS, attend=attend)
        if input_feeding and (attention is None or attend != "after"):
            raise ValueError(
                "RecurrentDecoder: `input_feeding` feeds the attentional vector, which there is "
                "only with an attention and attend='after'."
            )
        self.cells = list(cells) if isinstance(cells, (list, tuple)) else [cells]
        if attend == "between" and len(self.cells) == 1:
            raise ValueError("RecurrentDecoder: attend='between' needs two `cells` or more, got 1.")
        widths = [cell.output_size for cell in self.cells]
        if residual and len(set(widths)) > 1:
            raise ValueError(
                f"RecurrentDecoder: `residual` needs cells of one width, got {widths}."
            )
        self.attention = attention
        self.order = attend
        self.input_feeding = input_feeding
        self.residual = residual
        self.units = widths[-1]
        self.supports_masking = True

    def build(self, inputs_shape, memory_shape=None, keys_shape=None, initial_state_shape=None):
        dim = inputs_shape[-1]
        self.memory_dim = 0 if self.attention is None else memory_shape[-1]
        self.cell_input_dims = self._input_dims(dim)
        for cell, width in zip(self.cells, self.cell_input_dims, strict=True):
            if not cell.built:
                cell.build((None, width))
        if self.attention is None:
            return
        if not self.attention.built:
            asking = self.cells[0] if self.order == "between" else self.cells[-1]
            self.attention.build((None, None, asking.output_size), memory_shape)
        if self.order != "between":
            self.output_projection = keras.layers.Dense(
                self.units, "tanh", use_bias=False, dtype=self.dtype_policy, name="output"
            )
            joined = self.memory_dim + self.units + (dim if self.order == "before" else 0)
            self.output_projection.build((None, None, joined))

    def _input_dims(self, dim):
        """The width of what each cell sees."""
        fed = self.units if self.input_feeding else 0 if self.order == "after" else self.memory_dim
        beside = self.memory_dim if self.order == "between" else 0
        return [dim + fed, *(cell.output_size + beside for cell in self.cells[:-1])]

    def project_memory(self, memory, memory_mask=None):
        """The memory with its padding blanked, and its keys; once for a whole decoding."""
        memory = attention_ops.blank(memory, memory_mask)
        return memory, self.attention.project_key(memory)

    def start(self, states, memory=None, training=False):
        """The state before the first step: `states` of the cells, then what is fed back, then the
        attention's.

        Like `Attention.start`, it is right for symbolic tensors too.
        """
        if self.attention is None:
            return list(states)
        fed = []
        if self.input_feeding:
            fed = [ops.zeros_like(states[self._top])]
        if self.order == "between":
            fed = [ops.zeros_like(memory[:, 0])]
        return [*states, *fed, *self.attention.start(memory, training)]

    def call(
        self,
        inputs,
        memory=None,
        memory_mask=None,
        keys=None,
        initial_state=None,
        return_attention_scores=False,
        return_state=False,
        training=False,
    ):
        sizes = loop.state_sizes(self.cells)
        if self.attention is not None and keys is None:
            memory, keys = self.project_memory(memory, memory_mask)
        if initial_state is None:
            batch = ops.shape(inputs)[0]
            initial_state = [ops.zeros((batch, size), inputs.dtype) for size in sizes]
        if len(initial_state) == len(sizes):
            initial_state = self.start(initial_state, memory, training)

        def look(query, state):
            return self.attention.attend(query, memory, keys, memory_mask, state)

        loop.dropout_masks(self.cells, self.cell_input_dims, initial_state, training)
        try:
            outputs, weights, state = self._run(look, inputs, list(initial_state), training)
        finally:
            loop.forget_dropout_masks(self.cells)
        answers = (outputs,)
        answers += (weights,) if return_attention_scores else ()
        answers += (state,) if return_state else ()
        return answers if len(answers) > 1 else outputs

    def _run(self, look, inputs, state, training):
        count = len(loop.state_sizes(self.cells))
        if self.attention is not None and (self.input_feeding or self.order != "after"):
            return self._run_fed_back(look, inputs, state, training)
        hidden, after = loop.over_time(
            lambda x, states: self._advance(x, states, training), inputs, state[:count]
        )
        if self.attention is None:
            return hidden, None, after
        context, weights, aligned = look(hidden, state[count:])
        return self._output(context, hidden), weights, [*after, *aligned]

    def _run_fed_back(self, look, inputs, state, training):
        """What looks, or what it saw, goes into the cells: all in the loop."""
        count = len(loop.state_sizes(self.cells))
        take = {"before": self._look_then_step, "after": self._step_then_look}
        take = take.get(self.order, self._step_look_step)

        def look_once(query, state):
            context, weights, state = look(ops.expand_dims(query, 1), state)
            return context[:, 0], weights[:, 0], state

        def step(x, states):
            *answer, states = take(look_once, x, states[:count], states[count:], training)
            return ops.concatenate(answer, axis=-1), states

        steps, state = loop.over_time(step, inputs, state)
        hidden, context, weights = loop.split(steps, self.units, self.memory_dim)
        outputs = self._output(context, hidden, inputs) if self.order == "before" else hidden
        return outputs, weights, state

    def _look_then_step(self, look, x, states, aligned, training):
        """Bahdanau: the context of s_{t-1} goes into the cell."""
        context, weights, aligned = look(states[self._top], aligned)
        x = ops.concatenate([x, context], axis=-1)
        hidden, states = self._advance(x, states, training)
        return hidden, context, weights, [*states, *aligned]

    def _step_then_look(self, look, x, states, rest, training):
        """Luong with input feeding: h~_{t-1} goes into the cell."""
        vector, *aligned = rest
        x = ops.concatenate([x, vector], axis=-1)
        hidden, states = self._advance(x, states, training)
        context, weights, aligned = look(hidden, aligned)
        vector = self._output(context, hidden)
        return vector, context, weights, [*states, vector, *aligned]

    def _step_look_step(self, look, x, states, rest, training):
        """GNMT: the context of the first cell's output goes into the others."""
        context, *aligned = rest
        x, count = ops.concatenate([x, context], axis=-1), len(loop.state_sizes(self.cells[:1]))
        first, below = loop.advance(self.cells[:1], x, states, training)
        context, weights, aligned = look(first, aligned)
        hidden, above = loop.advance(
            self.cells[1:], first, states[count:], training, context, self.residual
        )
        return hidden, context, weights, [*below, *above, context, *aligned]

    def _advance(self, x, states, training):
        """Through all cells: the first, and the others with their residuals."""
        x, below = loop.advance(self.cells[:1], x, states, training)
        states = states[len(below) :]
        x, above = loop.advance(self.cells[1:], x, states, training, residual=self.residual)
        return x, [*below, *above]

    @property
    def _top(self):
        """Where among the states the last cell's output is."""
        return len(loop.state_sizes(self.cells[:-1]))

    def _output(self, *parts):
        return self.output_projection(ops.concatenate(parts, axis=-1))

    def get_config(self):
        return {
            **super().get_config(),
            "cells": [keras.saving.serialize_keras_object(cell) for cell in self.cells],
            "attention": keras.saving.serialize_keras_object(self.attention),
            "attend": self.order,
            "input_feeding": self.input_feeding,
            "residual": self.residual,
        }

    @classmethod
    def from_config(cls, config):
        config = dict(config)
        for name in ("cells", "attention"):
            config[name] = keras.saving.deserialize_keras_object(config[name])
        return cls(**config)
