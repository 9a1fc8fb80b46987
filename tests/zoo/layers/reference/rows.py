"""The reference of each attention layer in the table.

Each is `(layer, x, memory, mask) -> output, weights`; those with heads take any mask, too.
"""

from functools import partial

import numpy as np

from tests.zoo.layers.reference import alignments as a
from tests.zoo.layers.reference.heads import cross_attention, self_attention
from tests.zoo.layers.reference.positions import SCHEMES


def of(align, *scores):
    return partial(a.context, partial(align, *scores))


REFERENCES = {
    "of-your-own": of(a.by_score, a.distance),
    "luong-dot": of(a.by_score, a.dot),
    "luong-general": of(a.by_score, a.general),
    "luong-concat": of(a.by_score, a.concat),
    "luong-scaled": of(a.by_score, a.scaled),
    "luong-location": of(a.by_score, a.location),
    "luong-concat-chunks": of(a.by_score, a.concat),
    "bahdanau": of(a.by_score, a.additive),
    "bahdanau-normed": of(a.by_score, a.additive),
    "bahdanau-chunks": of(a.by_score, a.additive),
    "coverage": of(a.coverage),
    "local-m": of(a.local_m, a.general),
    "local-p": of(a.local_p, a.additive),
    "monotonic": of(a.monotonic, a.additive),
    "monotonic-luong": of(a.monotonic, a.general),
    "monotonic-hard": of(a.hard, a.additive),
    "chunkwise": of(a.chunkwise, a.general, a.additive),
    "self": self_attention,
    "self-causal": self_attention,
    "self-multi-query": self_attention,
    "self-normed-gated": self_attention,
    "self-window": self_attention,
    **{f"self-{name}": partial(self_attention, scheme=SCHEMES[name]) for name in SCHEMES},
    "cross": cross_attention,
    "cross-grouped-query": cross_attention,
    "cross-normed-gated": cross_attention,
}


def never_close(layer, queries, keys, length):
    """How near a choice of this layer is to its other outcome: there is none."""
    return np.inf


def close_window(layer, queries, keys, length):
    """How near a key is to the edge of local-p's window."""
    centres = [a.predicted(layer, query, length) for query in queries]
    apart = np.abs(np.arange(len(keys)) - np.c_[centres])
    return np.abs(apart - layer.window).min()


def close_choice(layer, queries, keys, length):
    """How near an energy of a hard search is to 0."""
    layer = getattr(layer, "monotonic", layer)
    return np.abs(a.energies(a.additive, layer, queries, keys)).min()


CLOSE = {
    "local-p": close_window,
    "local-p-general": close_window,
    "monotonic-hard": close_choice,
    "chunkwise-hard": close_choice,
}
MARGINS = {"float32": 1e-4, "float16": 0.005, "bfloat16": 0.03}


def clear(name, layer, x, memory, mask, dtype):
    """The rows `(batch,)` where rounding can not turn a choice: jumps have no error bound."""
    near = CLOSE.get(name, never_close)
    rows = zip(np.float64(x), a.blank(memory, mask), mask.sum(-1), strict=True)
    return np.array([near(layer, *row) > MARGINS[dtype] for row in rows])
