"""What a model looked at: alignments as tables and pictures."""

from zoo.explain.alignment import Alignment
from zoo.explain.heat_map import heat_map
from zoo.explain.table import table

__all__ = ["Alignment", "heat_map", "table"]
