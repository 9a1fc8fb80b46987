"""Decoding as TensorFlow graph code, over any `step`: it knows no model."""

from zoo.decoding.beam import beam_search, length_penalty
from zoo.decoding.greedy import greedy
from zoo.decoding.hypotheses import Hypotheses

__all__ = ["Hypotheses", "beam_search", "greedy", "length_penalty"]
