"""The recurrent decoder with attention: Bahdanau's way, Luong's way and GNMT's."""

import keras
from keras import ops

from zoo.layers import attend as attention_ops
from zoo.layers import shapes
from zoo.layers.arguments import check_attention, check_rate, list_of_cells
from zoo.layers.cell_stack import CellStack, draw_drops, one_mask_a_sequence, state_sizes
from zoo.layers.dense import Dense
from zoo.layers.recurrent_orders import Parts, order_of


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

    `attend="between"` (GNMT): the query is the first cell's output, and the context goes into all
    cells above it, and into the first cell of the next step:

        h1_t = cell_1([y_{t-1}; c_{t-1}], h1_{t-1}),   c_t = attention(h1_t, memory)
        hk_t = cell_k([h(k-1)_t; c_t], hk_{t-1}),   o_t = hn_t

    Without an attention the output is `h_t`: the initial state is all it knows (Sutskever 2014).

    Args:
        cells: a Keras cell (`SimpleRNNCell`, `LSTMCell`, `GRUCell`) or a list of them, first the
            one that sees the input. The last one's output is the state that is spoken of above.
            A dropout of their own is variational: one mask for all steps.
        attention: `LuongAttention`, `BahdanauAttention` or another `Attention`; None for none.
        attend: "after" or "before" the cells, or "between" the first and the others.
        input_feeding: feed `h~_{t-1}` into the cells; for `attend="after"` only.
        residual: add what the cell below gives to what a cell above the first gives.
        dropout, seed: rate on what each cell above the first sees of the one below, in training;
            every step has a mask of its own, and what goes from step to step is left alone.

    Call arguments:
        inputs: `(batch, length, dim)`, the embedded target tokens, shifted right.
        memory: `(batch, keys, memory_dim)`.
        memory_mask: boolean `(batch, keys)`, True for tokens. Filled in from the Keras mask.
        keys: the memory's projected keys, if `project_memory` made memory and keys already. Several
            rows of `inputs` (a beam's), as many each and together, may then share a row of memory.
        initial_state: list of `(batch, size)`: the cells' states alone, or all that `start` gives;
            zeros when not given.
        inputs_mask: boolean `(batch, length)`, False for steps that leave the states as they are,
            and whose outputs mean nothing. Filled in from the Keras mask.
        return_attention_scores, return_state: also return them.

    Returns:
        The outputs `(batch, length, units)`; then, if asked for, the weights `(batch, length,
        keys)` and the list of final states. A decoding step is a call of length 1.

    Raises:
        ValueError: for arguments that do not go together, and for shapes that do not fit.

    Reference:
        After: Luong et al. 2015, section 3, eq. 5, and 3.3 (input feeding). Before: Bahdanau et al.
        2015, section 3.1, appendix A.1.2 and A.2.2. Without: Sutskever et al. 2014, section 2.
        Between: Wu et al. 2016, "Google's Neural Machine Translation System", section 3, eq. 4, and
        3.1 (residual). Dropout: Zaremba et al. 2014, "Recurrent Neural Network Regularization",
        section 3.2.
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
        check_attention("RecurrentDecoder", attention)
        self.cells = list_of_cells("RecurrentDecoder", cells)
        self.order = order_of(attend, attention, input_feeding, self.cells)
        widths = [cell.output_size for cell in self.cells]
        if residual and len(set(widths)) > 1:
            raise ValueError(f"{self.name}: `residual` needs cells of one width, got {widths}.")
        self.attention = attention
        self.attend = attend
        self.input_feeding = input_feeding
        self.residual = residual
        self.dropout = dropout
        self.seed = seed
        between = dropout if len(self.cells) > 1 else 0.0  # else no seed is drawn for nothing
        self.drop = keras.layers.Dropout(between, seed=seed, dtype=self.dtype_policy)
        self.units = widths[-1]
        self.supports_masking = True

    def build(self, inputs_shape, memory_shape=None, keys_shape=None, initial_state_shape=None):
        self.dim = dim = inputs_shape[-1]
        if self.attention is not None and memory_shape is None:
            raise ValueError(f"{self.name}: `memory` must be given where there is an attention.")
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
            self.output_projection = Dense(
                self.units, "tanh", use_bias=False, dtype=self.dtype_policy, name="output"
            )
            self.output_projection.build((None, None, joined))
        self._foresee()

    def _foresee(self):
        """The widths of all that `start` and `project_memory` give, to check what comes back."""
        memory = keras.KerasTensor((None, None, self.memory_dim))
        states = [keras.KerasTensor((None, size)) for size in state_sizes(self.cells)]
        self.state_widths = [state.shape[1] for state in self.start(states, memory)]
        if self.attention is not None:
            self.key_dim = self.attention.project_key(memory).shape[-1]

    def project_memory(self, memory, memory_mask=None):
        """The memory with its padding blanked, and its keys; once for a whole decoding."""
        memory = attention_ops.blank(memory, memory_mask)
        return memory, self.attention.project_key(memory)

    def start(self, states, memory=None):
        """What precedes the first step: the cells' states, what is fed back, the attention's."""
        if self.attention is None:
            return list(states)
        hidden = states[len(state_sizes(self.cells[:-1]))]
        return [*states, *self.order.fed(hidden, memory), *self.attention.start(memory)]

    def _output(self, *parts):
        return self.output_projection(ops.concatenate(parts, axis=-1))

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
        shapes.check_sequence(self.name, "inputs", inputs, self.dim)
        shapes.check_mask(self.name, inputs_mask, inputs, names=("inputs_mask", "inputs"))
        shapes.check_list(self.name, "initial_state", initial_state)
        inputs, memory = (attention_ops.real(x, self.compute_dtype) for x in (inputs, memory))
        if self.attention is None:
            looked_at = {"memory": memory, "memory_mask": memory_mask, "keys": keys}
            shapes.refuse(self.name, "is for a decoder with an attention", **looked_at)
        else:
            known = keys is not None
            shapes.check_memory(self.name, inputs, memory, memory_mask, self.memory_dim, known)
            if not known:
                memory, keys = self.project_memory(memory, memory_mask)
            shapes.check_keys(self.name, keys, memory, self.key_dim)
        drops = draw_drops(self.drop, self.cells, inputs) if training and self.dropout else ()
        cells = CellStack(self.cells, self.residual, training, drops, inputs_mask)
        if initial_state is None:
            batch = ops.shape(inputs)[0]
            initial_state = [ops.zeros((batch, size), inputs.dtype) for size in cells.sizes]
        if len(initial_state) == len(cells.sizes):
            initial_state = self.start(initial_state, memory)
        shapes.check_states(self.name, initial_state, self.state_widths, inputs.shape[0])

        def look(query, state, drawn):
            return self.attention.attend(query, memory, keys, memory_mask, state, drawn)

        drawn = self.attention.draw(inputs, memory) if training and self.memory_dim else []
        parts = Parts(cells, look, self._output, self.units, self.memory_dim, drawn)
        with one_mask_a_sequence(self.cells, self.cell_input_dims, initial_state, training):
            outputs, weights, state = self.order.run(parts, inputs, list(initial_state))
        asked = ((weights, return_attention_scores), (state, return_state))
        answers = (outputs, *(answer for answer, wanted in asked if wanted))
        return answers if len(answers) > 1 else outputs

    def get_config(self):
        plain = ("attend", "input_feeding", "residual", "dropout", "seed")
        return {
            **super().get_config(),
            **{name: getattr(self, name) for name in plain},
            "cells": [keras.saving.serialize_keras_object(cell) for cell in self.cells],
            "attention": keras.saving.serialize_keras_object(self.attention),
        }

    @classmethod
    def from_config(cls, config):
        config = dict(config)
        for name in ("cells", "attention"):
            config[name] = keras.saving.deserialize_keras_object(config[name])
        return cls(**config)
