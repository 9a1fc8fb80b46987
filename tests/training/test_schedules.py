import json

import keras
import numpy as np

from training.schedules import InverseSquareRoot


def test_rises_in_a_line_and_falls_with_the_square_root():
    schedule = InverseSquareRoot(0.01, warmup_steps=100)
    # Step 49 is the 50th: half of the peak. The 100th is the peak, the 400th half of it again.
    for step, rate in ((49, 0.005), (99, 0.01), (399, 0.005), (9999, 0.001)):
        np.testing.assert_allclose(schedule(step), rate, rtol=1e-6)


def test_survives_json():
    schedule = InverseSquareRoot(0.01, 100)
    config = json.loads(json.dumps(keras.optimizers.schedules.serialize(schedule)))
    again = keras.optimizers.schedules.deserialize(config)
    np.testing.assert_array_equal(again(7), schedule(7))
