"""What each source token did for each target token: attributions, to hold beside attention."""

import dataclasses

import numpy as np

# Of integrated gradients: the most. It is begun with few, which do for most sentences.
STEPS = 4096
# The largest completeness residual that will do.
COMPLETE = 0.01
# In nats: where no source token does as much for or against a target token, its shares are noise's.
LEAST = 0.01
METHODS = ("integrated-gradients", "input-x-gradient", "leave-one-out")


@dataclasses.dataclass(frozen=True)
class Attribution:
    """What the source tokens did for the log-probabilities of one sentence's target tokens.

    Attributes:
        method: one of `METHODS`.
        values: `(target tokens, source tokens)`; above 0 for, below 0 against the target token.
        change: `(target tokens,)`, `F(x) - F(x')`: log-probability with the source less that with
            the baseline, which complete attributions sum to.
    """

    method: str
    values: np.ndarray
    change: np.ndarray

    @property
    def residual(self):
        """How far the values are from completeness: see `residual`."""
        return float(residual(self.values, self.change))

    @property
    def residuals(self):
        """That of each target token, `(target tokens,)`; NaN of those that change too little."""
        matters = np.abs(self.change) >= LEAST
        of_each = residual(self.values[:, None], self.change[:, None])
        return np.where(matters, of_each, np.nan)

    @property
    def shares(self):
        """Each row's magnitudes as parts of their sum, as attention is of 1; zeros for noise."""
        return shares(self.values, LEAST)


def shares(values, least=0.0):
    """Each row's magnitudes as parts of their sum: `(target tokens, source tokens)`, as given.

    A row in which no magnitude is `least` or more is all zeros.
    """
    sizes = np.abs(values)
    parts = sizes / np.maximum(sizes.sum(axis=1, keepdims=True), 1e-30)
    return parts * (sizes.max(axis=1, keepdims=True, initial=0) >= least)


def residual(values, change):
    """How far attributions are from completeness, as a part of what there is to explain.

        sum_t |sum_s a_ts - change_t| / sum_t |change_t|

    Absolute within the sums, so that no gap hides another; over the sentence and not a token,
    since a token that needs no source, such as a hyphen's, has a change of nearly 0.

    Args:
        values: `(..., target tokens, source tokens)`.
        change: `(..., target tokens)`.

    Returns:
        `(...)`.
    """
    gaps = np.abs(values.sum(axis=-1) - change).sum(axis=-1)
    return gaps / np.maximum(np.abs(change).sum(axis=-1), 1e-30)
