"""Learning rates over time."""

import keras
from keras import ops


@keras.saving.register_keras_serializable("zoo")
class InverseSquareRoot(keras.optimizers.schedules.LearningRateSchedule):
    """Linear warm-up to the peak, then down with the square root of the step.

        lr(t) = peak * min(t / warmup, sqrt(warmup / t)),   t = step + 1

    Args:
        peak: the highest rate.
        warmup_steps: the step that has it.

    Reference:
        Vaswani et al. 2017, "Attention Is All You Need", section 5.3, eq. 3, with the peak named
        in place of the width.
    """

    def __init__(self, peak, warmup_steps):
        self.peak = peak
        self.warmup_steps = warmup_steps

    def __call__(self, step):
        t = ops.cast(step, "float32") + 1.0
        return self.peak * ops.minimum(t / self.warmup_steps, ops.sqrt(self.warmup_steps / t))

    def get_config(self):
        return {"peak": self.peak, "warmup_steps": self.warmup_steps}


def learning_rate(recipe):
    """What the recipe's optimizer is given: a number or a schedule."""
    if recipe.schedule == "inverse-sqrt":
        return InverseSquareRoot(recipe.learning_rate, recipe.warmup_steps)
    return recipe.learning_rate
