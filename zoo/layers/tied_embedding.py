"""An embedding that is the output matrix too."""

import keras
from keras import ops
from keras.backend import is_float_dtype, standardize_dtype

from zoo.layers import shapes


@keras.saving.register_keras_serializable("zoo")
class TiedEmbedding(keras.layers.Embedding):
    """Vectors of ids, and, in reverse, the logits of vectors by the same matrix.

        vector(i) = E_i,   logits(x) = x E^T

    Args: as `keras.layers.Embedding`: `input_dim` ids, vectors of `output_dim`.

    Call arguments:
        inputs: int `(...)`; with `reverse`, `(..., output_dim)`.
        reverse: from vectors to logits.

    Returns:
        `(..., output_dim)`; with `reverse`, logits `(..., input_dim)`.

    Raises:
        ValueError: in reverse, for ints or another width.

    Reference:
        Press and Wolf 2017, "Using the Output Embedding to Improve Language Models", section 3.
    """

    def call(self, inputs, reverse=False):
        if reverse:
            self._check_vectors(inputs)
            return self._logits(inputs)
        return super().call(inputs)

    def _logits(self, inputs):
        matrix = ops.cast(self.embeddings, inputs.dtype)
        if len(inputs.shape) == 2:
            # A step of decoding: it is the few vectors that are turned, not the matrix.
            return ops.transpose(ops.matmul(matrix, ops.transpose(inputs)))
        return ops.matmul(inputs, ops.transpose(matrix))

    def _check_vectors(self, inputs):
        dtype = standardize_dtype(inputs.dtype)
        if not is_float_dtype(dtype):
            raise ValueError(f"{self.name}: `inputs` must be of floats in reverse, got {dtype}.")
        shapes.check_width(self.name, "inputs", inputs.shape[-1], self.output_dim)

    def compute_mask(self, inputs, mask=None):
        """With `mask_zero`, that of ids; vectors, told by type and width, keep what they have."""
        vectors = is_float_dtype(standardize_dtype(inputs.dtype))
        if vectors and inputs.shape[-1] == self.output_dim:
            return mask
        return super().compute_mask(inputs)

    def compute_output_spec(self, inputs, reverse=False):
        if reverse:
            self._check_vectors(inputs)
            shape = (*inputs.shape[:-1], self.input_dim)
            return keras.KerasTensor(shape, dtype=self.compute_dtype)
        return super().compute_output_spec(inputs)
