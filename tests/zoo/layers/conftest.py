"""The table of layers: how each is made and called. A new public layer gets one row."""

from collections.abc import Callable
from typing import NamedTuple

import keras
import numpy as np
import pytest
from keras.layers import GRUCell, LSTMCell, SimpleRNNCell

from zoo.layers import (
    Attention,
    BahdanauAttention,
    CrossAttention,
    DecoderBlock,
    EncoderBlock,
    FeedForward,
    LuongAttention,
    RecurrentDecoder,
    Residual,
    SelfAttention,
    SinusoidalPositions,
)

DIM = 8


class Row(NamedTuple):
    """How a layer is made, how it is called, and how wide its memory is."""

    make: Callable
    call: Callable = lambda layer, x, memory, mask: layer(x, memory, value_mask=mask)
    memory_dim: int = 6


@keras.saving.register_keras_serializable("zoo_tests")
class Distance(Attention):
    """An attention of one's own: the nearer the key, the higher the score."""

    def score(self, query, key):
        apart = keras.ops.expand_dims(query, 2) - keras.ops.expand_dims(key, 1)
        return -keras.ops.mean(keras.ops.square(apart), axis=-1)


def alone(layer, x, memory, mask):
    return layer(x)


def around(layer, x, memory, mask):
    return layer(x, keras.ops.square(layer.enter(x)))


def decode(layer, x, memory, mask):
    return layer(x, memory, memory_mask=mask)


ATTENTIONS = {
    "of-your-own": Row(Distance, memory_dim=DIM),
    "luong-dot": Row(lambda: LuongAttention("dot"), memory_dim=DIM),
    "luong-general": Row(lambda: LuongAttention("general")),
    "luong-concat": Row(lambda: LuongAttention("concat", units=5)),
    "bahdanau": Row(lambda: BahdanauAttention(units=5)),
    "self": Row(lambda: SelfAttention(2), memory_dim=DIM),
    "self-causal": Row(lambda: SelfAttention(2, causal=True), memory_dim=DIM),
    "cross": Row(lambda: CrossAttention(2)),
}
OTHERS = {
    "positions": Row(SinusoidalPositions, alone),
    "feed-forward": Row(lambda: FeedForward(5, "gelu"), alone),
    "residual": Row(Residual, around),
    "residual-post": Row(lambda: Residual(norm_first=False), around),
    "encoder": Row(
        lambda: EncoderBlock(2, 5), lambda layer, x, _, mask: layer(x, mask=mask[:, :4])
    ),
    "decoder": Row(lambda: DecoderBlock(2, 5), lambda *given: decode(*given)[0]),
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
