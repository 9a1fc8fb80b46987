"""A text, its translation, and what there is to see of how the one came of the other."""

import dataclasses

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

        Integrated gradients' title has their completeness residual.
        """
        if not self.attributed:
            return self.attention
        beside = f"with {self.attributed.title}"
        known = "" if self.residual is None else f"\ncompleteness residual {self.residual:.2%}"
        titles = [f"rank correlation {rho:.2f} {beside}" for rho in self.correlations()]
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
    def warnings(self):
        """What is not as it was asked for, each in a line."""
        off = ""
        if self.residual is not None and self.residual > COMPLETE:
            off = (
                f"the completeness residual, {self.residual:.2%}, is above {COMPLETE:.0%}; ask for "
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
                "rank_correlations": [None if rho != rho else rho for rho in self.correlations()],
            }
        return numbers
