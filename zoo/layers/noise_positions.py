"""Fixed random noise for positions."""

import keras
import numpy as np

from zoo.layers.learned_positions import LearnedPositions


@keras.saving.register_keras_serializable("zoo")
class NoisePositions(LearnedPositions):
    """A vector of noise for each position, drawn once and never changed.

        x_p + n_p,   n_p ~ N(0, 1)

    The simplest cure for a bag of tokens: any vectors will do that differ. There is nothing to
    learn, and neighbours are no more alike than strangers, which is what the other schemes improve.

    Args:
        max_length: how many positions there are vectors for; past it, as `LearnedPositions`.
        seed: of the noise, which is the same on every backend and machine.

    Call arguments, returns and errors: as `LearnedPositions`.

    Reference:
        The starting point that Vaswani et al. 2017, section 3.5, chooses sinusoids over.
    """

    def __init__(self, max_length=512, seed=0, **kwargs):
        super().__init__(max_length, **kwargs)
        self.seed = seed

    def build(self, inputs_shape, start_shape=None):
        draw = np.random.default_rng(self.seed)
        self.table = draw.normal(size=(self.max_length, inputs_shape[-1])).astype("float32")

    def get_config(self):
        return {**super().get_config(), "seed": self.seed}
