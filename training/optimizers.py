"""Keras's optimizers, with the papers' constants, right on the gradients of embeddings."""

import keras

from training.schedules import learning_rate


class DenseGradients:
    """Sums the rows of a sparse gradient before the optimizer sees them.

    On TensorFlow the gradient of an embedding holds a row for each time that its token occurs, and
    Keras squares the rows before it sums them: `sum(g^2)` in place of `(sum g)^2`.
    """

    def apply(self, grads, trainable_variables=None):
        return super().apply([_dense(gradient) for gradient in grads], trainable_variables)


def _dense(gradient):
    if gradient is None or keras.backend.backend() != "tensorflow":
        return gradient
    import tensorflow as tf

    return tf.convert_to_tensor(gradient)


@keras.saving.register_keras_serializable("zoo")
class SGD(DenseGradients, keras.optimizers.SGD):
    """Plain, as in Luong et al. 2015, section 4.1."""


@keras.saving.register_keras_serializable("zoo")
class Adam(DenseGradients, keras.optimizers.Adam):
    """Kingma, Ba 2015."""


@keras.saving.register_keras_serializable("zoo")
class AdamW(DenseGradients, keras.optimizers.AdamW):
    """Loshchilov, Hutter 2019; the decay is multiplied by the learning rate."""


@keras.saving.register_keras_serializable("zoo")
class Adafactor(DenseGradients, keras.optimizers.Adafactor):
    """Shazeer, Stern 2018; wants a learning rate of about 1e-2, relative to a matrix's scale.

    It saves no memory here: Keras keeps `v` in full beside its factors.
    """


@keras.saving.register_keras_serializable("zoo")
class Lion(DenseGradients, keras.optimizers.Lion):
    """Chen et al. 2023; wants a learning rate of a tenth to a third of AdamW's."""


# The constants of Adam are those of Vaswani et al. 2017, section 5.3.
_ADAM = {"beta_1": 0.9, "beta_2": 0.98, "epsilon": 1e-9}
_KINDS = {
    "sgd": (SGD, {}),
    "adam": (Adam, _ADAM),
    "adamw": (AdamW, _ADAM),
    "adafactor": (Adafactor, {"beta_2_decay": -0.8, "epsilon_1": 1e-30, "epsilon_2": 1e-3}),
    "lion": (Lion, {"beta_1": 0.9, "beta_2": 0.99}),
}


def optimizer(recipe, variables, epoch_batches):
    """The recipe's optimizer of these variables.

    Gradients of `accumulate` batches are averaged, each batch alike, and then clipped. Weights
    decay where they are matrices; biases and norms do not. With "mixed_float16" the loss is
    scaled up before its gradient is taken, so that small gradients are not lost; an update with
    a gradient that is not finite is left out, and the scale halved.

    Args:
        recipe: a `Recipe`.
        variables: of the model, trainable.
        epoch_batches: batches in an epoch, for the schedule.

    Returns:
        A built `keras.optimizers.Optimizer`.

    Reference:
        Micikevicius et al. 2018, "Mixed Precision Training", section 3.2.
    """
    kind, constants = _KINDS[recipe.optimizer]
    made = kind(
        learning_rate(recipe, epoch_batches),
        global_clipnorm=recipe.clip_norm,
        gradient_accumulation_steps=recipe.accumulate if recipe.accumulate > 1 else None,
        weight_decay=recipe.weight_decay or None,
        **constants,
    )
    made.exclude_from_weight_decay([v for v in variables if len(v.shape) < 2])
    if recipe.precision == "mixed_float16":
        made = keras.optimizers.LossScaleOptimizer(made)
    made.build(variables)
    return made
