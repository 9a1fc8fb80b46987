"""Position schemes that add a vector to each element."""

from keras import ops

from zoo.layers import attend
from zoo.layers.positions import Positions


class AbsolutePositions(Positions):
    """`x_p + e_p`: a vector for each position, added before the first attention.

    The base of the schemes that give `encode`. In a stack of layers they act once, on the
    embeddings, and the layers themselves go without.

    Call arguments:
        inputs: `(batch, length, dim)`.
        start: int `(1 or batch,)`, the position of each row's first element; 0 when not given.

    Returns:
        `(batch, length, dim)`.
    """

    def of_layer(self):
        return None

    def embed(self, inputs, start=None):
        return self(inputs, start=start)

    def encode(self, positions, dim):
        """`e` of int positions `(1 or batch, length)`: `(1 or batch, length, dim)`."""
        raise NotImplementedError(f"{type(self).__name__} gives no `encode(positions, dim)`.")

    def call(self, inputs, start=None):
        inputs = attend.real(inputs, self.compute_dtype)
        _, length, dim = ops.shape(inputs)
        positions = ops.expand_dims(ops.arange(length, dtype="int32"), 0)  # (1, length)
        if start is not None:
            positions = positions + ops.expand_dims(ops.cast(start, "int32"), 1)
        return inputs + ops.cast(self.encode(positions, dim), inputs.dtype)
