import time

import keras
import numpy as np
import tensorflow as tf

from training.meter import Meter
from training.pipeline import Batches


def batches(pause):
    """Endless, 2 x 4 cells of which half of each side are padding; each takes so long to come."""
    ids = tf.constant([[1, 1, 1, 0], [1, 0, 0, 0]])

    def slow(number):
        tf.numpy_function(lambda: time.sleep(pause), [], [])
        return (ids, ids), ids

    return tf.data.Dataset.counter().map(slow)


def measured(pause):
    source, target = (keras.Input((None,), dtype="int32", name=name) for name in ("s", "t"))
    model = keras.Model((source, target), keras.layers.Embedding(3, 3)(target))
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    meter = Meter()
    history = model.fit(
        Batches.watched(batches(pause), meter.arrived),
        steps_per_epoch=20,
        epochs=2,
        verbose=0,
        callbacks=[meter],
        shuffle=False,
    )
    return {name: np.array(values) for name, values in history.history.items()}


def test_counts_tokens_and_padding_and_the_time_that_data_takes():
    slow, fast = measured(0.05), measured(0.0)
    np.testing.assert_allclose(slow["padding"], 0.5)
    # At most 4 tokens in each 0.05 s; and 20 batches take their second at least.
    assert (slow["tokens_per_second"] <= 80).all()
    assert (slow["waiting"] > 0.5).all()
    assert (slow["waiting"] <= 1.05).all()
    assert (fast["waiting"] < slow["waiting"]).all()
    assert (fast["tokens_per_second"] > slow["tokens_per_second"]).all()
    assert (slow["memory"] > 0.05).all()
