"""A learned vector for each position."""

import keras
from keras import ops

from zoo.layers import shapes
from zoo.layers.absolute_positions import AbsolutePositions
from zoo.layers.arguments import check_whole


@keras.saving.register_keras_serializable("zoo")
class LearnedPositions(AbsolutePositions):
    """A learned vector for each of `max_length` positions.

        x_p + w_p

    Where lengths are known only as the model runs, whatever stands past the last position gets the
    last vector.

    Args:
        max_length: how many positions there are vectors for.

    Call arguments and returns: as `AbsolutePositions`.

    Raises:
        ValueError: for a `max_length` below 1, or inputs known to be longer or of another width.

    Reference:
        Gehring et al. 2017, "Convolutional Sequence to Sequence Learning", section 3.1; Vaswani et
        al. 2017, table 3, row E.
    """

    def __init__(self, max_length=512, **kwargs):
        super().__init__(**kwargs)
        check_whole(type(self).__name__, max_length=max_length)
        self.max_length = max_length

    def build(self, inputs_shape, start_shape=None):
        normal = keras.initializers.RandomNormal(stddev=0.02)
        shape = (self.max_length, inputs_shape[-1])
        self.table = self.add_weight(shape=shape, initializer=normal, name="table")

    def encode(self, positions, dim):
        shapes.check_width(self.name, "inputs", dim, self.table.shape[-1])
        length = positions.shape[1]
        if isinstance(length, int) and length > self.max_length:  # on JAX it may be a symbol
            raise ValueError(
                f"{self.name}: a length of {length} where `max_length` is {self.max_length}; "
                "make it as long, or take a scheme that has no longest length."
            )
        return ops.take(self.table, ops.minimum(positions, self.max_length - 1), axis=0)

    def get_config(self):
        return {**super().get_config(), "max_length": self.max_length}
