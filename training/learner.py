"""How a model sees its batches in training."""

import keras
from keras import ops

from training.losses import alignment_crossentropy, divergence
from training.scheduled_sampling import ScheduledSampling
from training.xla import op_by_op


def learner(model, recipe, steps):
    """What is fitted: the model itself, or what sees its batches or its loss in another way.

    That is a `Learner` where the recipe asks for one, and else, where TensorFlow computes op by op
    on a CPU, a `LinearLearner`.

    Args:
        model: the translator.
        recipe: a `Recipe`.
        steps: in the whole training.
    """
    sampling = None
    if recipe.scheduled_sampling:
        sampling = ScheduledSampling(recipe.scheduled_sampling, steps, seed=recipe.seed)
    if recipe.guided_alignment and not model.has_attention:
        raise ValueError(
            f"`guided_alignment` needs a model with an attention; got the preset {recipe.preset!r}"
        )
    if sampling or recipe.r_drop or recipe.guided_alignment:
        return Learner(model, sampling, recipe.r_drop, recipe.guided_alignment)
    if op_by_op(recipe) and model.compute_dtype == "float32":
        from training.linear_crossentropy import LinearLearner  # TensorFlow need not be here.

        return LinearLearner(model, recipe.label_smoothing)
    return model


class Learner(keras.Model):
    """A translator with another forward pass and loss in training; otherwise it is the translator.

    With R-Drop each batch is computed twice, with dropout's masks drawn anew, and the loss is

        (nll_1 + nll_2 + alpha * (KL(p_1 || p_2) + KL(p_2 || p_1)) / 2) / 2

    which is half the paper's, so that the learning rate need not change. With guided alignment
    the inputs hold gold alignments, and `guided * alignment_crossentropy` joins the loss.

    Args:
        model: the translator, built.
        sampling: a `ScheduledSampling` of what the decoder reads, or None.
        alpha: of R-Drop; 0 for none.
        guided: weight of the attention's loss; 0 for none.

    Reference:
        Liang et al. 2021, "R-Drop", eq. 1 to 4. Chen et al. 2016, "Guided Alignment Training for
        Topic-Aware Neural Machine Translation".
    """

    def __init__(self, model, sampling=None, alpha=0.0, guided=0.0):
        super().__init__()
        self.model = model
        self.sampling = sampling
        self.alpha = alpha
        self.guided = guided
        if guided:
            model.forced  # noqa: B018 - is made here, since a step's graph is no place for it
        self.built = True

    def call(self, inputs, training=None):
        if not training:
            return self.model(inputs, training=False)
        source, target, *gold = inputs
        if self.sampling is not None:
            target = self.sampling(target, self.model((source, target), training=True))
        if not self.alpha:
            return self._pass(source, target, *gold)
        twice = (ops.concatenate([ids, ids]) for ids in (source, target, *gold))
        logits = self._pass(*twice)
        return ops.stack(ops.split(logits, 2))  # (passes, batch, length, vocabulary)

    def _pass(self, source, target, *gold):
        """The logits; the attention's loss is added on the way."""
        if not self.guided:
            return self.model((source, target), training=True)
        vectors = self.model.source_embedding(source)
        given = vectors, ops.not_equal(source, 0), target
        logits, attention = self.model.forced(given, training=True)
        looked = ops.mean(attention[-1], axis=1)  # of the last layer's heads
        self.add_loss(self.guided * alignment_crossentropy(*gold, looked))
        return logits

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
