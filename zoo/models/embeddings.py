"""The embeddings of models."""

import keras

from zoo.layers import TiedEmbedding


def unit_embedding(size, dim, name):
    """An embedding whose vectors have length 1 on average."""
    normal = keras.initializers.RandomNormal(stddev=dim**-0.5)
    return TiedEmbedding(size, dim, embeddings_initializer=normal, name=name)


def check_shared(shared, source_size, target_size):
    """One embedding for both sides needs one vocabulary.

    Raises:
        ValueError: where they have two.
    """
    if shared and source_size != target_size:
        raise ValueError(
            f"`share_embeddings` needs one vocabulary, got sizes {source_size} and {target_size}."
        )
