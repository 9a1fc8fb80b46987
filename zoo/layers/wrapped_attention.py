"""The layer that every attention around another one's score is built on."""

import keras

from zoo.layers.arguments import refuse
from zoo.layers.attention import Attention


class WrappedAttention(Attention):
    """An attention that takes its scores from another and aligns in its own way.

    Args:
        attention: a `LuongAttention`, a `BahdanauAttention` or another `Attention` by its score.

    Raises:
        ValueError: for an attention that has an alignment of its own already, or what is none.
    """

    def __init__(self, attention, **kwargs):
        super().__init__(**kwargs)
        align = getattr(type(attention), "align", None)
        if align is not Attention.align:
            expected = "an `Attention` by its score alone, such as LuongAttention()"
            why = ", which aligns in its own way" if align else ""
            refuse(type(self).__name__, "attention", expected, attention, why)
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
