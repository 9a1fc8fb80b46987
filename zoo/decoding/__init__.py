"""Decoding as TensorFlow graph code, over any `step`: it knows no model."""

from zoo.decoding.beam import beam_search
from zoo.decoding.finished import coverage_penalty, length_penalty
from zoo.decoding.forced import forced_gains
from zoo.decoding.hypotheses import Hypotheses
from zoo.decoding.rules import Rules
from zoo.decoding.sampling import sample
from zoo.decoding.search import sampled, search
from zoo.decoding.walk import greedy

__all__ = [
    "Hypotheses",
    "Rules",
    "beam_search",
    "coverage_penalty",
    "forced_gains",
    "greedy",
    "length_penalty",
    "sample",
    "sampled",
    "search",
]
