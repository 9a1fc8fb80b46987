"""The zoo's GRU with Bahdanau attention in PyTorch: the same weights, cell by cell."""

import torch
import torch.nn.functional as F

from benchmarks.torch_decoding import decode, dense, tensor


class TorchRecurrent:
    """Greedy and beam decoding of the preset bahdanau-gru: PyTorch's GRU encodes, its cell decodes.

    Keys are projected once, and held once for a source.
    """

    def __init__(self, model):
        self.source, self.target = (
            tensor(side.embeddings) for side in (model.source_embedding, model.target_embedding)
        )
        self.encoder = encoder_of(model.encoder[0])
        self.bridge = dense(model.bridge[0])
        (cell,) = model.decoder.cells
        self.cell = cell_of(cell)
        attention = model.decoder.attention
        self.query, self.key = dense(attention.query_projection), dense(attention.key_projection)
        self.v = tensor(attention.v)
        self.output, self.logits = dense(model.decoder.output_projection), dense(model.projection)

    @torch.inference_mode()
    def translate(self, source, beam, steps):
        """Ids `(batch, length)`, no padding -> what `decode` gives."""
        source = torch.from_numpy(source).long()
        memory, last = self.encoder(self.source[source])
        keys = F.linear(memory, *self.key)
        state = torch.tanh(F.linear(torch.cat([*last], -1), *self.bridge))

        def step(tokens, t, state, beams):
            ((hidden,),) = state
            query = F.linear(hidden, *self.query).view(len(keys), beams, 1, -1)
            weights = (torch.tanh(query + keys[:, None]) @ self.v).softmax(-1)
            context = (weights @ memory).flatten(0, 1)  # (batch * beams, memory's width)
            x = self.target[tokens]
            hidden = self.cell(torch.cat([x, context], -1), hidden)
            output = torch.tanh(F.linear(torch.cat([context, hidden, x], -1), *self.output))
            return F.linear(output, *self.logits), [(hidden,)]

        first = [(state.repeat_interleave(beam, 0),)]
        return decode(step, first, len(source), beam, steps)


def encoder_of(layer):
    """A Keras recurrent layer, one way or both, as PyTorch's with the same weights."""
    both = hasattr(layer, "forward_layer")
    ways = [layer.forward_layer, layer.backward_layer] if both else [layer]
    kind, gates = _kind(ways[0])
    width, units = ways[0].cell.kernel.shape[0], ways[0].units
    made = kind(width, units, batch_first=True, bidirectional=both)
    for suffix, way in zip(("", "_reverse"), ways, strict=False):
        for name, value in gates(way.cell).items():
            getattr(made, f"{name}_l0{suffix}").data = value
    return made


def cell_of(cell):
    """A Keras cell as PyTorch's with the same weights."""
    kind, gates = _kind(cell)
    made = kind(cell.kernel.shape[0], cell.units)
    for name, value in gates(cell).items():
        getattr(made, name).data = value
    return made


def _kind(layer):
    """PyTorch's class of the same name, and how its weights come from a cell."""
    name = type(layer).__name__
    return getattr(torch.nn, name), _gru_weights if name.startswith("GRU") else _lstm_weights


def _gru_weights(cell):
    """Keras's order is update, reset, new; PyTorch's reset, update, new."""

    def turned(array):
        update, reset, new = array.chunk(3, -1)
        return torch.cat([reset, update, new], -1)

    bias = turned(tensor(cell.bias))
    return {
        "weight_ih": turned(tensor(cell.kernel)).T.contiguous(),
        "weight_hh": turned(tensor(cell.recurrent_kernel)).T.contiguous(),
        "bias_ih": bias[0].clone(),
        "bias_hh": bias[1].clone(),
    }


def _lstm_weights(cell):
    """The gates are in the same order; Keras has one bias, PyTorch two."""
    bias = tensor(cell.bias)
    return {
        "weight_ih": tensor(cell.kernel).T.contiguous(),
        "weight_hh": tensor(cell.recurrent_kernel).T.contiguous(),
        "bias_ih": bias,
        "bias_hh": torch.zeros_like(bias),
    }
