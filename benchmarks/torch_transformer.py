"""The zoo's plain Transformer in PyTorch: the same weights, a loop with a key-value cache."""

import numpy as np
import torch
import torch.nn.functional as F
from keras import ops

START = 2


class TorchTransformer:
    """Greedy and beam decoding of a pre-norm `TransformerTranslator` with sinusoidal positions.

    It decodes a fixed number of steps, and keeps no finished hypotheses: less work than ours.
    """

    def __init__(self, model, length):
        self.heads, self.dim = model.options["num_heads"], model.options["dim"]
        self.source, self.target = (
            _tensor(side.embeddings) * self.dim**0.5
            for side in (model.source_embedding, model.target_embedding)
        )
        places = ops.expand_dims(ops.arange(length), 0)
        self.positions = _tensor(model.source_positions.encode(places, self.dim)[0])
        self.encoder = [_encoder_block(block) for block in model.encoder]
        self.decoder = [_decoder_block(block) for block in model.decoder]
        self.norms = _norm(model.encoder_norm), _norm(model.decoder_norm)
        self.logits = _dense(model.projection)

    @torch.inference_mode()
    def translate(self, source, beam, steps):
        """Ids `(batch, length)` -> the best string of ids of each, `(batch, steps)`."""
        memories = self._encode(torch.from_numpy(source).long())
        return (self._greedy if beam == 1 else self._beam)(memories, len(source), beam, steps)

    def _encode(self, source):
        mask = (source != 0)[:, None, None]
        x = self.source[source] + self.positions[: source.shape[1]]
        for norm, qkv, out, feed_norm, expand, contract in self.encoder:
            q, k, v = self._split(F.linear(_normed(x, norm), *qkv), 3)
            x = x + F.linear(_merge(F.scaled_dot_product_attention(q, k, v, mask)), *out)
            x = x + _feed(x, feed_norm, expand, contract)
        memory = _normed(x, self.norms[0])
        return [
            (*self._split(F.linear(memory, *block["memory"]), 2), mask) for block in self.decoder
        ]

    def _split(self, x, parts):
        """`(batch, length, parts * dim)` -> parts of `(batch, heads, length, width)`."""
        batch, length, _ = x.shape
        return x.view(batch, length, parts, self.heads, -1).permute(2, 0, 3, 1, 4).unbind()

    def _step(self, tokens, t, caches, memories, beams):
        x = (self.target[tokens] + self.positions[t])[:, None]
        for i, block in enumerate(self.decoder):
            q, k, v = self._split(F.linear(_normed(x, block["norm"]), *block["qkv"]), 3)
            if t:
                k, v = torch.cat([caches[i][0], k], 2), torch.cat([caches[i][1], v], 2)
            caches[i] = k, v
            x = x + F.linear(_merge(F.scaled_dot_product_attention(q, k, v)), *block["out"])
            query = F.linear(_normed(x, block["cross_norm"]), *block["query"])
            (q,) = self._split(query.view(-1, beams, self.dim), 1)
            answer = _merge(F.scaled_dot_product_attention(q, *memories[i]))
            x = x + F.linear(answer.reshape(x.shape), *block["cross_out"])
            x = x + _feed(x, *block["feed"])
        return F.linear(_normed(x[:, 0], self.norms[1]), *self.logits)

    def _greedy(self, memories, batch, beam, steps):
        tokens, caches, chosen = torch.full((batch,), START), [None] * len(self.decoder), []
        for t in range(steps):
            logits = self._step(tokens, t, caches, memories, 1)
            logits[:, :4] = -torch.inf
            tokens = logits.argmax(-1)
            chosen.append(tokens)
        return torch.stack(chosen, 1)

    def _beam(self, memories, batch, beam, steps):
        tokens, caches = torch.full((batch * beam,), START), [None] * len(self.decoder)
        totals = torch.tensor([0.0] + [-1e30] * (beam - 1)).repeat(batch, 1)
        strings = torch.empty((batch * beam, 0), dtype=torch.long)
        rows = torch.arange(batch)[:, None] * beam
        for t in range(steps):
            logits = self._step(tokens, t, caches, memories, beam)
            logits[:, :4] = -torch.inf
            gains = torch.log_softmax(logits, -1).view(batch, beam, -1)
            totals, places = (totals[..., None] + gains).flatten(1).topk(beam)
            size = gains.shape[-1]
            chosen, tokens = (rows + places // size).flatten(), (places % size).flatten()
            caches = [(k[chosen], v[chosen]) for k, v in caches]
            strings = torch.cat([strings[chosen], tokens[:, None]], 1)
        return strings.view(batch, beam, -1)[:, 0]


def _encoder_block(block):
    attention = block.attention
    return (
        _norm(block.around_attention.norm),
        _dense(attention.projection),
        _dense(attention.output_projection),
        *_feed_forward(block),
    )


def _decoder_block(block):
    own, cross = block.self_attention, block.cross_attention
    key, value = cross.key_projection, cross.value_projection
    weight = torch.cat([_tensor(key.kernel), _tensor(value.kernel)], 1).T.contiguous()
    bias = torch.cat([torch.zeros(key.units), _tensor(value.bias)])
    return {
        "norm": _norm(block.around_self.norm),
        "qkv": _dense(own.projection),
        "out": _dense(own.output_projection),
        "cross_norm": _norm(block.around_cross.norm),
        "query": _dense(cross.query_projection),
        "memory": (weight, bias),
        "cross_out": _dense(cross.output_projection),
        "feed": _feed_forward(block),
    }


def _feed_forward(block):
    feed = block.feed_forward
    return _norm(block.around_feed_forward.norm), _dense(feed.expand), _dense(feed.contract)


def _feed(x, norm, expand, contract):
    return F.linear(F.relu(F.linear(_normed(x, norm), *expand)), *contract)


def _norm(norm):
    return _tensor(norm.gamma), _tensor(norm.beta)


def _normed(x, norm):
    return F.layer_norm(x, x.shape[-1:], *norm, eps=1e-5)


def _merge(heads):
    """`(batch, heads, length, width)` -> `(batch, length, dim)`."""
    return heads.transpose(1, 2).flatten(2)


def _dense(dense):
    return _tensor(dense.kernel).T.contiguous(), _tensor(dense.bias)


def _tensor(array):
    return torch.from_numpy(np.array(ops.convert_to_numpy(array)))
