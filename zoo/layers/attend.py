"""The arithmetic of attention as plain functions of tensors: scores, masks, softmax, weighted sum.

Nothing here owns a weight. The layers project, these functions attend:

    Attention(Q, K, V) = softmax(score(Q, K)) V

Shapes are written in the order that every function keeps: `(batch, queries, dim)` for queries,
`(batch, keys, dim)` for keys and values, `(batch, queries, keys)` for scores and weights.
"""

from keras import ops
from keras.backend import is_float_dtype, standardize_dtype

from zoo.layers import shapes

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


def masked_softmax(scores, mask=None, blind_rows=True):
    """Softmax over the keys that `mask` allows, in float32, returned in the scores' dtype.

    Args:
        scores: `(..., queries, keys)`.
        mask: boolean, broadcastable to the scores; True where the query may look. None: anywhere.
        blind_rows: whether there may be rows whose keys are all masked. False, where it is known
            that there are none, saves a pass over the weights.

    Returns:
        Weights >= 0 that sum to 1 over the keys and are exactly 0 where the mask is False. A row
        whose keys are all masked is all zeros.
    """
    if mask is None:
        return ops.cast(_softmax(ops.cast(scores, "float32")), scores.dtype)
    weights = _softmax(ops.where(mask, ops.cast(scores, "float32"), _EXCLUDED))
    weights = ops.where(mask, weights, 0.0) if blind_rows else weights
    return ops.cast(weights, scores.dtype)


def _softmax(scores):
    # Keras warns of a softmax over one element; for a memory of length 1 it is what is meant.
    return ops.ones_like(scores) if scores.shape[-1] == 1 else ops.softmax(scores, axis=-1)


def weighted_sum(weights, value):
    """`sum_j a_ij v_j`: the context (Bahdanau et al. 2015, eq. 5): `(..., queries, dim)`."""
    return ops.matmul(weights, value)


def real(sequence, dtype):
    """Integers, which Keras leaves as they are, in a layer's `dtype`; None and floats unchanged."""
    if sequence is None or is_float_dtype(standardize_dtype(sequence.dtype)):
        return sequence
    return ops.cast(sequence, dtype)


def blank(sequence, mask=None):
    """`sequence` with zeros where `mask (batch, keys)` is False, whatever stood there, NaN too."""
    if mask is None:
        return sequence
    return ops.where(ops.expand_dims(mask, -1), sequence, ops.zeros((), dtype=sequence.dtype))


def key_mask(mask):
    """`(batch, keys)` as a mask over scores: `(batch, 1, keys)`; None stays None."""
    return None if mask is None else ops.expand_dims(ops.cast(mask, "bool"), 1)


def causal_mask(queries, keys, first=0):
    """`(1, queries, keys)`: query i sees keys 0..first + i, so none looks past where it stands."""
    return ops.expand_dims(ops.arange(keys) <= first + ops.expand_dims(ops.arange(queries), 1), 0)


def window_mask(query_positions, key_positions, window):
    """`(1 or batch, queries, keys)`: a query sees the keys less than `window` positions away."""
    distance = ops.expand_dims(key_positions, 1) - ops.expand_dims(query_positions, 2)
    return ops.absolute(distance) < window


def both(*masks):
    """The conjunction of boolean masks that broadcast against each other; None allows all."""
    masks = [mask for mask in masks if mask is not None]
    if not masks:
        return None
    joint = masks[0]
    for mask in masks[1:]:
        joint = ops.logical_and(joint, mask)
    return joint


def per_source(query, memory):
    """Rows of several hypotheses of one source, as so many queries to that source's memory.

    Beam search holds `beams` rows for each source, while the memory is held once: `(batch * beams,
    queries, dim)` -> `(batch, beams * queries, dim)`. With one row a source it changes nothing.
    """
    if query.shape[0] is not None and query.shape[0] == memory.shape[0]:
        return query  # of no rows, from which a size could not be inferred, too
    return ops.reshape(query, (ops.shape(memory)[0], -1, ops.shape(query)[-1]))


def per_hypothesis(answer, query):
    """Undo `per_source`: `(batch, beams * queries, dim)` -> `(batch * beams, queries, dim)`."""
    return ops.reshape(answer, (*shapes.sizes(query)[:2], ops.shape(answer)[-1]))
