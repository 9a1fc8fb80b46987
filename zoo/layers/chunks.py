"""Less memory for a little more time."""

import keras
from keras import ops


def in_chunks(function, chunks, query, *others):
    """`function(query, *others)`, with the queries taken in `chunks` parts one after the other.

    What a part holds on the way is let go before the next, and is computed again for the gradient.

    Args:
        function: of tensors alone, query by query: `(batch, queries, ...)` from
            `(batch, queries, dim)`.
        chunks: how many parts; 1, or a single query, takes the short way.
    """
    if chunks == 1 or query.shape[1] == 1:
        return function(query, *others)
    function, size = keras.remat(function), -(-ops.shape(query)[1] // chunks)
    parts = [query[:, i * size : (i + 1) * size] for i in range(chunks)]
    return ops.concatenate([function(part, *others) for part in parts], axis=1)
