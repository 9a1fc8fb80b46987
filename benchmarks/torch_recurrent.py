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
        self.encoder = _bidirectional(model.encoder[0])
        self.bridge = dense(model.bridge[0])
        (cell,) = model.decoder.cells
        self.cell = _weights(torch.nn.GRUCell, cell)
        attention = model.decoder.attention
        self.query, self.key = dense(attention.query_projection), dense(attention.key_projection)
        self.v = tensor(attention.v)
        self.output, self.logits = dense(model.decoder.output_projection), dense(model.projection)

    @torch.inference_mode()
    def translate(self, source, beam, steps):
        """Ids `(batch, length)`, no padding -> the best string of ids of each, `(batch, steps)`."""
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


def _bidirectional(layer):
    ways = layer.forward_layer, layer.backward_layer
    units, width = ways[0].units, ways[0].cell.kernel.shape[0]
    gru = torch.nn.GRU(width, units, batch_first=True, bidirectional=True)
    parts = [_gates(way.cell) for way in ways]
    for suffix, values in zip(("", "_reverse"), parts, strict=True):
        for name, value in values.items():
            getattr(gru, f"{name}_l0{suffix}").data = value
    return gru


def _weights(kind, cell):
    made = kind(cell.kernel.shape[0], cell.units)
    for name, value in _gates(cell).items():
        getattr(made, name).data = value
    return made


def _gates(cell):
    """Keras's order is update, reset, new; PyTorch's reset, update, new."""

    def turned(array):
        update, reset, new = array.chunk(3, -1)
        return torch.cat([reset, update, new], -1)

    bias = turned(tensor(cell.bias))
    return {
        "weight_ih": turned(tensor(cell.kernel)).T.contiguous(),
        "weight_hh": turned(tensor(cell.recurrent_kernel)).T.contiguous(),
        "bias_ih": bias[0],
        "bias_hh": bias[1],
    }
