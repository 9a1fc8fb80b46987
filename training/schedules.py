"""Learning rates over time."""

import math

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


@keras.saving.register_keras_serializable("zoo")
class Cosine(keras.optimizers.schedules.LearningRateSchedule):
    """Linear warm-up to the peak, then down to 0 along half a cosine.

        lr(t) = peak * t / warmup                                               t <= warmup
        lr(t) = peak * (1 + cos(pi * (t - warmup) / (total - warmup))) / 2,     t = step + 1

    Args:
        peak: the highest rate.
        warmup_steps: the step that has it; 0 for none.
        total_steps: the last step.

    Raises:
        ValueError: for a warm-up that leaves no step for the cosine.

    Reference:
        Loshchilov, Hutter 2017, "SGDR", eq. 5, without restarts; warm-up of Goyal et al. 2017,
        section 2.2.
    """

    def __init__(self, peak, warmup_steps, total_steps):
        if warmup_steps >= total_steps:
            raise ValueError(
                f"`warmup_steps` {warmup_steps} must be fewer than the run's {total_steps} "
                "updates; lower it, or train for more epochs"
            )
        self.peak = peak
        self.warmup_steps = warmup_steps
        self.total_steps = total_steps

    def __call__(self, step):
        t = ops.cast(step, "float32") + 1.0
        done = (t - self.warmup_steps) / (self.total_steps - self.warmup_steps)
        down = (1 + ops.cos(math.pi * ops.clip(done, 0.0, 1.0))) / 2
        return self.peak * ops.minimum(t / max(self.warmup_steps, 1), down)

    def get_config(self):
        return {
            "peak": self.peak,
            "warmup_steps": self.warmup_steps,
            "total_steps": self.total_steps,
        }


@keras.saving.register_keras_serializable("zoo")
class Halving(keras.optimizers.schedules.LearningRateSchedule):
    """Constant, then halved at a step and again every so many steps.

        lr(step) = peak * 0.5^max(0, floor((step - after) / every) + 1)

    Args:
        peak: the rate before `after`.
        after: the first step, counted from 0, of half the rate.
        every: steps from one halving to the next.

    Reference:
        Luong et al. 2015, section 4.1: after 5 epochs, every epoch.
    """

    def __init__(self, peak, after, every):
        self.peak = peak
        self.after = after
        self.every = every

    def __call__(self, step):
        halvings = ops.floor((ops.cast(step, "float32") - self.after) / self.every) + 1
        return self.peak * ops.power(0.5, ops.maximum(halvings, 0.0))

    def get_config(self):
        return {"peak": self.peak, "after": self.after, "every": self.every}


@keras.saving.register_keras_serializable("zoo")
class Accumulated(keras.optimizers.schedules.LearningRateSchedule):
    """A schedule over updates, for an optimizer that counts the batches it accumulates.

    Args:
        schedule: over updates.
        batches: that make one update.
    """

    def __init__(self, schedule, batches):
        self.schedule = schedule
        self.batches = batches

    def __call__(self, step):
        return self.schedule(ops.floor_divide(step, self.batches))

    def get_config(self):
        schedule = keras.optimizers.schedules.serialize(self.schedule)
        return {"schedule": schedule, "batches": self.batches}

    @classmethod
    def from_config(cls, config):
        schedule = keras.optimizers.schedules.deserialize(config["schedule"])
        return cls(schedule, config["batches"])


def learning_rate(recipe, epoch_batches):
    """What the recipe's optimizer is given: a number or a schedule.

    Args:
        recipe: a `Recipe`; its `warmup_steps` are updates, its `halve_*` epochs.
        epoch_batches: batches in an epoch.
    """
    if recipe.schedule == "constant":
        return recipe.learning_rate
    updates = epoch_batches / recipe.accumulate  # in an epoch
    if recipe.schedule == "inverse-sqrt":
        schedule = InverseSquareRoot(recipe.learning_rate, recipe.warmup_steps)
    elif recipe.schedule == "cosine":
        total = int(updates * recipe.epochs)
        schedule = Cosine(recipe.learning_rate, recipe.warmup_steps, total)
    else:
        after, every = recipe.halve_after * updates, recipe.halve_every * updates
        schedule = Halving(recipe.learning_rate, after, every)
    return schedule if recipe.accumulate == 1 else Accumulated(schedule, recipe.accumulate)
