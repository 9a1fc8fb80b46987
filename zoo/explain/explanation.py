"""A text, its translation, and what there is to see of how the one came of the other."""

import dataclasses

import numpy as np

from zoo.explain.alignment import Alignment
from zoo.explain.attribution import COMPLETE, METHODS, Attribution
from zoo.explain.rank_correlation import rank_correlation


@dataclasses.dataclass(frozen=True)
class Explanation:
    """What a model looked at in one text, and what mattered to it.

    Attributes:
        asked: the text.
        attention: list of `Alignment`, one for each layer and head that was asked for.
        attribution: an `Attribution`, or None.
        attributed: the attribution's shares as an `Alignment`, or None.
        cut: where the text was cut, in a line; "" where it was not.
    """

    asked: str
    attention: list
    attribution: Attribution | None = None
    attributed: Alignment | None = None
    cut: str = ""

    @property
    def views(self):
        """All that is drawn: attention, with its correlation to the attribution, which follows.

        Integrated gradients' title has their completeness residual, and that of the single token
        that is off the most.
        """
        if not self.attributed:
            return self.attention
        known = "" if self.residual is None else f"\n{self._residuals()}"
        titles = [
            f"{_correlation(rho)} with {self.attributed.title}" for rho in self.correlations()
        ]
        return [
            *(
                dataclasses.replace(alignment, title=f"{alignment.title}\n{title}")
                for alignment, title in zip(self.attention, titles, strict=True)
            ),
            dataclasses.replace(self.attributed, title=self.attributed.title + known),
        ]

    @property
    def residual(self):
        """The completeness residual of integrated gradients; None of what need not be complete."""
        complete = self.attribution and self.attribution.method == METHODS[0]
        return self.attribution.residual if complete else None

    @property
    def drawn(self):
        """The views for a picture, whose first says where a text was cut: it is passed on alone."""
        first, *others = self.views
        if not self.cut:
            return [first, *others]
        return [dataclasses.replace(first, title=f"{first.title}\n{self.cut}"), *others]

    def _residuals(self):
        known = self.attribution.residuals
        worst = "" if np.isnan(known).all() else f", of a token {np.nanmax(known):.2%} at most"
        return f"completeness residual {self.residual:.2%}{worst}"

    @property
    def warnings(self):
        """What is not as it was asked for, each in a line."""
        off = ""
        if self.residual is not None and self.residual > COMPLETE:
            off = (
                f"the completeness residual, {self.residual:.3%}, is above {COMPLETE:.0%}; ask for "
                "more --steps"
            )
        return [warning for warning in (self.cut, off) if warning]

    def correlations(self):
        """The rank correlation of each attention with the attribution."""
        return [
            rank_correlation(alignment.weights, self.attributed.weights)
            for alignment in self.attention
            if self.attributed
        ]

    def numbers(self):
        """All of it as a dict that JSON can hold; NaN, which JSON has not, as None."""
        record = self.views[0]
        numbers = {
            "text": self.asked,
            "cut": self.cut,
            "translation": record.text,
            "log_probability": record.score,
            "source": record.source,
            "target": record.target,
            "attention": [
                {"title": alignment.title, "weights": alignment.weights.tolist()}
                for alignment in self.attention
            ],
        }
        if self.attribution:
            numbers["attribution"] = {
                "method": self.attribution.method,
                "values": self.attribution.values.tolist(),
                "change": self.attribution.change.tolist(),
                "residual": self.attribution.residual,
                "residuals": _without_nan(self.attribution.residuals),
                "rank_correlations": _without_nan(self.correlations()),
            }
        return numbers


def _correlation(rho):
    return "no row to correlate" if np.isnan(rho) else f"rank correlation {rho:.2f}"


def _without_nan(numbers):
    return [None if np.isnan(number) else float(number) for number in numbers]
