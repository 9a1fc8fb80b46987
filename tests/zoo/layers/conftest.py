"""The table of layers: how each is made and called. A new public layer gets one row."""

from collections.abc import Callable
from typing import NamedTuple

import keras
import numpy as np
import pytest
from keras.layers import GRUCell, LSTMCell, SimpleRNNCell

from zoo.layers import (
    AlibiPositions,
    Attention,
    AttentionPooling,
    BahdanauAttention,
    ChunkwiseAttention,
    CoverageAttention,
    CrossAttention,
    DecoderBlock,
    EncoderBlock,
    FeedForward,
    LearnedPositions,
    LocalAttention,
    LuongAttention,
    MonotonicAttention,
    NoisePositions,
    Positions,
    RecurrentDecoder,
    Residual,
    RotaryPositions,
    SelfAttention,
    ShawPositions,
    SinusoidalPositions,
    T5Positions,
    TiedEmbedding,
    position_schemes,
)

DIM = 8


class Row(NamedTuple):
    """How a layer is made and called, how wide its memory is, whether its keys' order counts."""

    make: Callable
    call: Callable = lambda layer, x, memory, mask: layer(x, memory, value_mask=mask)
    memory_dim: int = 6
    ordered: bool = False
    total: int | None = 1  # what the weights sum to; None: to 1 at most
    learns: bool = True


@keras.saving.register_keras_serializable("zoo_tests")
class Distance(Attention):
    """An attention of one's own: the nearer the key, the higher the score."""

    def score(self, query, key):
        apart = keras.ops.expand_dims(query, 2) - keras.ops.expand_dims(key, 1)
        return -keras.ops.mean(keras.ops.square(apart), axis=-1)


def monotonic(mode="soft"):
    """With an offset at which a random search neither stops at once nor runs past the end."""
    return MonotonicAttention(BahdanauAttention(5, normed=True), mode, offset=0.2)


def alone(layer, x, memory, mask):
    return layer(x)


def around(layer, x, memory, mask):
    return layer(x, keras.ops.square(layer.enter(x)))


def pool(layer, x, memory, mask):
    return layer(x, mask=mask[:, :4])


def there_and_back(layer, x, memory, mask):
    ids = keras.ops.argmax(x, axis=-1) % 7
    return layer(layer(ids), reverse=True)


def decode(layer, x, memory, mask):
    return layer(x, memory, memory_mask=mask)


ATTENTIONS = {
    "of-your-own": Row(Distance, memory_dim=DIM),
    "luong-dot": Row(lambda: LuongAttention("dot"), memory_dim=DIM),
    "luong-general": Row(lambda: LuongAttention("general")),
    "luong-concat": Row(lambda: LuongAttention("concat", units=5)),
    "bahdanau": Row(lambda: BahdanauAttention(units=5)),
    "luong-scaled": Row(lambda: LuongAttention("scaled"), memory_dim=DIM),
    "luong-location": Row(lambda: LuongAttention("location", max_length=9), ordered=True),
    "luong-concat-chunks": Row(lambda: LuongAttention("concat", chunks=3)),
    "bahdanau-normed": Row(lambda: BahdanauAttention(5, normed=True)),
    "bahdanau-chunks": Row(lambda: BahdanauAttention(5, chunks=3)),
    "coverage": Row(lambda: CoverageAttention(5)),
    "local-m": Row(lambda: LocalAttention(LuongAttention(), 1), ordered=True),
    "local-p": Row(
        lambda: LocalAttention(BahdanauAttention(5), 2, predictive=True), ordered=True, total=None
    ),
    "monotonic": Row(monotonic, ordered=True, total=None),
    "monotonic-luong": Row(lambda: MonotonicAttention(LuongAttention()), ordered=True, total=None),
    "monotonic-hard": Row(lambda: monotonic("hard"), ordered=True, total=None, learns=False),
    "chunkwise": Row(
        lambda: ChunkwiseAttention(LuongAttention(), monotonic(), 2), ordered=True, total=None
    ),
    "self": Row(lambda: SelfAttention(2), memory_dim=DIM),
    "self-causal": Row(lambda: SelfAttention(2, causal=True), memory_dim=DIM, ordered=True),
    "self-multi-query": Row(lambda: SelfAttention(4, num_kv_heads=1), memory_dim=DIM),
    "self-normed-gated": Row(lambda: SelfAttention(2, qk_norm=True, gated=True), memory_dim=DIM),
    "self-window": Row(lambda: SelfAttention(2, window=4), memory_dim=DIM, ordered=True),
    **{
        f"self-{name}": Row(
            lambda name=name: SelfAttention(2, positions=name), memory_dim=DIM, ordered=True
        )
        for name in position_schemes.SCHEMES
    },
    "cross": Row(lambda: CrossAttention(2)),
    "cross-grouped-query": Row(lambda: CrossAttention(4, num_kv_heads=2)),
    "cross-normed-gated": Row(lambda: CrossAttention(2, qk_norm=True, gated=True)),
}
OTHERS = {
    "positions": Row(Positions, alone),
    "sinusoidal": Row(SinusoidalPositions, alone),
    "learned": Row(lambda: LearnedPositions(9), alone),
    "noise": Row(lambda: NoisePositions(9), alone),
    # What these do, they do inside of attention: see self-rotary and so on.
    "rotary": Row(lambda: RotaryPositions(linear=2.0, ntk=2.0), alone),
    "alibi": Row(AlibiPositions, alone),
    "shaw": Row(ShawPositions, alone),
    "t5": Row(T5Positions, alone),
    "pooling": Row(lambda: AttentionPooling(5, 2), pool),
    "embedding": Row(lambda: TiedEmbedding(7, DIM), there_and_back),
    "feed-forward": Row(lambda: FeedForward(5, "gelu"), alone),
    "feed-forward-swiglu": Row(lambda: FeedForward(5, "silu", gated=True), alone),
    "residual": Row(Residual, around),
    "residual-post": Row(lambda: Residual(norm_first=False), around),
    "residual-rms": Row(lambda: Residual(norm="rms"), around),
    "residual-unscaled": Row(lambda: Residual(norm="unscaled"), around),
    "encoder": Row(
        lambda: EncoderBlock(2, 5), lambda layer, x, _, mask: layer(x, mask=mask[:, :4])
    ),
    "decoder": Row(lambda: DecoderBlock(2, 5), lambda *given: decode(*given)[0]),
    "decoder-modern": Row(
        lambda: DecoderBlock(
            4,
            5,
            "silu",
            norm="rms",
            gated_feed_forward=True,
            num_kv_heads=2,
            qk_norm=True,
            gated_attention=True,
            window=3,
            positions="shaw",
        ),
        lambda *given: decode(*given)[0],
    ),
    "recurrent": Row(lambda: RecurrentDecoder(SimpleRNNCell(DIM)), alone),
    "recurrent-bahdanau": Row(
        lambda: RecurrentDecoder(GRUCell(DIM), BahdanauAttention(), attend="before"), decode
    ),
    "recurrent-luong": Row(
        lambda: RecurrentDecoder(
            [LSTMCell(DIM), LSTMCell(DIM)], LuongAttention(), input_feeding=True
        ),
        decode,
    ),
}


class Sample(NamedTuple):
    """Three queries' and memories' rows, the memories 5, 3 and 1 long."""

    x: np.ndarray
    memory: np.ndarray
    mask: np.ndarray


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture(params=ATTENTIONS)
def attention(request):
    """The row of each attention layer in turn."""
    return ATTENTIONS[request.param]


@pytest.fixture(params=ATTENTIONS | OTHERS)
def row(request):
    """The row of each public layer in turn."""
    return (ATTENTIONS | OTHERS)[request.param]


@pytest.fixture(scope="session")
def rows():
    return {**ATTENTIONS, **OTHERS}


@pytest.fixture
def sample(rng):
    def of(row):
        x, memory = rng.normal(size=(3, 4, DIM)), rng.normal(size=(3, 5, row.memory_dim))
        mask = np.arange(5) < np.array([[5], [3], [1]])
        return Sample(x.astype("float32"), memory.astype("float32"), mask)

    return of


@pytest.fixture
def randomized(rng):
    """Give every weight of a built layer another value, the biases too."""

    def randomize(layer):
        layer.set_weights([rng.normal(0, 0.5, weight.shape) for weight in layer.get_weights()])
        return layer

    return randomize


@pytest.fixture
def built(sample, randomized):
    """A layer of a row, with random weights, and a sample to call it on."""

    def build(row):
        layer, inputs = row.make(), sample(row)
        row.call(layer, *inputs)
        return randomized(layer), inputs

    return build


@pytest.fixture
def numbers():
    """A tensor of any backend and precision as a NumPy array."""

    def convert(tensor):
        if keras.backend.is_float_dtype(keras.backend.standardize_dtype(tensor.dtype)):
            tensor = keras.ops.cast(tensor, "float32")
        return keras.ops.convert_to_numpy(tensor)

    return convert


@pytest.fixture
def policy():
    """Set Keras's global precision for one test."""
    before = keras.config.dtype_policy()
    yield keras.config.set_dtype_policy
    keras.config.set_dtype_policy(before)
