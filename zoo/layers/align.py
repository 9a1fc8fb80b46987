"""How weights over keys follow from choices and scores, where a softmax over all keys is not it.

Pure functions of tensors, as those of `attend`; `(batch, queries, keys)` everywhere.
"""

from keras import ops

from zoo.layers import attend, loop


def distance(centre, keys):
    """How far each key's place, 0 to `keys - 1`, is from `centre (batch, queries, 1)`; signed."""
    return ops.cast(ops.arange(keys), centre.dtype) - centre


def gaussian(distance, window):
    """`exp(-(s - p_t)^2 / (2 sigma^2))`, `sigma = D / 2` (Luong et al. 2015, eq. 10)."""
    return ops.exp(-ops.square(distance) / (2 * (window / 2) ** 2))


def monotonic(choose, previous):
    """The expected alignment of a left-to-right search that stops at key j with `choose`.

        q_ij = (1 - p_i,j-1) q_i,j-1 + a_i-1,j,     a_ij = p_ij q_ij

    `q_ij` is the probability that the search comes to key j. Products and sums of probabilities
    alone, so that nothing is divided by what may be zero; with choices of 0 and 1 it is the search
    itself.

    Args:
        choose: the probabilities p_i, 0 on masked keys.
        previous: the alignment of the query before.

    Reference:
        Raffel et al. 2017, eq. 13 and 14.
    """
    batch, queries, keys = ops.shape(choose)
    pairs = ops.stack([later(1 - choose, 1), previous], axis=-1)  # (batch, queries, keys, 2)

    def come(pair, reached):
        reached = pair[:, :1] * reached[0] + pair[:, 1:]
        return reached, [reached]

    searches = ops.reshape(pairs, (batch * queries, keys, 2))
    reached, _ = loop.over_time(come, searches, [ops.zeros_like(searches[:, 0, :1])])
    return choose * ops.reshape(reached, (batch, queries, keys))


def chunkwise(weights, scores, width, mask=None):
    """Each key's weight, shared by softmax among it and the `width - 1` keys before it.

        b_ij = sum_{k=j}^{j+w-1} a_ik exp(u_ij) / sum_{l=k-w+1}^{k} exp(u_il)

    Chiu and Raffel 2018, section 2.3; one softmax a chunk, so that no score is too large or small.
    """
    allowed = ops.ones_like(scores) if mask is None else ops.cast(mask, scores.dtype)
    chunks = ops.stack([later(scores, back) for back in range(width)], axis=-1)
    within = ops.stack([later(allowed, back) for back in range(width)], axis=-1) > 0
    shares = ops.expand_dims(weights, -1) * attend.masked_softmax(chunks, within)  # (b, q, k, w)
    return sum(earlier(shares[..., back], back) for back in range(width))


def later(x, steps):
    """Move every key's entry `steps` keys on, zeros first."""
    return ops.pad(x, ((0, 0), (0, 0), (steps, 0)))[..., : ops.shape(x)[-1]]


def earlier(x, steps):
    """Move every key's entry `steps` keys back, zeros last."""
    return ops.pad(x, ((0, 0), (0, 0), (0, steps)))[..., steps:]
