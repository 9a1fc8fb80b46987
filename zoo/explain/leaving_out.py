"""Sentences with a token less."""

import numpy as np


def without_each(source):
    """Each source without its first, its second, ... token, those behind it moved up.

    Args:
        source: int `(batch, length)`, 0 for padding.

    Returns:
        `(batch * length, length)`, sentence by sentence. To leave out padding changes nothing.
    """
    batch, length = source.shape
    kept = np.array([[i for i in range(length) if i != left] for left in range(length)], int)
    shorter = source[:, kept]  # (batch, length left out, length - 1)
    return np.pad(shorter, ((0, 0), (0, 0), (0, 1))).reshape(batch * length, length)
