"""The arithmetic of attention as plain functions of tensors: scores, masks, softmax, weighted sum.

Nothing here owns a weight. The layers project, these functions attend:

    Attention(Q, K, V) = softmax(score(Q, K)) V

Shapes are written in the order that every function keeps: `(batch, queries, dim)` for queries,
`(batch, keys, dim)` for keys and values, `(batch, queries, keys)` for scores and weights; the
multi-head functions put `heads` behind the batch.
"""

from keras import ops

# Far below any score that a finite-precision model produces, yet finite in float32.
_EXCLUDED = -1e30


def dot_scores(query, key):
    """`score(q, k) = q . k` (Luong et al. 2015, section 3.1, dot): `(..., queries, keys)`."""
    return ops.matmul(query, ops.swapaxes(key, -1, -2))


def additive_scores(query, key, v):
    """`score(q, k) = v . tanh(q + k)`, for a query and a key that are projected already.

    Bahdanau et al. 2015, appendix A.1.2; also Luong et al. 2015, section 3.1, concat, since
    `W [q; k] = W_q q + W_k k`.

    Args:
        query: `(batch, queries, units)`.
        key: `(batch, keys, units)`.
        v: `(units,)`.

    Returns:
        `(batch, queries, keys)`.
    """
    hidden = ops.tanh(ops.expand_dims(query, 2) + ops.expand_dims(key, 1))  # (b, q, k, units)
    return ops.squeeze(ops.matmul(hidden, ops.expand_dims(v, -1)), -1)


def masked_softmax(scores, mask=None):
    """Softmax over the keys that `mask` allows, in float32, returned in the scores' dtype.

    Args:
        scores: `(..., queries, keys)`.
        mask: boolean, broadcastable to the scores; True where the query may look. None: anywhere.

    Returns:
        Weights >= 0 that sum to 1 over the keys and are exactly 0 where the mask is False. A row
        whose keys are all masked is all zeros.
    """
    if mask is None:
        return ops.cast(_softmax(ops.cast(scores, "float32")), scores.dtype)
    scores32 = ops.where(mask, ops.cast(scores, "float32"), _EXCLUDED)
    weights = ops.where(mask, _softmax(scores32), 0.0)
    return ops.cast(weights, scores.dtype)


def _softmax(scores):
    # Keras warns of a softmax over one element; for a memory of length 1 it is what is meant.
    return ops.ones_like(scores) if scores.shape[-1] == 1 else ops.softmax(scores, axis=-1)


def weighted_sum(weights, value):
    """`sum_j a_ij v_j`: the context (Bahdanau et al. 2015, eq. 5): `(..., queries, dim)`."""
    return ops.matmul(weights, value)


def blank(sequence, mask=None):
    """`sequence` with zeros where `mask (batch, keys)` is False, whatever stood there, NaN too."""
    if mask is None:
        return sequence
    return ops.where(ops.expand_dims(mask, -1), sequence, ops.zeros((), dtype=sequence.dtype))


def key_mask(mask):
    """`(batch, keys)` as a mask over scores: `(batch, 1, keys)`; None stays None."""
    return None if mask is None else ops.expand_dims(ops.cast(mask, "bool"), 1)


def causal_mask(queries, keys):
    """`(1, queries, keys)`: query i sees keys 0..i, so no position looks at a later one."""
    return ops.expand_dims(ops.arange(keys) <= ops.expand_dims(ops.arange(queries), 1), 0)


def both(*masks):
    """The conjunction of boolean masks that broadcast against each other; None allows all."""
    masks = [mask for mask in masks if mask is not None]
    if not masks:
        return None
    joint = masks[0]
    for mask in masks[1:]:
        joint = ops.logical_and(joint, mask)
    return joint


def split_heads(sequence, heads):
    """`(batch, length, heads * width)` -> `(batch, heads, length, width)`."""
    batch, length, dim = ops.shape(sequence)
    return ops.swapaxes(ops.reshape(sequence, (batch, length, heads, dim // heads)), 1, 2)


def merge_heads(sequence):
    """`(batch, heads, length, width)` -> `(batch, length, heads * width)`."""
    batch, heads, length, width = ops.shape(sequence)
    return ops.reshape(ops.swapaxes(sequence, 1, 2), (batch, length, heads * width))


def multi_head(query, key, value, heads, mask=None, dropout=None):
    """`softmax(q k^T / sqrt(width)) v` for each head (Vaswani et al. 2017, eq. 1 and 3.2.2).

    Args:
        query, key, value: projected, `(batch, length, heads * width)`.
        heads: how many heads the last axis holds.
        mask: boolean, broadcastable to `(batch, queries, keys)`.
        dropout: applied to the weights that mix the values; None for none.

    Returns:
        `(batch, queries, heads * width)` and the weights before dropout,
        `(batch, heads, queries, keys)`.
    """
    query, key, value = (split_heads(x, heads) for x in (query, key, value))
    query = query * ops.cast(query.shape[-1] ** -0.5, query.dtype)
    mask = None if mask is None else ops.expand_dims(mask, 1)  # (b, 1, q, k)
    weights = masked_softmax(dot_scores(query, key), mask)  # (b, heads, q, k)
    mixing = weights if dropout is None else dropout(weights)
    return merge_heads(weighted_sum(mixing, value)), weights


def per_source(query, memory):
    """Rows of several hypotheses of one source, as so many queries to that source's memory.

    Beam search holds `beams` rows for each source, while the memory is held once: `(batch * beams,
    queries, dim)` -> `(batch, beams * queries, dim)`. With one row a source it changes nothing.
    """
    return ops.reshape(query, (ops.shape(memory)[0], -1, query.shape[-1]))


def per_hypothesis(answer, query):
    """Undo `per_source`: `(batch, beams * queries, dim)` -> `(batch * beams, queries, dim)`."""
    return ops.reshape(answer, (ops.shape(query)[0], ops.shape(query)[1], ops.shape(answer)[-1]))


def check_shapes(layer, query, value, key, value_mask):
    """Raise a `ValueError` that names the argument, what came and what was expected."""
    key = value if key is None else key
    for name, tensor in (("query", query), ("value", value), ("key", key)):
        if len(tensor.shape) != 3:
            raise ValueError(
                f"{layer}: `{name}` must be (batch, length, dim), got shape {tuple(tensor.shape)}."
            )
    _agree(layer, "value", value.shape[0], "the batch of `query`", query.shape[0])
    _agree(layer, "key", key.shape[0], "the batch of `value`", value.shape[0])
    _agree(layer, "key", key.shape[1], "the length of `value`", value.shape[1])
    if value_mask is None:
        return
    if len(value_mask.shape) != 2:
        raise ValueError(
            f"{layer}: `value_mask` must be (batch, keys), got shape {tuple(value_mask.shape)}."
        )
    _agree(layer, "value_mask", value_mask.shape[0], "the batch of `value`", value.shape[0])
    _agree(layer, "value_mask", value_mask.shape[1], "the length of `value`", value.shape[1])


def _agree(layer, argument, got, what, expected):
    if None not in (got, expected) and got != expected:
        raise ValueError(f"{layer}: `{argument}` has {got} where {what} is {expected}.")
