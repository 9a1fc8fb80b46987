"""The zoo's plain Transformer in PyTorch: the same weights, a loop with a key-value cache."""

import torch
import torch.nn.functional as F
from keras import ops

from benchmarks.torch_decoding import decode, dense, tensor

LENGTH = 512  # longest source and target


class TorchTransformer:
    """Greedy and beam decoding of a pre-norm `TransformerTranslator` with sinusoidal positions."""

    def __init__(self, model):
        self.heads, self.dim = model.options["num_heads"], model.options["dim"]
        self.source, self.target = (
            tensor(side.embeddings) * self.dim**0.5
            for side in (model.source_embedding, model.target_embedding)
        )
        places = ops.expand_dims(ops.arange(LENGTH), 0)
        self.positions = tensor(model.source_positions.encode(places, self.dim)[0])
        self.encoder = [encoder_block(block) for block in model.encoder]
        self.decoder = [decoder_block(block) for block in model.decoder]
        self.norms = norm_of(model.encoder_norm), norm_of(model.decoder_norm)
        self.logits = dense(model.projection)

    @torch.inference_mode()
    def translate(self, source, beam, steps):
        """Ids `(batch, length)` -> what `decode` gives."""
        memories = self._encode(torch.from_numpy(source).long())

        def step(tokens, t, caches, beams):
            return self._step(tokens, t, caches, memories, beams)

        return decode(step, [()] * len(self.decoder), len(source), beam, steps)

    def _encode(self, source):
        mask = (source != 0)[:, None, None]
        x = self.source[source] + self.positions[: source.shape[1]]
        for norm, qkv, out, feed_norm, expand, contract in self.encoder:
            q, k, v = self._split(F.linear(normed(x, norm), *qkv), 3)
            x = x + F.linear(merge(F.scaled_dot_product_attention(q, k, v, mask)), *out)
            x = x + _feed(x, feed_norm, expand, contract)
        memory = normed(x, self.norms[0])
        return [
            (*self._split(F.linear(memory, *block["memory"]), 2), mask) for block in self.decoder
        ]

    def _split(self, x, parts):
        """`(batch, length, parts * dim)` -> parts of `(batch, heads, length, width)`."""
        batch, length, _ = x.shape
        return x.view(batch, length, parts, self.heads, -1).permute(2, 0, 3, 1, 4).unbind()

    def _step(self, tokens, t, caches, memories, beams):
        x, after = (self.target[tokens] + self.positions[t])[:, None], []
        for i, block in enumerate(self.decoder):
            q, k, v = self._split(F.linear(normed(x, block["norm"]), *block["qkv"]), 3)
            if t:
                k, v = torch.cat([caches[i][0], k], 2), torch.cat([caches[i][1], v], 2)
            after.append((k, v))
            x = x + F.linear(merge(F.scaled_dot_product_attention(q, k, v)), *block["out"])
            query = F.linear(normed(x, block["cross_norm"]), *block["query"])
            (q,) = self._split(query.view(-1, beams, self.dim), 1)
            answer = merge(F.scaled_dot_product_attention(q, *memories[i]))
            x = x + F.linear(answer.reshape(x.shape), *block["cross_out"])
            x = x + _feed(x, *block["feed"])
        return F.linear(normed(x[:, 0], self.norms[1]), *self.logits), after


def encoder_block(block):
    attention = block.attention
    return (
        norm_of(block.around_attention.norm),
        dense(attention.projection),
        dense(attention.output_projection),
        *_feed_forward(block),
    )


def decoder_block(block):
    own, cross = block.self_attention, block.cross_attention
    key, value = cross.key_projection, cross.value_projection
    weight = torch.cat([tensor(key.kernel), tensor(value.kernel)], 1).T.contiguous()
    bias = torch.cat([torch.zeros(key.units), tensor(value.bias)])
    return {
        "norm": norm_of(block.around_self.norm),
        "qkv": dense(own.projection),
        "out": dense(own.output_projection),
        "cross_norm": norm_of(block.around_cross.norm),
        "query": dense(cross.query_projection),
        "memory": (weight, bias),
        "cross_out": dense(cross.output_projection),
        "feed": _feed_forward(block),
    }


def _feed_forward(block):
    feed = block.feed_forward
    return norm_of(block.around_feed_forward.norm), dense(feed.expand), dense(feed.contract)


def _feed(x, norm, expand, contract):
    return F.linear(F.relu(F.linear(normed(x, norm), *expand)), *contract)


def norm_of(norm):
    return tensor(norm.gamma), tensor(norm.beta)


def normed(x, norm):
    return F.layer_norm(x, x.shape[-1:], *norm, eps=1e-5)


def merge(heads):
    """`(batch, heads, length, width)` -> `(batch, length, dim)`."""
    return heads.transpose(1, 2).flatten(2)
