"""The recurrent decoder with attention: Bahdanau's way, Luong's way and GNMT's."""

import keras
from keras import ops

from zoo.layers import attend as attention_ops
from zoo.layers.arguments import check_choice, check_rate
from zoo.layers.cell_stack import (
    CellStack,
    dropout_masks,
    forget_dropout_masks,
    state_sizes,
)
from zoo.layers.recurrent_orders import ORDERS, Parts, order_of


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
            A dropout of their own is variational: one mask for all steps.
        attention: `LuongAttention`, `BahdanauAttention` or another `Attention`; None for none.
        attend: "after" or "before" the cells, or "between" the first and the others.
        input_feeding: feed `h~_{t-1}` into the cells; for `attend="after"` only.
        residual: add what the cell below gives to what a cell above the first gives.
        dropout: rate on what each cell above the first sees of the one below, in training; every
            step has a mask of its own, and what goes from step to step is left alone.
        seed: of that dropout.

    Call arguments:
        inputs: `(batch, length, dim)`, the embedded target tokens, shifted right.
        memory: `(batch, keys, memory_dim)`. Several rows of `inputs` (the hypotheses of a beam) may
            share a row of memory, if the rows of one source lie together.
        memory_mask: boolean `(batch, keys)`, True for tokens. Filled in from the Keras mask.
        keys: the memory's projected keys, if `project_memory` made memory and keys already.
        initial_state: list of `(batch, size)`: the cells' states alone, or all that `start` gives;
            zeros when not given.
        inputs_mask: boolean `(batch, length)`, False for steps that leave the states as they are,
            and whose outputs mean nothing. Filled in from the Keras mask.
        return_attention_scores, return_state: also return them.

    Returns:
        The outputs `(batch, length, units)`; then, if asked for, the weights `(batch, length,
        keys)` and the list of final states. A decoding step is a call of length 1.

    Raises:
        ValueError: for an unknown order, input feeding with nothing to feed, nothing to be between,
            a residual between widths that differ, or a rate that is none.

    Reference:
        Luong et al. 2015, section 3, eq. 5, and 3.3 (input feeding). Bahdanau et al. 2015, section
        3.1 and appendix A.1.2 and A.2.2. Sutskever et al. 2014, section 2. Wu et al. 2016,
        "Google's Neural Machine Translation System", section 3, eq. 4, and 3.1 (residual). Dropout:
        Zaremba, Sutskever, Vinyals 2014, "Recurrent Neural Network Regularization", section 3.2.
    """

    def __init__(
        self,
        cells,
        attention=None,
        attend="after",
        input_feeding=False,
        residual=False,
        dropout=0.0,
        seed=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        check_rate("RecurrentDecoder", dropout=dropout)
        check_choice("RecurrentDecoder", tuple(ORDERS), attend=attend)
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
        self.attend = attend
        self.order = order_of(attend, attention, input_feeding)
        self.input_feeding = input_feeding
        self.residual = residual
        self.dropout = dropout
        self.seed = seed
        self.drop = keras.layers.Dropout(dropout, seed=seed, dtype=self.dtype_policy)
        self.units = widths[-1]
        self.supports_masking = True

    def build(self, inputs_shape, memory_shape=None, keys_shape=None, initial_state_shape=None):
        dim = inputs_shape[-1]
        self.memory_dim = 0 if self.attention is None else memory_shape[-1]
        first, beside, joined = self.order.widths(dim, self.units, self.memory_dim)
        self.cell_input_dims = [first, *(cell.output_size + beside for cell in self.cells[:-1])]
        for cell, width in zip(self.cells, self.cell_input_dims, strict=True):
            if not cell.built:
                cell.build((None, width))
        if self.attention is not None and not self.attention.built:
            query_dim = self.cells[self.order.asking].output_size
            self.attention.build((None, None, query_dim), memory_shape)
        if joined:
            self.output_projection = keras.layers.Dense(
                self.units, "tanh", use_bias=False, dtype=self.dtype_policy, name="output"
            )
            self.output_projection.build((None, None, joined))

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
        hidden = states[len(state_sizes(self.cells[:-1]))]
        return [*states, *self.order.fed(hidden, memory), *self.attention.start(memory, training)]

    def call(
        self,
        inputs,
        memory=None,
        memory_mask=None,
        keys=None,
        initial_state=None,
        inputs_mask=None,
        return_attention_scores=False,
        return_state=False,
        training=False,
    ):
        drops = self._draw(inputs) if training and self.dropout else ()
        cells = CellStack(self.cells, self.residual, training, drops, inputs_mask)
        if self.attention is not None and keys is None:
            memory, keys = self.project_memory(memory, memory_mask)
        if initial_state is None:
            batch = ops.shape(inputs)[0]
            initial_state = [ops.zeros((batch, size), inputs.dtype) for size in cells.sizes]
        if len(initial_state) == len(cells.sizes):
            initial_state = self.start(initial_state, memory, training)

        def look(query, state):
            return self.attention.attend(query, memory, keys, memory_mask, state)

        parts = Parts(cells, look, self._output, self.units, self.memory_dim)
        dropout_masks(self.cells, self.cell_input_dims, initial_state, training)
        try:
            outputs, weights, state = self.order.run(parts, inputs, list(initial_state))
        finally:
            forget_dropout_masks(self.cells)
        answers = (outputs,)
        answers += (weights,) if return_attention_scores else ()
        answers += (state,) if return_state else ()
        return answers if len(answers) > 1 else outputs

    def _draw(self, inputs):
        """Dropout masks for all steps, before the loop, where each backend can draw."""
        row = ops.ones_like(inputs[..., :1])
        widths = [cell.output_size for cell in self.cells[:-1]]
        return [self.drop(ops.repeat(row, width, axis=-1), training=True) for width in widths]

    def _output(self, *parts):
        return self.output_projection(ops.concatenate(parts, axis=-1))

    def get_config(self):
        return {
            **super().get_config(),
            "cells": [keras.saving.serialize_keras_object(cell) for cell in self.cells],
            "attention": keras.saving.serialize_keras_object(self.attention),
            "attend": self.attend,
            "input_feeding": self.input_feeding,
            "residual": self.residual,
            "dropout": self.dropout,
            "seed": self.seed,
        }

    @classmethod
    def from_config(cls, config):
        config = dict(config)
        for name in ("cells", "attention"):
            config[name] = keras.saving.deserialize_keras_object(config[name])
        return cls(**config)
