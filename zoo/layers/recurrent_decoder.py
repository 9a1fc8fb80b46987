"""The recurrent decoder with attention, Bahdanau's way and Luong's way."""

import keras
from keras import ops

from zoo.layers import attend as attention_ops
from zoo.layers import loop

ORDERS = ("before", "after")


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
    its successors settled on. Without an attention the output is `h_t` alone (Sutskever 2014): all
    that is known of the source is the initial state.

    What needs no loop stays out of it: keys are projected once, and where nothing is fed back the
    attention and the output are computed for all steps at once.

    Args:
        cells: a Keras cell (`SimpleRNNCell`, `LSTMCell`, `GRUCell`) or a list of them, first the
            one that sees the input. The last one's output is the state that is spoken of above.
        attention: `LuongAttention`, `BahdanauAttention` or another `Attention`; None for none.
        attend: "after" or "before" the cells.
        input_feeding: feed `h~_{t-1}` into the cells; for `attend="after"` only.

    Call arguments:
        inputs: `(batch, length, dim)`, the embedded target tokens, shifted right.
        memory: `(batch, keys, memory_dim)`. Several rows of `inputs` (the hypotheses of a beam) may
            share a row of memory, if the rows of one source lie together.
        memory_mask: boolean `(batch, keys)`, True for tokens. Filled in from the Keras mask.
        keys: the memory's projected keys, if `project_memory` made memory and keys already.
        initial_state: list of `(batch, size)`, one for each of `state_sizes`; zeros when not given.
        return_attention_scores, return_state: also return them.

    Returns:
        The outputs `(batch, length, units)`; then, if asked for, the weights `(batch, length,
        keys)` and the list of final states. A decoding step is a call of length 1.

    Raises:
        ValueError: for an unknown order, or input feeding with nothing to feed.

    Reference:
        Luong et al. 2015, section 3, eq. 5, and 3.3 (input feeding). Bahdanau et al. 2015, section
        3.1 and appendix A.1.2 and A.2.2. Sutskever et al. 2014, section 2.
    """

    def __init__(self, cells, attention=None, attend="after", input_feeding=False, **kwargs):
        super().__init__(**kwargs)
        if attend not in ORDERS:
            raise ValueError(f"RecurrentDecoder: `attend` must be one of {ORDERS}, got {attend!r}.")
        if input_feeding and (attention is None or attend == "before"):
            raise ValueError(
                "RecurrentDecoder: `input_feeding` feeds the attentional vector, which there is "
                "only with an attention and attend='after'."
            )
        self.cells = list(cells) if isinstance(cells, (list, tuple)) else [cells]
        self.attention = attention
        self.order = attend
        self.input_feeding = input_feeding
        self.looks_first = attention is not None and attend == "before"
        self.units = self.cells[-1].output_size
        self.supports_masking = True

    @property
    def state_sizes(self):
        """Width of each state, cell by cell; last the attentional vector, where it is fed."""
        return loop.state_sizes(self.cells) + ([self.units] if self.input_feeding else [])

    def build(self, inputs_shape, memory_shape=None, keys_shape=None, initial_state_shape=None):
        dim = inputs_shape[-1]
        self.memory_dim = 0 if self.attention is None else memory_shape[-1]
        fed = self.memory_dim if self.looks_first else self.units if self.input_feeding else 0
        self.cell_input_dim = width = dim + fed
        for cell in self.cells:
            if not cell.built:
                cell.build((None, width))
            width = cell.output_size
        if self.attention is not None:
            if not self.attention.built:
                self.attention.build((None, None, self.units), memory_shape)
            self.output_projection = keras.layers.Dense(
                self.units, "tanh", use_bias=False, dtype=self.dtype_policy, name="output"
            )
            joined = self.memory_dim + self.units + (dim if self.looks_first else 0)
            self.output_projection.build((None, None, joined))

    def project_memory(self, memory, memory_mask=None):
        """The memory with its padding blanked, and its keys; once for a whole decoding."""
        memory = attention_ops.blank(memory, memory_mask)
        return memory, self.attention.project_key(memory)

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
        if initial_state is None:
            batch = ops.shape(inputs)[0]
            initial_state = [ops.zeros((batch, size), inputs.dtype) for size in self.state_sizes]
        if self.attention is not None and keys is None:
            memory, keys = self.project_memory(memory, memory_mask)

        def look(query):
            return self.attention.attend(query, memory, keys, memory_mask)

        batch, width = ops.shape(inputs)[0], self.cell_input_dim
        loop.dropout_masks(
            self.cells, ops.ones((batch, width), inputs.dtype), initial_state, training
        )
        try:
            outputs, weights, state = self._run(look, inputs, list(initial_state), training)
        finally:
            loop.forget_dropout_masks(self.cells)
        answers = (outputs,)
        answers += (weights,) if return_attention_scores else ()
        answers += (state,) if return_state else ()
        return answers if len(answers) > 1 else outputs

    def _run(self, look, inputs, state, training):
        if self.looks_first:
            return self._look_then_step(look, inputs, state, training)
        if self.input_feeding:
            return self._step_then_look(look, inputs, state, training)
        hidden, state = loop.over_time(
            lambda x, states: loop.advance(self.cells, x, states, training), inputs, state
        )
        if self.attention is None:
            return hidden, None, state
        context, weights = look(hidden)
        return self._output(context, hidden), weights, state

    def _look_then_step(self, look, inputs, state, training):
        """Bahdanau: the context of s_{t-1} goes into the cell."""
        top = len(loop.state_sizes(self.cells[:-1]))

        def step(x, states):
            context, weights = look(ops.expand_dims(states[top], 1))
            x = ops.concatenate([x, context[:, 0]], axis=-1)
            hidden, states = loop.advance(self.cells, x, states, training)
            return ops.concatenate([hidden, context[:, 0], weights[:, 0]], axis=-1), states

        steps, state = loop.over_time(step, inputs, state)
        end = self.units + self.memory_dim
        hidden, context = steps[..., : self.units], steps[..., self.units : end]
        return self._output(context, hidden, inputs), steps[..., end:], state

    def _step_then_look(self, look, inputs, state, training):
        """Luong with input feeding: h~_{t-1} goes into the cell."""

        def step(x, states):
            x = ops.concatenate([x, states[-1]], axis=-1)
            hidden, after = loop.advance(self.cells, x, states, training)
            context, weights = look(ops.expand_dims(hidden, 1))
            vector = self._output(context[:, 0], hidden)
            return ops.concatenate([vector, weights[:, 0]], axis=-1), [*after, vector]

        steps, state = loop.over_time(step, inputs, state)
        vectors = ops.reshape(steps[..., : self.units], (*ops.shape(steps)[:2], self.units))
        return vectors, steps[..., self.units :], state

    def _output(self, *parts):
        return self.output_projection(ops.concatenate(parts, axis=-1))

    def get_config(self):
        return {
            **super().get_config(),
            "cells": [keras.saving.serialize_keras_object(cell) for cell in self.cells],
            "attention": keras.saving.serialize_keras_object(self.attention),
            "attend": self.order,
            "input_feeding": self.input_feeding,
        }

    @classmethod
    def from_config(cls, config):
        config = dict(config)
        for name in ("cells", "attention"):
            config[name] = keras.saving.deserialize_keras_object(config[name])
        return cls(**config)
