"""Random shapes, masks, weights and precisions for the tests against the reference."""

import functools
from typing import NamedTuple

import keras
import numpy as np
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

# How far from float64 an output may be, in shares of the largest number there is in it, or of 1.
BOUNDS = {"float32": 2e-5, "float16": 0.02, "bfloat16": 0.15}

# On JAX every new shape is compiled, operation by operation.
EXAMPLES = 4 if keras.backend.backend() == "jax" else 8

WHOLE = ("all", "first", "some", "none")


class Draw(NamedTuple):
    """Sizes and precision, and a seed for the rest."""

    dtype: str
    batch: int
    queries: int
    keys: int
    width: int
    rows: list
    seed: int

    def mask(self, length, rng):
        """`(batch, length)`: rows where all, the first, some or no keys are allowed."""
        mask = np.ones((self.batch, length), bool)
        for row, kind in zip(mask, self.rows, strict=False):
            row[:] = {
                "all": True,
                "first": np.arange(length) < rng.integers(1, length + 1),
                "some": rng.random(length) < 0.6,
                "none": False,
            }[kind]
        return mask

    def arrays(self, dim, memory_dim):
        """Queries, memory, the mask of the memory, and a random number generator for more."""
        rng = np.random.default_rng(self.seed)
        x = rng.normal(size=(self.batch, self.queries, dim)).astype("float32")
        memory = rng.normal(size=(self.batch, self.keys, memory_dim)).astype("float32")
        return x, memory, self.mask(self.keys, rng), rng


DRAWS = st.builds(
    Draw,
    dtype=st.sampled_from(list(BOUNDS)),
    batch=st.integers(1, 3),
    queries=st.integers(1, 4),
    keys=st.integers(1, 6),
    width=st.sampled_from([1, 2]),
    rows=st.lists(st.sampled_from(WHOLE), min_size=3, max_size=3),
    seed=st.integers(0, 2**32 - 1),
)


def examples(most=EXAMPLES, **strategies):
    """Hypothesis's `given`, the same examples in every run."""
    slow = settings(
        max_examples=min(most, EXAMPLES),
        deadline=None,
        derandomize=True,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=[HealthCheck.too_slow],
    )
    return lambda test: slow(given(**strategies)(test))


@functools.cache
def built(make, dtype, *shapes, call=lambda layer, *given: layer(*given), mixed=True):
    """A layer of that precision with random weights, biases too; kept, as Keras builds slowly.

    `shapes` are those of what it is called with; one of two axes is a mask's.
    """
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(f"mixed_{dtype}" if mixed and dtype != "float32" else dtype)
    try:
        layer = make()
        call(layer, *(np.ones(shape, "bool" if len(shape) == 2 else "float32") for shape in shapes))
    finally:
        keras.config.set_dtype_policy(before)
    rng = np.random.default_rng(len(layer.weights))
    layer.set_weights([rng.normal(0, 0.5, weight.shape) for weight in layer.get_weights()])
    return layer


def array(tensor):
    """A tensor of any backend and precision in NumPy."""
    return keras.ops.convert_to_numpy(keras.ops.cast(tensor, "float32"))


def agree(got, expected, dtype, rows=slice(None), bounds=BOUNDS, least=1):
    """Fail where a tensor is farther from the reference than its precision explains.

    Bounds are shares of the largest number in the reference, or of `least`.
    """
    got, expected = array(got)[rows], np.asarray(expected)[rows]
    assert got.shape == expected.shape
    largest = max(least, np.abs(expected).max(initial=0))
    assert_allclose(got, expected, rtol=0, atol=bounds[dtype] * largest)
