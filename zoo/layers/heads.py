"""The arithmetic of attention with heads, as plain functions of tensors.

    head_i = softmax(Q_i K_i^T / sqrt(width) + bias_i) V_i

Sequences are `(batch, heads, length, width)` here, as the products want them. Keys and values may
have fewer heads than queries, each then serving a group of query heads (Shazeer 2019; Ainslie et
al. 2023).
"""

import keras
from keras import ops

from zoo.layers import attend, shapes

# Keras's TensorFlow backend composes its `dot_product_attention` of the same steps as below.
FUSED = keras.config.backend() != "tensorflow"

# How many queries' weights are held at a time, where nobody asks for them.
BLOCK = 256


def split_heads(sequence, heads):
    """`(batch, length, heads * width)` -> `(batch, heads, length, width)`."""
    batch, length, dim = shapes.sizes(sequence)
    if sequence.shape[1] == 1:
        return ops.reshape(sequence, (batch, heads, 1, dim // heads))
    return ops.swapaxes(ops.reshape(sequence, (batch, length, heads, dim // heads)), 1, 2)


def split_queries(queries, heads, sources):
    """`(sources * beams, queries, heads * width)` -> `(sources, heads, beams * queries, width)`.

    The rows of one source lie together, `sources` is a tensor with a row for each, and the memory
    is so not copied for each beam.
    """
    if queries.shape[0] is not None and queries.shape[0] == sources.shape[0]:
        return split_heads(queries, heads)  # of no rows, from which a size can't be inferred, too
    by_source = (ops.shape(sources)[0], -1, heads, queries.shape[-1] // heads)
    return ops.swapaxes(ops.reshape(queries, by_source), 1, 2)


def split_projection(projected, query_heads, kv_heads):
    """Queries, keys and values by heads, of what one matrix product made of all three.

    `(batch, length, (query_heads + 2 * kv_heads) * width)` -> three of `(batch, heads, length,
    width)`. Where they have as many heads, the three are slices that nobody needs to copy.
    """
    if query_heads != kv_heads or projected.shape[1] == 1:
        together = split_heads(projected, query_heads + 2 * kv_heads)
        return ops.split(together, (query_heads, query_heads + kv_heads), axis=1)
    batch, length, dim = shapes.sizes(projected)
    together = ops.reshape(projected, (batch, length, 3, query_heads, dim // 3 // query_heads))
    return ops.unstack(ops.transpose(together, (2, 0, 3, 1, 4)), 3, axis=0)


def merge_heads(sequence):
    """`(batch, heads, length, width)` -> `(batch, length, heads * width)`."""
    batch, heads, length, width = shapes.sizes(sequence)
    if sequence.shape[2] == 1:
        return ops.reshape(sequence, (batch, 1, heads * width))
    return ops.reshape(ops.swapaxes(sequence, 1, 2), (batch, length, heads * width))


def multi_head(
    query, key, value, mask=None, bias=None, dropout=None, more=None, causal_from=None
):  # fmt: skip
    """Each head's softmax of scores, and its sum of values (Vaswani et al. 2017, eq. 1).

    Args:
        query: `(batch, heads, queries, width)`.
        key, value: `(batch, kv_heads, keys, width)`; query head i looks at head
            `i // (heads / kv_heads)` of them.
        mask: boolean, broadcastable to `(batch, queries, keys)`.
        bias: added to the scores; broadcastable to `(batch, heads, queries, keys)`.
        dropout: applied to the weights that mix the values; None for none.
        more: `weights (batch, heads, queries, keys) -> (batch, heads, queries, width)`, added to
            the answer; None for nothing.
        causal_from: where among the keys the first query stands, if none is to look further than
            where it stands; None if they are.

    Returns:
        `(batch, heads, queries, width)` and the weights before dropout,
        `(batch, heads, queries, keys)`.
    """
    answer, weights, mixing = _mix(_scaled(query), key, value, mask, bias, dropout, causal_from)
    return answer if more is None else answer + more(mixing), weights


def _scaled(query):
    return query * ops.cast(query.shape[-1] ** -0.5, query.dtype)


def _mix(query, key, value, mask, bias, dropout, causal_from):
    """Answer, weights, and the weights that mixed the values."""
    scores = _each_group(attend.dot_scores, query, key)
    if bias is not None:
        scores = scores + ops.cast(bias, scores.dtype)
    seen = mask
    if causal_from is not None:
        diagonal = attend.causal_mask(ops.shape(query)[2], ops.shape(key)[2], causal_from)
        seen = attend.both(mask, diagonal)
    seen = None if seen is None else ops.expand_dims(seen, 1)  # (b, 1, q, k)
    weights = attend.masked_softmax(scores, seen, blind_rows=mask is not None)
    mixing = weights if dropout is None else dropout(weights)
    return _each_group(attend.weighted_sum, mixing, value), weights, mixing


def in_blocks(query, key, value, mask=None, bias=None, dropout=None, causal=False):
    """What `multi_head` answers, for `BLOCK` queries at a time: their weights fit into a cache.

    With `causal`, a block leaves out the keys past its end. Where the length is not known, all
    queries are one block.
    """
    first, queries = 0 if causal else None, query.shape[2]
    if queries is None or queries <= BLOCK:
        return multi_head(query, key, value, mask, bias, dropout, causal_from=first)[0]
    query = _scaled(query)

    def block(begin):
        rows, keys = slice(begin, begin + BLOCK), slice(begin + BLOCK if causal else None)
        pairs = (_part(one, rows, keys) for one in (mask, bias))
        parts = (query[:, :, rows], key[:, :, keys], value[:, :, keys])
        return _mix(*parts, *pairs, dropout, begin if causal else None)[0]

    blocks = [block(begin) for begin in range(0, queries, BLOCK)]
    return ops.concatenate(blocks, axis=2)


def _part(pairs, rows, keys):
    """Those rows and keys of `(..., queries or 1, keys or 1)`; None of None."""
    if pairs is None:
        return None
    parts = zip((rows, keys), pairs.shape[-2:], strict=True)
    return pairs[..., *(slice(None) if size == 1 else part for part, size in parts)]


def fused(query, key, value, mask=None, bias=None, causal=False):
    """What `multi_head` answers, by the backend's own kernel, which shows no weights.

    `causal` stands beside `mask` because kernels skip what lies past the diagonal.
    """
    seen = mask if not causal else attend.both(mask, _diagonal(query, key))
    seen = None if seen is None else ops.expand_dims(seen, 1)  # (b, 1, q, k)
    parts = [ops.swapaxes(sequence, 1, 2) for sequence in (query, key, value)]
    if bias is not None:  # kernels take a bias or a mask, not both
        bias = bias if seen is None else ops.where(seen, bias, _excluded(query.dtype))
        answer = ops.dot_product_attention(*parts, bias=ops.cast(bias, query.dtype))
    else:
        alone = seen if mask is not None else None
        answer = ops.dot_product_attention(*parts, mask=alone, is_causal=causal and mask is None)
    answer = ops.swapaxes(answer, 1, 2)
    return answer if mask is None else _blank_unseeing(answer, seen)


def _diagonal(query, key):
    return attend.causal_mask(ops.shape(query)[2], ops.shape(key)[2])


def _excluded(dtype):
    """Far below any score, yet finite."""
    return -3e4 if keras.backend.standardize_dtype(dtype) == "float16" else -1e30


def _blank_unseeing(answer, seen):
    """Zeros for the queries that see no key at all."""
    sees = ops.any(seen, axis=-1, keepdims=True)  # (b, 1, q, 1)
    return ops.where(sees, answer, ops.zeros((), dtype=answer.dtype))


def _each_group(product, left, right):
    """`product` of each head of `left (b, heads, n, ...)` and its head of `right`."""
    heads, groups = left.shape[1], right.shape[1]
    if heads == groups:
        return product(left, right)
    batch, _, rows, width = ops.shape(left) if left.shape[2] is None else shapes.sizes(left)
    together = ops.reshape(left, (batch, groups, heads // groups * rows, width))
    answer = product(together, right)  # (b, groups, heads / groups * n, ...)
    return ops.reshape(answer, (batch, heads, rows, ops.shape(answer)[-1]))
