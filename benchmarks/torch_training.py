"""The zoo's models in PyTorch as they are trained: the same weights, dropout, loss and updates.

Eager, with `scaled_dot_product_attention`, and a loop over the decoder's cells, as JoeyNMT's. All
that needs no loop stands outside of it.
"""

import torch
import torch.nn.functional as F
from keras import ops
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from benchmarks.torch_decoding import dense, tensor
from benchmarks.torch_recurrent import cell_of, encoder_of
from benchmarks.torch_transformer import (
    LENGTH,
    decoder_block,
    encoder_block,
    merge,
    norm_of,
    normed,
)


class Training:
    """Steps of a model; a subclass gives `take(model)` and `logits(source, target)`.

    Args:
        model: the zoo's.
        dropout: its rate.
        label_smoothing: of the loss.
        clip_norm: the largest global norm of a gradient.
        adam: the arguments of Adam.
    """

    def __init__(self, model, dropout, label_smoothing, clip_norm, **adam):
        self.dropout, self.label_smoothing, self.clip_norm = dropout, label_smoothing, clip_norm
        self.parameters = list(dict.fromkeys(_parameters(self.take(model))))
        for parameter in self.parameters:
            parameter.requires_grad_()
        self.optimizer = torch.optim.Adam(self.parameters, **adam)

    def step(self, source, target_in, target_out):
        """An update; the loss before it."""
        self.optimizer.zero_grad()
        loss = self.loss(source, target_in, target_out)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.parameters, self.clip_norm)
        self.optimizer.step()
        return loss.item()

    def loss(self, source, target_in, target_out):
        logits = self.logits(source, target_in).flatten(0, 1)
        labels, smoothing = target_out.flatten(), self.label_smoothing
        return F.cross_entropy(logits, labels, ignore_index=0, label_smoothing=smoothing)

    def drop(self, x):
        return F.dropout(x, self.dropout)


class TransformerTraining(Training):
    """Of a pre-norm `TransformerTranslator` with sinusoidal positions and one embedding for all."""

    def take(self, model):
        self.heads, self.dim = model.options["num_heads"], model.options["dim"]
        self.embeddings = tensor(model.source_embedding.embeddings)
        places = ops.expand_dims(ops.arange(LENGTH), 0)
        self.positions = tensor(model.source_positions.encode(places, self.dim)[0])
        self.encoder = [encoder_block(block) for block in model.encoder]
        self.decoder = [decoder_block(block) for block in model.decoder]
        self.norms = norm_of(model.encoder_norm), norm_of(model.decoder_norm)
        return self.embeddings, self.encoder, self.decoder, self.norms

    def logits(self, source, target):
        mask = (source != 0)[:, None, None]
        memory = self._embed(source)
        for norm, qkv, out, *feed in self.encoder:
            q, k, v = self._split(F.linear(normed(memory, norm), *qkv), 3)
            memory = memory + self.drop(F.linear(self._attend(q, k, v, mask), *out))
            memory = memory + self._feed(memory, *feed)
        memory = normed(memory, self.norms[0])
        x = self._embed(target)
        for block in self.decoder:
            q, k, v = self._split(F.linear(normed(x, block["norm"]), *block["qkv"]), 3)
            answer = self._attend(q, k, v, is_causal=True)
            x = x + self.drop(F.linear(answer, *block["out"]))
            (q,) = self._split(F.linear(normed(x, block["cross_norm"]), *block["query"]), 1)
            k, v = self._split(F.linear(memory, *block["memory"]), 2)
            x = x + self.drop(F.linear(self._attend(q, k, v, mask), *block["cross_out"]))
            x = x + self._feed(x, *block["feed"])
        return F.linear(normed(x, self.norms[1]), self.embeddings)

    def _embed(self, ids):
        x = F.embedding(ids, self.embeddings) * self.dim**0.5
        return self.drop(x + self.positions[: ids.shape[1]])

    def _split(self, x, parts):
        """`(batch, length, parts * dim)` -> parts of `(batch, heads, length, width)`."""
        batch, length, _ = x.shape
        return x.view(batch, length, parts, self.heads, -1).permute(2, 0, 3, 1, 4).unbind()

    def _attend(self, q, k, v, mask=None, is_causal=False):
        return merge(F.scaled_dot_product_attention(q, k, v, mask, self.dropout, is_causal))

    def _feed(self, x, norm, expand, contract):
        hidden = self.drop(F.relu(F.linear(normed(x, norm), *expand)))
        return self.drop(F.linear(hidden, *contract))


class RecurrentTraining(Training):
    """Of a `RecurrentTranslator` of one layer; a subclass gives the decoder's loop."""

    def take(self, model):
        self.source, self.target = (
            tensor(side.embeddings) for side in (model.source_embedding, model.target_embedding)
        )
        self.encoder = encoder_of(model.encoder[0])
        self.bridge = [dense(layer) for layer in model.bridge]
        (cell,) = model.decoder.cells
        self.cell = cell_of(cell)
        self.output, self.projection = (
            dense(layer) for layer in (model.decoder.output_projection, model.projection)
        )
        return (
            *(self.source, self.target, self.encoder, self.bridge, self.cell),
            *(self.output, self.projection, self.take_attention(model.decoder.attention)),
        )

    def logits(self, source, target):
        mask = source != 0
        embedded = self.drop(F.embedding(source, self.source))
        lengths = mask.sum(1)
        packed = pack_padded_sequence(embedded, lengths, batch_first=True, enforce_sorted=False)
        packed, last = self.encoder(packed)
        memory, _ = pad_packed_sequence(packed, batch_first=True, total_length=source.shape[1])
        last = torch.cat([part for state in _states(last) for part in state], -1)
        state = [torch.tanh(F.linear(last, *weights)) for weights in self.bridge]
        inputs = self.drop(F.embedding(target, self.target))
        outputs = self.decode(inputs, state, self.drop(memory), mask)
        return F.linear(self.drop(outputs), *self.projection)


class BahdanauTraining(RecurrentTraining):
    """Of the preset bahdanau-gru."""

    def take_attention(self, attention):
        self.query, self.key = dense(attention.query_projection), dense(attention.key_projection)
        self.v = tensor(attention.v)
        return self.query, self.key, self.v

    def decode(self, inputs, state, memory, mask):
        keys, (hidden,), contexts, states = F.linear(memory, *self.key), state, [], []
        for x in inputs.unbind(1):
            query = F.linear(hidden, *self.query)[:, None]
            scores = torch.tanh(query + keys) @ self.v
            weights = scores.masked_fill(~mask, -torch.inf).softmax(-1)
            context = torch.bmm(weights[:, None], memory)[:, 0]
            hidden = self.cell(torch.cat([x, context], -1), hidden)
            contexts.append(context)
            states.append(hidden)
        parts = torch.stack(contexts, 1), torch.stack(states, 1), inputs
        return torch.tanh(F.linear(torch.cat(parts, -1), *self.output))


class LuongTraining(RecurrentTraining):
    """Of the preset luong-general, an LSTM with input feeding."""

    def take_attention(self, attention):
        self.key = dense(attention.key_projection)
        return self.key

    def decode(self, inputs, state, memory, mask):
        keys = F.linear(memory, *self.key)
        vector, vectors = torch.zeros_like(state[0]), []
        for x in inputs.unbind(1):
            state = self.cell(torch.cat([x, vector], -1), state)
            scores = torch.bmm(keys, state[0][..., None])[..., 0]
            weights = scores.masked_fill(~mask, -torch.inf).softmax(-1)
            context = torch.bmm(weights[:, None], memory)[:, 0]
            vector = torch.tanh(F.linear(torch.cat([context, state[0]], -1), *self.output))
            vectors.append(vector)
        return torch.stack(vectors, 1)


def _states(last):
    """The final states of an encoder, one for each way, as Keras orders them: way by way."""
    states = last if isinstance(last, tuple) else (last,)
    return zip(*states, strict=True)


def _parameters(part):
    """All that is learned in it: it holds modules and tensors, and None for no bias."""
    if isinstance(part, torch.nn.Module):
        yield from part.parameters()
    elif isinstance(part, torch.Tensor):
        yield part
    elif part is not None:
        for inner in part.values() if isinstance(part, dict) else part:
            yield from _parameters(inner)
