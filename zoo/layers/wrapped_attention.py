"""The layer that every attention around another one's score is built on."""

import keras

from zoo.layers.attention import Attention


class WrappedAttention(Attention):
    """An attention that takes its scores from another and aligns in its own way.

    Args:
        attention: a `LuongAttention`, a `BahdanauAttention` or another `Attention` by its score.

    Raises:
        ValueError: for an attention that has an alignment of its own already.
    """

    def __init__(self, attention, **kwargs):
        super().__init__(**kwargs)
        if type(attention).align is not Attention.align:
            raise ValueError(
                f"{type(self).__name__}: `attention` must be one by its score alone, such as "
                f"LuongAttention, got {type(attention).__name__}, which aligns in its own way."
            )
        self.attention = attention

    def build(self, query_shape, value_shape, key_shape=None):
        if not self.attention.built:
            self.attention.build(query_shape, value_shape, key_shape)

    def project_key(self, key):
        return self.attention.project_key(key)

    def score(self, query, key):
        return self.attention.score(query, key)

    def get_config(self):
        attention = keras.saving.serialize_keras_object(self.attention)
        return {**super().get_config(), "attention": attention}

    @classmethod
    def from_config(cls, config):
        attention = keras.saving.deserialize_keras_object(config["attention"])
        return cls(**{**config, "attention": attention})
