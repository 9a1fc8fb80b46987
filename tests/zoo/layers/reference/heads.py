"""Multi-head attention in NumPy's float64: one row, one head, one query at a time."""

import numpy as np

from tests.zoo.layers.reference.alignments import affine, blank, sigmoid, softmax
from tests.zoo.layers.reference.positions import Nothing


def rms(norm, x):
    """Zhang and Sennrich 2019, eq. 4: `x / RMS(x) * g`."""
    mean = (x**2).mean(-1, keepdims=True)
    return np.float64(norm.scale) * x / np.sqrt(mean + norm.epsilon)


def multi_head(layer, x, q, k, v, seen, scheme, at=None):
    """Vaswani et al. 2017, section 3.2.2, for `q`, `k` and `v` that are projected already.

    Query head h looks at head `h // (heads / kv_heads)` of the keys (Ainslie et al. 2023, section
    2.2); gated by `sigmoid(x W_g)` (Qiu et al. 2025, eq. 5).

    Args:
        x: the layer's queries, for the gate.
        seen: boolean `(batch, queries, keys)`.
        at: which queries to answer; all when not given.
    """
    at = range(q.shape[1]) if at is None else at
    q, k, v = (part.reshape(*part.shape[:2], -1, layer.head_width) for part in (q, k, v))
    if layer.qk_norm:
        q, k = rms(layer.query_norm, q), rms(layer.key_norm, k)
    (batch, keys), heads, share = k.shape[:2], layer.num_heads, layer.num_heads // k.shape[2]
    answer, weights = (
        np.zeros((batch, len(at), heads, layer.head_width)),
        np.zeros((batch, heads, len(at), keys)),
    )
    j = np.arange(keys)
    for b, h, (n, i) in ((b, h, m) for b, h in np.ndindex(batch, heads) for m in enumerate(at)):
        scores = scheme.scores(q[b, i, h], k[b, :, h // share], i, j, h)
        weights[b, h, n] = softmax(scores, seen[b, i])
        answer[b, n, h] = weights[b, h, n] @ scheme.values(v[b, :, h // share], i, j)
    answer = answer.reshape(batch, len(at), -1)
    if layer.gated:
        answer = answer * sigmoid(affine(layer.gate, x[:, at]))
    return affine(layer.output_projection, answer), weights


def allowed(mask, queries, attention_mask=None, causal=False, window=None):
    """Where each query may look: `(batch, queries, keys)`."""
    seen = np.repeat(mask[:, None], queries, axis=1)
    if attention_mask is not None:
        seen = seen & attention_mask
    apart = np.arange(mask.shape[1])[None] - np.arange(queries)[:, None]
    if causal:
        seen = seen & (apart <= 0)  # Vaswani et al. 2017, section 3.2.3
    if window is not None:
        seen = seen & (np.abs(apart) < window)  # Beltagy et al. 2020, section 3.1
    return seen


def self_attention(layer, x, memory, mask, attention_mask=None, scheme=Nothing, at=None):
    """Vaswani et al. 2017, section 3.2: `Q, K, V = x W_q, m W_k, m W_v`.

    Without a memory it is `x`, of which what the mask does not allow is blank as a query, too.
    """
    scheme = scheme(layer)
    query = scheme.embed(np.float64(x))
    query = blank(query, mask) if memory is None else query
    memory = query if memory is None else blank(scheme.embed(np.float64(memory)), mask)
    split = [layer.dim, layer.dim + layer.kv_dim]
    q, _, _ = np.split(affine(layer.projection, query), split, axis=-1)
    _, k, v = np.split(affine(layer.projection, memory), split, axis=-1)
    seen = allowed(mask, x.shape[1], attention_mask, layer.causal, layer.window)
    return multi_head(layer, query, q, k, v, seen, scheme, at)


class _Unplaced(Nothing):
    """What cross-attention knows of positions."""

    def __init__(self):
        pass


def cross_attention(layer, x, memory, mask, attention_mask=None):
    """Vaswani et al. 2017, section 3.2.3: queries of one sequence, keys and values of another."""
    x, memory = np.float64(x), blank(memory, mask)
    q, k = affine(layer.query_projection, x), affine(layer.key_projection, memory)
    v, seen = affine(layer.value_projection, memory), allowed(mask, x.shape[1], attention_mask)
    return multi_head(layer, x, q, k, v, seen, _Unplaced())
