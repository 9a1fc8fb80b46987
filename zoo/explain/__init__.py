"""What a model looked at: alignments as tables and pictures."""

from zoo.explain.alignment import Alignment
from zoo.explain.heat_map import check_picture, heat_map
from zoo.explain.table import table

__all__ = ["Alignment", "check_picture", "heat_map", "table"]
