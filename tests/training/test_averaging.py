"""Averages of weights, against the formula in NumPy."""

from types import SimpleNamespace

import keras
import numpy as np
import pytest

from training.averaging import LastEpochs, MovingAverage, swapped


def variable(value):
    return keras.Variable(np.array(value, "float32"))


def stepping(average, weights, updates):
    """Tell the callback that the weights are these after so many updates."""
    average.model.optimizer.iterations = updates
    for own, value in zip(average.variables, weights, strict=True):
        own.assign(value)
    average.on_train_batch_end(0)


@pytest.fixture
def average():
    made = MovingAverage([variable([1.0, 2.0])], 0.5)
    made.set_model(SimpleNamespace(optimizer=SimpleNamespace(iterations=0)))
    made.on_train_begin()
    return made


def test_moving_average_is_the_formula_s(average):
    values = np.random.default_rng(0).normal(size=(20, 2)).astype("float32")
    expected = np.array([1.0, 2.0])
    for n, value in enumerate(values, start=1):
        stepping(average, [value], n)
        decay = min(0.5, (1 + n) / (10 + n))
        expected = decay * expected + (1 - decay) * value
    np.testing.assert_allclose(average.values(0)[0], expected, rtol=1e-5)


def test_moving_average_leaves_the_weights_alone(average):
    stepping(average, [[5.0, 6.0]], 1)
    np.testing.assert_array_equal(average.variables[0].numpy(), [5, 6])


def test_moving_average_counts_updates_and_not_batches(average):
    stepping(average, [[5.0, 6.0]], 1)
    (before,) = average.values(0)
    stepping(average, [[7.0, 8.0]], 1)  # a batch that only accumulates
    np.testing.assert_array_equal(average.values(0)[0], before)


def test_moving_average_of_a_resumed_run_counts_from_its_updates(average):
    average.model.optimizer.iterations = 90
    average.on_train_begin()
    (before,) = average.values(0)
    stepping(average, [[5.0, 6.0]], 90)
    np.testing.assert_array_equal(average.values(0)[0], before)
    stepping(average, [[5.0, 6.0]], 91)
    np.testing.assert_allclose(average.values(0)[0], [3, 4])  # half of each


def test_last_epochs_are_averaged_alike(tmp_path):
    weights = [variable([0.0]), variable([[0.0]])]
    last = LastEpochs(weights, tmp_path / "epochs", 3)
    got = []
    for epoch, value in enumerate([1.0, 3.0, 8.0, 4.0, 0.0]):
        for one in weights:
            one.assign(np.full(one.shape, value))
        last.on_epoch_end(epoch)
        got.append(last.values(epoch))
    assert got[0] is None
    assert [float(values[0][0]) for values in got[1:]] == [2, 4, 5, 4]
    assert got[4][1].shape == (1, 1)
    assert {file.name for file in (tmp_path / "epochs").iterdir()} == {
        f"{epoch}.npz" for epoch in (2, 3, 4, 5)
    }


def test_an_epoch_that_is_done_again_counts_once(tmp_path):
    weights = [variable([2.0])]
    last = LastEpochs(weights, tmp_path, 2)
    for epoch, value in ((0, 2.0), (1, 100.0), (1, 4.0)):
        weights[0].assign([value])
        last.on_epoch_end(epoch)
    np.testing.assert_array_equal(last.values(1)[0], [3])


def test_a_damaged_epoch_is_named(tmp_path):
    last = LastEpochs([variable([2.0])], tmp_path, 2)
    for epoch in (0, 1):
        last.on_epoch_end(epoch)
    (tmp_path / "1.npz").write_bytes(b"PK\x03\x04 half a file")
    with pytest.raises(ValueError, match=r"1\.npz is missing or damaged"):
        last.values(1)


def test_weights_are_their_own_after_a_swap_even_after_an_error():
    weights = [variable([1.0]), variable([[2.0]])]
    with pytest.raises(ZeroDivisionError), swapped(weights, [[7.0], [[8.0]]]):
        assert [float(w.numpy().item()) for w in weights] == [7, 8]
        raise ZeroDivisionError
    assert [float(w.numpy().item()) for w in weights] == [1, 2]
