"""What stands around attention against NumPy in float64, from the papers' equations."""

from functools import partial
from typing import NamedTuple

import numpy as np
import pytest

from tests.zoo.layers.drawn import DRAWS, agree, built, examples
from tests.zoo.layers.reference import blocks
from tests.zoo.layers.reference.positions import SCHEMES, Sinusoidal, Table
from zoo.layers import (
    AttentionPooling,
    DecoderBlock,
    EncoderBlock,
    FeedForward,
    LearnedPositions,
    NoisePositions,
    Residual,
    SinusoidalPositions,
    TiedEmbedding,
)

DIM, MEMORY_DIM = 8, 5
MODERN = {
    "activation": "silu",
    "norm": "rms",
    "gated_feed_forward": True,
    "num_kv_heads": 1,
    "qk_norm": True,
    "gated_attention": True,
    "window": 3,
    "positions": "rotary",
}
modern = {"activation": "silu", "scheme": SCHEMES["rotary"]}


class Case(NamedTuple):
    """A layer, how it is called and what it answers, on `x`, its mask, a memory and its mask."""

    make: object
    call: object
    reference: object


def around(layer, x, *_):
    """The branch is a function that Keras and NumPy share."""
    return layer.leave(x, layer.enter(x) * 2)


def embedding(layer, x, *_):
    return layer(layer(ids(x)), reverse=True)


def ids(x):
    return np.int32(np.abs(x).sum(-1)) % 7


def apart(scheme):
    """A scheme's own sum: what it knows of the layer that it stands in is not asked for."""

    def reference(layer, x, *_):
        placed = object.__new__(scheme)
        placed.scheme = layer
        return placed.embed(np.float64(x))

    return reference


def alone(layer, x, *_):
    return layer(x)


def encode(layer, x, mask, *_):
    return layer(x, mask=mask)


def decode(layer, x, _, memory, mask):
    return layer(x, memory, memory_mask=mask)[0]


def feed_forward(make, activation="relu"):
    return Case(make, alone, lambda layer, x, *_: blocks.feed_forward(layer, x, activation))


def residual(**options):
    return Case(
        lambda: Residual(**options),
        around,
        lambda layer, x, *_: blocks.residual(layer, x, lambda h: 2 * h),
    )


def encoder(reference=None, /, **options):
    reference = partial(blocks.encoder_block, **(reference or {}))
    return Case(
        lambda: EncoderBlock(2, 6, **options),
        encode,
        lambda layer, x, mask, *_: reference(layer, x, mask),
    )


def decoder(reference=None, /, **options):
    reference = partial(blocks.decoder_block, **(reference or {}))
    return Case(
        lambda: DecoderBlock(2, 6, **options),
        decode,
        lambda layer, x, _, memory, mask: reference(layer, x, memory, mask),
    )


def pooling(hops):
    return Case(
        lambda: AttentionPooling(4, hops),
        lambda layer, x, mask, *_: layer(x, mask=mask),
        lambda layer, x, mask, *_: blocks.pooling(layer, x, mask)[0],
    )


CASES = {
    "sinusoidal": Case(SinusoidalPositions, alone, apart(Sinusoidal)),
    "learned": Case(lambda: LearnedPositions(9), alone, apart(Table)),
    "noise": Case(lambda: NoisePositions(9), alone, apart(Table)),
    "feed-forward-relu": feed_forward(lambda: FeedForward(9)),
    "feed-forward": feed_forward(lambda: FeedForward(9, "gelu"), "gelu"),
    "reglu": feed_forward(lambda: FeedForward(9, gated=True)),
    "geglu": feed_forward(lambda: FeedForward(9, "gelu", gated=True), "gelu"),
    "feed-forward-swiglu": feed_forward(lambda: FeedForward(9, "silu", gated=True), "silu"),
    "residual": residual(),
    "residual-post": residual(norm_first=False),
    "residual-rms": residual(norm="rms"),
    "residual-rms-post": residual(norm="rms", norm_first=False),
    "residual-unscaled": residual(norm="unscaled"),
    "pooling": pooling(1),
    "pooling-hops": pooling(3),
    "embedding": Case(
        lambda: TiedEmbedding(7, DIM),
        embedding,
        lambda layer, x, *_: blocks.tied_embedding(layer, ids(x)),
    ),
    "encoder": encoder(),
    "encoder-post": encoder(norm_first=False),
    "encoder-modern": encoder(modern, **MODERN),
    "decoder": decoder(),
    "decoder-post": decoder(norm_first=False),
    "decoder-modern": decoder(modern, **MODERN),
    "decoder-shaw-gelu": decoder(
        {"activation": "gelu", "scheme": SCHEMES["shaw"]}, activation="gelu", positions="shaw"
    ),
}


@pytest.mark.shows("NumPy")
@pytest.mark.parametrize("name", CASES)
@examples(draw=DRAWS)
def test_output(name, draw):
    case = CASES[name]
    x, memory, mask, rng = draw.arrays(DIM, MEMORY_DIM)
    given = x, draw.mask(x.shape[1], rng), memory, mask
    shapes = [(1, 1, DIM), (1, 1), (1, 1, MEMORY_DIM), (1, 1)]
    layer = built(case.make, draw.dtype, *shapes, call=case.call)
    agree(case.call(layer, *given), case.reference(layer, *given), draw.dtype)


@pytest.mark.parametrize("hops", [1, 3])
@examples(draw=DRAWS)
def test_weights_of_pooling(hops, draw):
    x, _, _, rng = draw.arrays(DIM, MEMORY_DIM)
    mask, case = draw.mask(x.shape[1], rng), CASES["pooling" if hops == 1 else "pooling-hops"]
    layer = built(case.make, draw.dtype, (1, 1, DIM))
    _, weights = layer(x, mask=mask, return_attention_scores=True)
    agree(weights, blocks.pooling(layer, x, mask)[1], draw.dtype)


@examples(draw=DRAWS)
def test_sinusoidal_positions_from_where_a_row_starts(draw):
    x, _, _, rng = draw.arrays(DIM, MEMORY_DIM)
    start = rng.integers(0, 50, len(x))
    longer = np.zeros((1, 60, DIM))
    waves = apart(Sinusoidal)(None, longer)[0]
    expected = [row + waves[first : first + len(row)] for row, first in zip(x, start, strict=True)]
    agree(SinusoidalPositions()(x, start), expected, "float32")


def test_a_gated_network_has_no_biases_and_a_tied_embedding_one_matrix():
    gated, tied = FeedForward(9, gated=True), TiedEmbedding(5, 8)
    gated.build((None, 8))
    tied.build()
    assert [len(layer.weights) for layer in (gated, tied)] == [2, 1]
