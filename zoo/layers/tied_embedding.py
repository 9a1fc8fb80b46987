"""An embedding that is the output matrix too."""

import keras
from keras import ops


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

    Reference:
        Press and Wolf 2017, "Using the Output Embedding to Improve Language Models", section 3.
    """

    def call(self, inputs, reverse=False):
        if reverse:
            return ops.matmul(inputs, ops.transpose(ops.cast(self.embeddings, inputs.dtype)))
        return super().call(inputs)

    def compute_output_spec(self, inputs, reverse=False):
        if reverse:
            shape = (*inputs.shape[:-1], self.input_dim)
            return keras.KerasTensor(shape, dtype=self.compute_dtype)
        return super().compute_output_spec(inputs)
