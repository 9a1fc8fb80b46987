"""Whether two ways of looking put the source tokens in the same order."""

import numpy as np


def rank_correlation(one, other):
    """Spearman's rho over the source tokens, mean over the target tokens.

        rho = cov(r_a, r_b) / (sd(r_a) sd(r_b)),  r the ranks, ties their mean rank

    Args:
        one, other: `(target tokens, source tokens)`.

    Returns:
        A float from -1 to 1; of rows in which either has one value throughout, none counts, and
        NaN if no row does.

    Reference:
        Spearman 1904; used so by Jain and Wallace 2019, "Attention is not Explanation", section 4.1
        (with Kendall's tau).
    """
    rows = [_pearson(ranks(a), ranks(b)) for a, b in zip(one, other, strict=True)]
    rows = [rho for rho in rows if rho is not None]
    return float(np.mean(rows)) if rows else float("nan")


def ranks(values):
    """1 for the smallest; equal values share the mean of their ranks."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return (last - (counts - 1) / 2)[place]


def _pearson(a, b):
    a, b = a - a.mean(), b - b.mean()
    size = np.sqrt((a @ a) * (b @ b))
    return float(a @ b / size) if size else None
