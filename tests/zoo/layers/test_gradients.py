"""Gradients of the attentions that need a trick against the reference's finite differences."""

import keras
import numpy as np
import pytest
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from tests.zoo.layers.conftest import ATTENTIONS, DIM
from tests.zoo.layers.drawn import Draw, array, built, examples
from tests.zoo.layers.reference.rows import REFERENCES, clear

# A window, a sum over paths, memories from query to query; and what is computed again in chunks.
NAMES = [
    "local-m",
    "local-p",
    "monotonic",
    "monotonic-luong",
    "chunkwise",
    "coverage",
    "bahdanau-normed",
    "bahdanau-chunks",
    "luong-concat-chunks",
    "luong-location",
]
STEP = 1e-3
DRAWS = st.builds(
    Draw,
    dtype=st.just("float32"),
    batch=st.integers(1, 2),
    queries=st.integers(2, 4),
    keys=st.integers(2, 5),
    width=st.just(1),
    rows=st.lists(st.sampled_from(["all", "first", "some", "none"]), min_size=2, max_size=2),
    seed=st.integers(0, 2**32 - 1),
)


def gradients(layer, x, memory, mask, direction):
    """The gradient of `sum(weights * direction)`, by whichever backend, for x and the weights."""
    variables = layer.trainable_variables
    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        x = tf.Variable(x)
        with tf.GradientTape() as tape:
            _, weights = layer(x, memory, value_mask=mask, return_attention_scores=True)
            total = tf.reduce_sum(weights * direction)
        return tape.gradient(total, [x, *(variable.value for variable in variables)])
    if backend == "torch":
        import torch

        x = torch.tensor(x, requires_grad=True)
        _, weights = layer(x, memory, value_mask=mask, return_attention_scores=True)
        total = (weights * torch.tensor(direction)).sum()
        gradients = torch.autograd.grad(total, [x, *(variable.value for variable in variables)])
        return [gradient.detach() for gradient in gradients]
    import jax

    def total(x, values):
        answer, _ = layer.stateless_call(
            values, fixed, x, memory, value_mask=mask, return_attention_scores=True
        )
        return (answer[1] * direction).sum()

    fixed = [variable.value for variable in layer.non_trainable_variables]
    of_x, of_weights = jax.grad(total, (0, 1))(x, [variable.value for variable in variables])
    return [of_x, *of_weights]


@pytest.mark.parametrize("name", NAMES)
@examples(3, draw=DRAWS)
def test_finite_differences(name, draw):
    row, reference = ATTENTIONS[name], REFERENCES[name]
    x, memory, mask, rng = draw.arrays(DIM, row.memory_dim)
    layer = built(row.make, "float32", (1, 2, DIM), (1, 2, row.memory_dim))
    values = layer.get_weights()
    direction = rng.normal(size=(*x.shape[:2], memory.shape[1])).astype("float32")
    direction *= clear(name, layer, x, memory, mask, "float16")[:, None, None]

    def total(x):
        return (reference(layer, x, memory, mask)[1] * direction).sum()

    def check(gradient, place, evaluate):
        """Along a few random directions at once, each entry of the gradient counts."""
        for _ in range(3):
            towards = rng.normal(size=place.shape)
            towards /= max(1, np.sqrt((towards**2).sum()))
            ahead, behind = (evaluate(place + side * STEP * towards) for side in (1, -1))
            expected = (ahead - behind) / (2 * STEP)
            assert_allclose((gradient * towards).sum(), expected, rtol=1e-2, atol=2e-3)

    of_x, *of_weights = [array(g) for g in gradients(layer, x, memory, mask, direction)]
    check(of_x, np.float64(x), total)
    for n, gradient in enumerate(of_weights):

        def of_weight(value, n=n):
            layer.set_weights([*values[:n], value, *values[n + 1 :]])
            return total(x)

        try:
            check(gradient, np.float64(values[n]), of_weight)
        finally:
            layer.set_weights(values)
