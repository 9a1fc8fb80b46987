"""What a model looked at, and what mattered to it: alignments and attributions, to be seen.

Here is what needs no TensorFlow: pictures, tables and pages of what a server answered, too.
`zoo.explain.explanation` and `zoo.explain.attribution` ask a model itself.
"""

from zoo.explain.alignment import Alignment
from zoo.explain.error_rate import alignment_error_rate
from zoo.explain.heat_map import check_picture, heat_map, png
from zoo.explain.page import page
from zoo.explain.rank_correlation import rank_correlation
from zoo.explain.table import table

__all__ = [
    "Alignment",
    "alignment_error_rate",
    "check_picture",
    "heat_map",
    "page",
    "png",
    "rank_correlation",
    "table",
]
