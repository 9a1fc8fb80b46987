"""Every attention layer against NumPy in float64, from the papers' equations."""

from functools import partial

import pytest
from hypothesis import strategies as st

from tests.zoo.layers.conftest import ATTENTIONS, DIM, Row, monotonic
from tests.zoo.layers.drawn import DRAWS, agree, built, examples
from tests.zoo.layers.reference import alignments as a
from tests.zoo.layers.reference.heads import cross_attention, self_attention
from tests.zoo.layers.reference.positions import SCHEMES
from tests.zoo.layers.reference.rows import REFERENCES, clear, of
from zoo.layers import (
    AlibiPositions,
    BahdanauAttention,
    ChunkwiseAttention,
    CoverageAttention,
    CrossAttention,
    LocalAttention,
    LuongAttention,
    RotaryPositions,
    SelfAttention,
    ShawPositions,
    T5Positions,
    heads,
)


def placed(name, positions, heads=2, **options):
    """Self-attention with a position scheme, and its reference."""
    row = Row(lambda: SelfAttention(heads, positions=positions(), **options), memory_dim=DIM)
    return row, partial(self_attention, scheme=SCHEMES[name])


# What the table has no row for: other settings, and settings together.
MORE = {
    "local-m-concat": (
        Row(lambda: LocalAttention(LuongAttention("concat"), 2)),
        of(a.local_m, a.concat),
    ),
    "local-p-general": (
        Row(lambda: LocalAttention(LuongAttention(), 1, predictive=True)),
        of(a.local_p, a.general),
    ),
    "chunkwise-hard": (
        Row(lambda: ChunkwiseAttention(BahdanauAttention(3), monotonic("hard"), 3)),
        of(a.chunkwise, a.additive, a.additive),
    ),
    "coverage-normed": (Row(lambda: CoverageAttention(3, 5.0, normed=True)), of(a.coverage)),
    "self-one-head": (Row(lambda: SelfAttention(1), memory_dim=DIM), self_attention),
    "self-three-heads": (
        Row(lambda: SelfAttention(3, window=3, qk_norm=True), memory_dim=DIM),
        self_attention,
    ),
    "self-grouped-query": (
        Row(
            lambda: SelfAttention(4, True, num_kv_heads=2, window=2, qk_norm=True, gated=True),
            memory_dim=DIM,
        ),
        self_attention,
    ),
    "self-alibi-three-heads": placed("alibi", AlibiPositions, heads=3),
    "self-shaw-clipped": placed("shaw", lambda: ShawPositions(2), causal=True),
    "self-t5-few-buckets": placed("t5", lambda: T5Positions(6, 6)),
    "self-t5-causal": placed("t5", lambda: T5Positions(6, 6), causal=True),
    "self-rotary-linear": placed("rotary", lambda: RotaryPositions(linear=4.0)),
    "self-rotary-ntk": placed(
        "rotary", lambda: RotaryPositions(linear=2.0, ntk=4.0), causal=True, num_kv_heads=1
    ),
    "cross-multi-query": (
        Row(lambda: CrossAttention(4, num_kv_heads=1, gated=True)),
        cross_attention,
    ),
}
CASES = {name: (row, REFERENCES[name]) for name, row in ATTENTIONS.items()} | MORE
WITH_HEADS = [name for name in CASES if name.startswith(("self", "cross"))]


def drawn(name, draw):
    """A layer of that case on arrays of the drawn sizes, and its reference."""
    row, reference = CASES[name]
    dim = 12 * draw.width  # what 1 to 4 heads divide
    memory_dim = dim if row.memory_dim == DIM else 8 - 3 * draw.width
    x, memory, mask, rng = draw.arrays(dim, memory_dim)
    layer = built(row.make, draw.dtype, (1, 1, dim), (1, 1, memory_dim))
    return layer, reference, x, memory, mask, rng


def check(name, draw, layer, expected, *given, **masks):
    rows = clear(name, layer, given[0], given[-1], masks["value_mask"], draw.dtype)
    output, weights = layer(*given, **masks, return_attention_scores=True)
    agree(output, expected[0], draw.dtype, rows)
    agree(weights, expected[1], draw.dtype, rows)
    if heads.FUSED and name in WITH_HEADS:  # where nobody asks for weights, another kernel answers
        agree(layer(*given, **masks), expected[0], draw.dtype, rows)


def test_every_attention_of_the_table_has_a_reference():
    assert REFERENCES.keys() == ATTENTIONS.keys()


@pytest.mark.shows("NumPy")
@pytest.mark.parametrize("name", [name for name in CASES if name not in WITH_HEADS])
@examples(draw=DRAWS)
def test_one_head(name, draw):
    layer, reference, x, memory, mask, _ = drawn(name, draw)
    expected = reference(layer, x, memory, mask)
    check(name, draw, layer, expected, x, memory, value_mask=mask)


@pytest.mark.shows("NumPy")
@pytest.mark.parametrize("name", WITH_HEADS)
@examples(draw=DRAWS, masks=st.sampled_from(["keys", "pairs", "alone"]))
def test_many_heads(name, draw, masks):
    """With a mask of the keys; with any mask of pairs too; and, of a sequence alone, of its own."""
    layer, reference, x, memory, mask, rng = drawn(name, draw)
    if masks == "alone" and name.startswith("self"):
        mask = draw.mask(x.shape[1], rng)
        check(name, draw, layer, reference(layer, x, None, mask), x, value_mask=mask)
        return
    given = {"value_mask": mask}
    if masks == "pairs":
        given["attention_mask"] = rng.random((*x.shape[:2], memory.shape[1])) < 0.6
    expected = reference(layer, x, memory, *given.values())
    check(name, draw, layer, expected, x, memory, **given)
