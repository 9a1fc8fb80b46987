"""What stands around attention in NumPy's float64: networks, norms, residuals, blocks, pooling."""

import math

import numpy as np

from tests.zoo.layers.reference.alignments import affine, blank, softmax
from tests.zoo.layers.reference.heads import cross_attention, rms, self_attention
from tests.zoo.layers.reference.positions import Nothing

ACTIVATIONS = {
    "relu": lambda x: np.maximum(x, 0),
    # Hendrycks and Gimpel 2016, section 2: `x P(X <= x)`.
    "gelu": lambda x: x * (1 + np.vectorize(math.erf)(x / 2**0.5)) / 2,
    "silu": lambda x: x / (1 + np.exp(-x)),
}


def feed_forward(layer, x, activation="relu"):
    """Vaswani et al. 2017, eq. 2; gated, Shazeer 2020, eq. 6: `(f(x W) * x V) W_2`."""
    hidden, f = affine(layer.expand, x), ACTIVATIONS[activation]
    if layer.gated:
        w, v = np.split(hidden, 2, axis=-1)
        return affine(layer.contract, f(w) * v)
    return affine(layer.contract, f(hidden))


def layer_norm(norm, x):
    """Ba et al. 2016, eq. 4."""
    centred = x - x.mean(-1, keepdims=True)
    spread = np.sqrt((centred**2).mean(-1, keepdims=True) + norm.epsilon)
    return np.float64(norm.gamma) * centred / spread + np.float64(norm.beta)


def unscaled(norm, x):
    """Zhang and Sennrich 2019, eq. 4, without the gain."""
    return x / np.sqrt((x**2).mean(-1, keepdims=True) + norm.epsilon)


NORMS = {"layer": layer_norm, "rms": rms, "unscaled": unscaled}


def residual(layer, x, branch):
    """Vaswani et al. 2017, section 5.4, post-norm; Xiong et al. 2020, figure 1, pre-norm."""
    norm, x = NORMS[layer.norm_name], np.float64(x)
    if layer.norm_first:
        return x + branch(norm(layer.norm, x))
    return norm(layer.norm, x + branch(x))


def encoder_block(layer, x, mask, scheme=Nothing, activation="relu"):
    """Vaswani et al. 2017, section 3.1, encoder.."""

    def look(h):
        return self_attention(layer.attention, h, None, mask, scheme=scheme)[0]

    x = residual(layer.around_attention, x, look)
    last = layer.around_feed_forward
    return residual(last, x, lambda h: feed_forward(layer.feed_forward, h, activation))


def decoder_block(layer, x, memory, mask, scheme=Nothing, activation="relu"):
    """Vaswani et al. 2017, section 3.1, decoder."""
    all_of_it = np.ones(x.shape[:2], bool)

    def look_back(h):
        return self_attention(layer.self_attention, h, None, all_of_it, scheme=scheme)[0]

    def look_across(h):
        return cross_attention(layer.cross_attention, h, memory, mask)[0]

    x = residual(layer.around_self, x, look_back)
    x = residual(layer.around_cross, x, look_across)
    last = layer.around_feed_forward
    return residual(last, x, lambda h: feed_forward(layer.feed_forward, h, activation))


def pooling(layer, x, mask):
    """Yang et al. 2016, eq. 5 to 7; Lin et al. 2017, eq. 6 and 7, for more hops than one."""
    x = blank(x, mask)
    hidden, queries = np.tanh(affine(layer.projection, x)), np.float64(layer.queries).T
    weights = np.array(
        [[softmax(h @ u, seen) for u in queries] for h, seen in zip(hidden, mask, strict=True)]
    )
    return (weights @ x).reshape(len(x), -1), weights


def tied_embedding(layer, ids):
    """Press and Wolf 2017, section 3: the vectors of ids, and their logits by the same matrix."""
    table = np.float64(layer.embeddings)
    return table[ids] @ table.T
