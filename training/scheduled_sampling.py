"""Reading one's own guesses in training, as one has to afterwards."""

import keras
from keras import ops


class ScheduledSampling(keras.layers.Layer):
    """Puts the model's own guesses in place of right tokens, the more often the longer it trains.

        y'_t = argmax_v p(v | y_<t, x) with probability p_i, else y_t,   p_i = p * min(1, i / total)

    The guesses come from a first pass over the right tokens, so that all positions are computed at
    once in any model; no gradient flows through them. START and padding stay.

    Args:
        probability: `p`.
        total: the step `i` at which it is reached.

    Call arguments:
        target: int `(batch, length)`, what the decoder reads.
        logits: `(batch, length, vocabulary)`, of the tokens after those.

    Returns:
        int `(batch, length)`, what it reads in the second pass.

    Reference:
        Bengio et al. 2015, section 2.4, with the linear decay. Mihaylova, Martins 2019, "Scheduled
        Sampling for Transformers", section 3, for the two passes.
    """

    def __init__(self, probability, total, seed=None, **kwargs):
        super().__init__(dtype="float32", **kwargs)
        self.probability = probability
        self.total = total
        self.seeds = keras.random.SeedGenerator(seed)
        self.steps = self.add_weight(
            name="steps", shape=(), initializer="zeros", dtype="float32", trainable=False
        )
        self.built = True

    def call(self, target, logits):
        self.steps.assign_add(1.0)
        probability = self.probability * ops.minimum(self.steps / self.total, 1.0)
        guessed = ops.cast(ops.argmax(logits, axis=-1), target.dtype)[:, :-1]
        right = target[:, 1:]
        chosen = keras.random.uniform(ops.shape(right), seed=self.seeds) < probability
        # A guess of padding would hide the position.
        chosen = chosen & ops.not_equal(right, 0) & ops.not_equal(guessed, 0)
        mixed = ops.where(chosen, guessed, right)
        return ops.concatenate([target[:, :1], mixed], axis=1)
