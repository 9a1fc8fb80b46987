"""R-Drop and scheduled sampling, against NumPy and against plain training."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

import zoo
from training.learner import Learner, learner
from training.losses import TokenCrossentropy, alignment_crossentropy, divergence
from training.precision import computing_in
from training.recipe import Recipe
from training.scheduled_sampling import ScheduledSampling

SOURCE = np.array([[4, 3, 2], [2, 5, 0]])
TARGET_IN = np.array([[1, 4, 5, 6], [1, 3, 0, 0]])
TARGET_OUT = np.array([[4, 5, 6, 2], [3, 2, 0, 0]])


@pytest.fixture
def model():
    keras.utils.set_random_seed(0)
    sizes = {"source_vocabulary_size": 7, "target_vocabulary_size": 7}
    return zoo.build("luong-dot", **sizes, units=4, embedding_dim=3, bidirectional=False)


def first_loss(model):
    """Of one step."""
    model.compile(keras.optimizers.SGD(0.1), TokenCrossentropy(0.1))
    return float(model.train_on_batch((SOURCE, TARGET_IN), TARGET_OUT))


def softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def test_what_xla_compiles_is_the_model_itself(model):
    assert learner(model, Recipe(jit=True), 10) is model


def test_so_is_what_computes_in_less_precision():
    with computing_in("mixed_bfloat16"):
        sizes = dict.fromkeys(("source_vocabulary_size", "target_vocabulary_size"), 7)
        model = zoo.build("luong-dot", **sizes, units=4, embedding_dim=3)
    assert learner(model, Recipe(), 10) is model


def test_divergence_is_the_mean_of_both_ways_over_the_tokens():
    one, other = np.random.default_rng(0).normal(size=(2, 2, 4, 7)).astype("float32")
    p, q = softmax(one), softmax(other)
    ways = ((p * np.log(p / q)).sum(-1) + (q * np.log(q / p)).sum(-1)) / 2
    expected = ways[TARGET_OUT > 0].mean()
    np.testing.assert_allclose(divergence(TARGET_OUT, one, other), expected, rtol=1e-5)


def test_r_drop_without_dropout_is_plain_training(model):
    plain = type(model).from_config(model.get_config())
    plain.set_weights(model.get_weights())
    np.testing.assert_allclose(first_loss(Learner(model, alpha=5.0)), first_loss(plain), rtol=1e-6)
    for one, other in zip(model.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


def test_r_drop_adds_alpha_times_the_divergence_of_the_two_passes(model):
    passes = np.random.default_rng(1).normal(size=(2, 2, 4, 7)).astype("float32")
    learning = Learner(model, alpha=3.0)
    learning.compile("sgd", TokenCrossentropy())
    nll = [float(TokenCrossentropy()(TARGET_OUT, logits)) for logits in passes]
    expected = (sum(nll) + 3.0 * float(divergence(TARGET_OUT, *passes))) / 2
    got = learning.compute_loss(None, TARGET_OUT, keras.ops.convert_to_tensor(passes))
    np.testing.assert_allclose(got, expected, rtol=1e-6)


def test_a_learner_answers_as_its_model(model):
    sampling = ScheduledSampling(1.0, 1, seed=0)
    learning = Learner(model, sampling, alpha=1.0)
    inputs = (SOURCE, TARGET_IN)
    np.testing.assert_array_equal(learning(inputs), model(inputs))
    assert float(sampling.steps) == 0


def mixed(probability, total=1, target=TARGET_IN, seed=0):
    """What is read if every guess is 5."""
    logits = np.zeros((*target.shape, 7), "float32")
    logits[..., 5] = 1.0
    return np.asarray(ScheduledSampling(probability, total, seed)(target, logits))


def test_sampling_reads_guesses_but_for_start_and_padding():
    np.testing.assert_array_equal(mixed(1.0), [[1, 5, 5, 5], [1, 5, 0, 0]])
    np.testing.assert_array_equal(mixed(0.0), TARGET_IN)


def test_sampling_reads_the_guess_of_the_position_before():
    logits = np.eye(7, dtype="float32")[[[3, 4, 5, 6]]]
    got = ScheduledSampling(1.0, 1, 0)(np.array([[1, 2, 2, 2]]), logits)
    np.testing.assert_array_equal(got, [[1, 3, 4, 5]])


def test_sampling_never_reads_padding():
    logits = np.zeros((2, 4, 7), "float32")  # the best is the first: padding
    np.testing.assert_array_equal(ScheduledSampling(1.0, 1, 0)(TARGET_IN, logits), TARGET_IN)


def test_sampling_grows_in_a_line():
    """After 3 of 10 steps to 0.5 the share is 0.15; 10,000 draws are within 0.02 of it."""
    sampling = ScheduledSampling(0.5, 10, seed=0)
    target = np.full((100, 101), 4)
    logits = np.zeros((100, 101, 7), "float32")
    logits[..., 5] = 1.0
    shares = [float((np.asarray(sampling(target, logits)) == 5)[:, 1:].mean()) for _ in range(20)]
    for step, share in ((3, 0.15), (6, 0.3), (10, 0.5), (20, 0.5)):
        assert abs(shares[step - 1] - share) < 0.02


def test_its_random_state_and_its_count_are_in_the_checkpoint(model):
    learning = Learner(model, ScheduledSampling(0.5, 10, seed=0))
    names = [variable.path for variable in learning.variables]
    assert any("steps" in name for name in names)
    assert sum("seed" in name for name in names) > sum("seed" in v.path for v in model.variables)
    assert len(learning.trainable_variables) == len(model.trainable_variables)


def attention_of(model):
    source, target = map(keras.ops.convert_to_tensor, (SOURCE, TARGET_IN))
    given = model.source_embedding(source), source != 0, target
    return keras.ops.mean(model.forced(given)[1][-1], axis=1)


GOLD = np.array([[0, 2, 2, 3, 0, 0, 0, 0], [1, 2, 0, 0, 0, 0, 0, 0]])


@pytest.mark.parametrize("alpha", [0.0, 5.0])
def test_guided_alignment_adds_its_weight_times_the_attention_s_loss(model, alpha):
    """With R-Drop, too: without dropout both of its passes are one."""
    attention = attention_of(model)
    expected = float(TokenCrossentropy(0.1)(TARGET_OUT, model((SOURCE, TARGET_IN))))
    expected += 0.7 * float(alignment_crossentropy(GOLD, attention))
    learning = Learner(model, alpha=alpha, guided=0.7)
    learning.compile(keras.optimizers.SGD(0.1), TokenCrossentropy(0.1))
    got = float(learning.train_on_batch((SOURCE, TARGET_IN, GOLD), TARGET_OUT))
    np.testing.assert_allclose(got, expected, rtol=1e-5)


def test_guided_alignment_turns_the_attention_to_the_gold(model):
    learning = Learner(model, guided=1.0)
    learning.compile(keras.optimizers.Adam(0.05), TokenCrossentropy())
    for _ in range(30):
        learning.train_on_batch((SOURCE, TARGET_IN, GOLD), TARGET_OUT)
    attention = np.asarray(attention_of(model))
    assert attention[0, 0, :2].sum() > 0.8
    assert attention[0, 1, 2] > 0.8
    assert attention[1, 0, 1] > 0.8


def test_guided_alignment_wants_an_attention():
    sizes = {"source_vocabulary_size": 7, "target_vocabulary_size": 7}
    without = zoo.build("seq2seq-gru", **sizes, units=4, embedding_dim=3)
    recipe = Recipe(preset="seq2seq-gru", tokenizer="characters", guided_alignment=1.0)
    with pytest.raises(ValueError, match=r"needs a model with an attention; got .*'seq2seq-gru'"):
        learner(without, recipe, 10)


# All that a step is made of, through `fit`, on whichever backend Keras has.
BACKEND = """
import keras
import numpy as np
import zoo
from training.averaging import MovingAverage
from training.learner import learner
from training.losses import TokenAccuracy, TokenCrossentropy
from training.optimizers import optimizer
from training.recipe import Recipe

recipe = Recipe(
    optimizer="adamw", weight_decay=0.01, schedule="cosine", accumulate=2, label_smoothing=0.1,
    scheduled_sampling=0.5, r_drop=2.0, learning_rate=0.02,
)
sizes = {"source_vocabulary_size": 7, "target_vocabulary_size": 7}
model = zoo.build("transformer-lite", **sizes, dim=8, hidden_dim=8, num_layers=1, num_heads=2)
made = learner(model, recipe, 20)
made.compile(
    optimizer(recipe, made.trainable_variables, 2),
    TokenCrossentropy(recipe.label_smoothing),
    metrics=[TokenAccuracy()],
)
average = MovingAverage(model.trainable_variables, 0.9)
source, inputs, outputs = (np.array(ids) for ids in (
    [[4, 3, 2], [2, 5, 0]], [[1, 4, 5, 6], [1, 3, 0, 0]], [[4, 5, 6, 2], [3, 2, 0, 0]]
))
losses = made.fit(
    (source, inputs), outputs, epochs=20, verbose=0, batch_size=1, callbacks=[average]
).history["loss"]
assert losses[-1] < losses[0], losses
assert int(made.optimizer.iterations) == 20
assert float(made.sampling.steps) == 40
now = map(keras.ops.convert_to_numpy, average.variables)
assert any((a != v).any() for a, v in zip(average.values(0), now))
"""


@pytest.mark.slow
@pytest.mark.peer
@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_it_trains_on_another_backend(backend):
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    root = str(Path(__file__).parents[2])
    environment = {**os.environ, "KERAS_BACKEND": backend, "PYTHONPATH": root}
    command = [sys.executable, "-c", BACKEND]
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
