import json

import keras
import numpy as np
import pytest

from training.recipe import Recipe
from training.schedules import Accumulated, Cosine, Halving, InverseSquareRoot, learning_rate

SCHEDULES = [
    InverseSquareRoot(0.01, 100),
    Cosine(0.01, 100, 1100),
    Halving(1.0, 500, 100),
    Accumulated(Halving(1.0, 500, 100), 4),
]


def test_rises_in_a_line_and_falls_with_the_square_root():
    schedule = InverseSquareRoot(0.01, warmup_steps=100)
    # Step 49 is the 50th: half of the peak. The 100th is the peak, the 400th half of it again.
    for step, rate in ((49, 0.005), (99, 0.01), (399, 0.005), (9999, 0.001)):
        np.testing.assert_allclose(schedule(step), rate, rtol=1e-6)


def test_cosine_rises_in_a_line_and_falls_to_nothing():
    schedule = Cosine(0.01, warmup_steps=100, total_steps=1100)
    # The 50th step is half of the peak, the 100th the peak. A third of the way down the cosine of
    # 60 degrees leaves three quarters, half-way it leaves a half, and at the end nothing.
    third = 99 + 1000 / 3
    for step, rate in ((49, 0.005), (99, 0.01), (third, 0.0075), (599, 0.005), (1099, 0)):
        np.testing.assert_allclose(schedule(step), rate, atol=1e-8)
    assert float(schedule(5000)) == 0


def test_cosine_without_a_warm_up_begins_near_the_peak():
    np.testing.assert_allclose(Cosine(0.01, 0, 1000)(0), 0.01, rtol=1e-5)


def test_cosine_wants_steps_after_its_warm_up():
    with pytest.raises(ValueError, match="`warmup_steps` 10 must be fewer than the run's 10"):
        Cosine(0.01, 10, 10)


def test_halves_at_a_step_and_again_after_every_so_many():
    schedule = Halving(1.0, after=500, every=100)
    for step, rate in ((0, 1), (499, 1), (500, 1 / 2), (599, 1 / 2), (600, 1 / 4), (899, 1 / 16)):
        np.testing.assert_allclose(schedule(step), rate)


def test_halves_as_luong_did_after_five_epochs_every_epoch():
    rate = learning_rate(Recipe(schedule="halving", learning_rate=1.0), epoch_batches=30)
    got = [float(rate(30 * epoch + 29)) for epoch in range(8)]  # the last batch of each epoch
    assert got == [1, 1, 1, 1, 1, 1 / 2, 1 / 4, 1 / 8]


@pytest.mark.parametrize("name", ["inverse-sqrt", "cosine", "halving"])
def test_counts_updates_where_batches_are_accumulated(name):
    """The updates of 10 batches each have the rates of the batches of a tenth as many."""
    recipe = {"schedule": name, "warmup_steps": 7, "epochs": 10}
    one = learning_rate(Recipe(**recipe), epoch_batches=30)
    ten = learning_rate(Recipe(**recipe, accumulate=10), epoch_batches=300)
    for update in range(300):
        np.testing.assert_allclose(ten(update * 10 + 9), one(update), rtol=1e-6)


@pytest.mark.parametrize("schedule", SCHEDULES, ids=lambda schedule: type(schedule).__name__)
def test_survives_json(schedule):
    config = json.loads(json.dumps(keras.optimizers.schedules.serialize(schedule)))
    again = keras.optimizers.schedules.deserialize(config)
    for step in (7, 150, 2500):
        np.testing.assert_array_equal(again(step), schedule(step))
