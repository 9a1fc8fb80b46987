"""How a model sees its batches in training."""

import keras
from keras import ops

from training.losses import divergence
from training.scheduled_sampling import ScheduledSampling


def learner(model, recipe, steps):
    """What is fitted: the model itself, or a `Learner` where the recipe asks for one.

    Args:
        model: the translator.
        recipe: a `Recipe`.
        steps: in the whole training.
    """
    sampling = None
    if recipe.scheduled_sampling:
        sampling = ScheduledSampling(recipe.scheduled_sampling, steps, seed=recipe.seed)
    if sampling or recipe.r_drop:
        return Learner(model, sampling, recipe.r_drop)
    return model


class Learner(keras.Model):
    """A translator with another forward pass and loss in training; otherwise it is the translator.

    With R-Drop each batch is computed twice, with dropout's masks drawn anew, and the loss is

        (nll_1 + nll_2 + alpha * (KL(p_1 || p_2) + KL(p_2 || p_1)) / 2) / 2

    which is half the paper's, so that the learning rate need not change.

    Args:
        model: the translator, built.
        sampling: a `ScheduledSampling` of what the decoder reads, or None.
        alpha: of R-Drop; 0 for none.

    Reference:
        Liang et al. 2021, "R-Drop", eq. 1 to 4.
    """

    def __init__(self, model, sampling=None, alpha=0.0):
        super().__init__()
        self.model = model
        self.sampling = sampling
        self.alpha = alpha
        self.built = True

    def call(self, inputs, training=None):
        if not training:
            return self.model(inputs, training=False)
        source, target = inputs
        if self.sampling is not None:
            target = self.sampling(target, self.model((source, target), training=True))
        if not self.alpha:
            return self.model((source, target), training=True)
        twice = tuple(ops.concatenate([ids, ids]) for ids in (source, target))
        logits = self.model(twice, training=True)
        return ops.stack(ops.split(logits, 2))  # (passes, batch, length, vocabulary)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        if len(y_pred.shape) == 3:
            return super().compute_loss(x, y, y_pred, sample_weight, training)
        first, second = y_pred[0], y_pred[1]
        nll = sum(
            super(Learner, self).compute_loss(x, y, logits, sample_weight, training)
            for logits in (first, second)
        )
        return (nll + self.alpha * divergence(y, first, second)) / 2

    def compute_metrics(self, x, y, y_pred, sample_weight=None):
        one = y_pred if len(y_pred.shape) == 3 else y_pred[0]
        return super().compute_metrics(x, y, one, sample_weight)
