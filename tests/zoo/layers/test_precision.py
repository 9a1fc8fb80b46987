"""Every attention layer in every precision, where numbers run out: long, short, large, masked."""

import numpy as np
import pytest

from tests.zoo.layers.conftest import ATTENTIONS, DIM
from tests.zoo.layers.drawn import agree, array, built
from tests.zoo.layers.reference.heads import self_attention
from tests.zoo.layers.reference.rows import REFERENCES
from zoo.layers import LearnedPositions, LuongAttention, NoisePositions, SelfAttention

# How far from float64 output and weights may be, in shares of the largest number in either. The
# long one in float32 is local-p's, whose window stands to a 1e-7th of 4,096 keys; others are 1e-5.
# The long one in bfloat16 is that of processors without AVX-512, whose products round partial sums,
# too: 0.09, where others come to 0.03.
BOUNDS = {
    "short": {"float32": 1e-5, "float16": 0.01, "bfloat16": 0.08},
    "long": {"float32": 2e-4, "float16": 0.01, "bfloat16": 0.1},
    "large": {"float32": 1e-5, "float16": 0.002, "bfloat16": 0.02},
}
# Of 4,096 keys, half precision names none exactly: a predicted window or a hard choice may be
# another one, for which there are the laws alone.
BY_THE_LAWS = [
    (name, dtype) for name in ("local-p", "monotonic-hard") for dtype in ("float16", "bfloat16")
]

LONG = 4096
MADE_LONG = {
    "luong-location": lambda: LuongAttention("location", max_length=LONG),
    "self-learned": lambda: SelfAttention(2, positions=LearnedPositions(LONG)),
    "self-noise": lambda: SelfAttention(2, positions=NoisePositions(LONG)),
}
precisions = pytest.mark.parametrize("dtype", list(BOUNDS["long"]))
rows = pytest.mark.parametrize("name", ATTENTIONS)


def layer_dim(name):
    return ATTENTIONS[name].memory_dim


def layer_of(name, dtype):
    row = ATTENTIONS[name]
    make = MADE_LONG.get(name, row.make)
    return built(make, dtype, (1, 2, DIM), (1, 2, row.memory_dim), mixed=False)


def check(name, dtype, kind, layer, *given, masks):
    expected = REFERENCES[name](layer, *given, masks)
    output, weights = layer(*given, value_mask=masks, return_attention_scores=True)
    assert np.isfinite(array(output)).all()
    assert (array(weights) >= 0).all()
    assert array(weights).sum(-1).max() < 1 + BOUNDS[kind][dtype]
    for row, seen in zip(array(weights), masks, strict=True):
        assert not row[..., ~seen].any()
    if kind != "long" or (name, dtype) not in BY_THE_LAWS:
        agree(output, expected[0], dtype, bounds=BOUNDS[kind], least=0)
        agree(weights, expected[1], dtype, bounds=BOUNDS[kind], least=0)


@precisions
@rows
@pytest.mark.parametrize("allowed", [True, False], ids=["one-key", "no-key"])
def test_length_one(name, dtype, allowed):
    rng, layer = np.random.default_rng(1), layer_of(name, dtype)
    x, memory = rng.normal(size=(1, 1, DIM)), rng.normal(size=(1, 1, layer_dim(name)))
    given = x.astype("float32"), memory.astype("float32")
    check(name, dtype, "short", layer, *given, masks=np.full((1, 1), allowed))


def walks(name):
    """Whether the layer goes from key to key, which takes its time."""
    return name.startswith(("monotonic", "chunkwise"))


@precisions
@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=[pytest.mark.slow] if walks(name) else []) for name in ATTENTIONS],
)
def test_4096_keys(name, dtype):
    """Of which one row sees most, and the other none."""
    rng, layer = np.random.default_rng(2), layer_of(name, dtype)
    x, memory = rng.normal(size=(2, 2, DIM)), rng.normal(size=(2, LONG, layer_dim(name)))
    given = x.astype("float32"), memory.astype("float32")
    check(name, dtype, "long", layer, *given, masks=np.arange(LONG) < [[LONG - 5], [0]])


@pytest.mark.slow
@precisions
@pytest.mark.parametrize("name", [name for name in ATTENTIONS if name.startswith("self")])
def test_4096_queries_of_4096_keys(name, dtype):
    rng, layer = np.random.default_rng(3), layer_of(name, dtype)
    x = rng.normal(size=(1, LONG, DIM)).astype("float32")
    mask, at = np.arange(LONG)[None] < LONG - 5, [0, 1, 2047, LONG - 6]
    scheme = getattr(REFERENCES[name], "keywords", {})
    expected, _ = self_attention(layer, x, None, mask, at=at, **scheme)
    output = array(layer(x, value_mask=mask))
    assert np.isfinite(output).all()
    agree(output[:, at], expected, dtype, bounds=BOUNDS["long"], least=0)


def plain(weight):
    """Weights that only copy, so that scores are whole numbers, which every precision holds."""
    if len(weight.shape) == 2:
        rows, columns = weight.shape
        return np.eye(rows)[:, np.arange(columns) % rows]
    return np.full(weight.shape, 0.0 if weight.path.endswith("bias") else 1.0)


@precisions
@rows
def test_scores_of_ten_thousand(name, dtype):
    """Eight products of 40 and 32 are 10,240: the keys agree in 8, 0, 4, 6 and 2 of 8 signs."""
    layer = built(ATTENTIONS[name].make, dtype, (1, 2, DIM), (1, 2, layer_dim(name)), mixed=False)
    before = layer.get_weights()
    signs = np.tile([1.0, -1.0], DIM // 2)
    flips = np.array([[1] * 8, [-1] * 8, [1, -1] * 4, [-1, 1, 1, 1] * 2, [1, -1, -1, -1] * 2])
    x = np.tile(40 * signs, (1, 3, 1)).astype("float32")
    memory = (32 * signs * flips)[None, :, : layer_dim(name)].astype("float32")
    try:
        layer.set_weights([plain(weight) for weight in layer.weights])
        for sign in (1, -1):
            check(name, dtype, "large", layer, x, sign * memory, masks=np.ones((1, 5), bool))
    finally:
        layer.set_weights(before)
