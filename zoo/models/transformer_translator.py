"""The Transformer encoder-decoder, in the small."""

import functools

import keras
from keras import ops

from zoo.layers import DecoderBlock, EncoderBlock, SinusoidalPositions
from zoo.models.stepwise import inputs_like


@keras.saving.register_keras_serializable("zoo")
class TransformerTranslator(keras.Model):
    """A stack of encoder blocks, a stack of decoder blocks, sinusoidal positions.

    Called on `(source ids, target ids)`, target shifted right, it gives the logits of every
    position. `encode`, `start` and `step` are the same layers, one token at a time, with the keys
    and values of earlier positions in a cache.

    Args:
        source_vocabulary_size, target_vocabulary_size: how many ids there are. Id 0 is padding.
        dim: width of the model.
        num_layers: blocks in the encoder, and in the decoder.
        num_heads: attention heads.
        hidden_dim: width of the feed-forward networks' hidden layer.
        activation: "relu" or "gelu", or another that Keras knows.
        dropout: rate on embeddings, attention weights, hidden layers and branches.
        norm_first: pre-norm.

    Call arguments:
        inputs: pair of int `(batch, source length)` and int `(batch, target length)`.

    Returns:
        Logits `(batch, target length, target_vocabulary_size)`.

    Reference:
        Vaswani et al. 2017, "Attention Is All You Need".
    """

    has_attention = True

    def __init__(
        self,
        source_vocabulary_size,
        target_vocabulary_size,
        dim=128,
        num_layers=2,
        num_heads=4,
        hidden_dim=256,
        activation="relu",
        dropout=0.1,
        norm_first=True,
        **kwargs,
    ):
        self.options = {
            "source_vocabulary_size": source_vocabulary_size,
            "target_vocabulary_size": target_vocabulary_size,
            "dim": dim,
            "num_layers": num_layers,
            "num_heads": num_heads,
            "hidden_dim": hidden_dim,
            "activation": activation,
            "dropout": dropout,
            "norm_first": norm_first,
        }
        block = {
            "num_heads": num_heads,
            "hidden_dim": hidden_dim,
            "activation": activation,
            "dropout": dropout,
            "norm_first": norm_first,
        }
        # Past `__setattr__`: before `super().__init__` torch takes no layer as an attribute, and
        # afterwards the functional model tracks every layer of its graph itself.
        vars(self).update(
            source_embedding=_embedding(source_vocabulary_size, dim, "source_embedding"),
            target_embedding=_embedding(target_vocabulary_size, dim, "target_embedding"),
            positions=SinusoidalPositions(name="positions"),
            encoder=[EncoderBlock(**block, name=f"encoder_{i}") for i in range(num_layers)],
            decoder=[DecoderBlock(**block, name=f"decoder_{i}") for i in range(num_layers)],
            encoder_norm=_norm("encoder_norm") if norm_first else keras.layers.Identity(),
            decoder_norm=_norm("decoder_norm") if norm_first else keras.layers.Identity(),
            dropout=keras.layers.Dropout(dropout, name="dropout"),
            projection=keras.layers.Dense(target_vocabulary_size, name="logits"),
            scale=keras.layers.Rescaling(dim**0.5, name="scale"),
        )

        source = keras.Input((None,), dtype="int32", name="source")
        target = keras.Input((None,), dtype="int32", name="target")
        memory, mask = self._encode(source)
        x = self._embed(self.target_embedding, target)
        for block in self.decoder:
            x, _, _ = block(x, memory, memory_mask=mask)
        logits = self.projection(self.decoder_norm(x))
        super().__init__(inputs=(source, target), outputs=logits, **kwargs)

    def _embed(self, embedding, tokens, start=None):
        return self.dropout(self.positions(self.scale(embedding(tokens)), start=start))

    def _encode(self, source):
        """Memory and its mask."""
        mask = ops.not_equal(source, 0)
        x = self._embed(self.source_embedding, source)
        for block in self.encoder:
            x = block(x, mask=mask)
        return self.encoder_norm(x), mask

    @functools.cached_property
    def encode(self):
        """Source ids -> what decoding needs of the source, a dict of batch-first tensors."""
        source = keras.Input((None,), dtype="int32", name="source")
        memory, mask = self._encode(source)
        encoded = {
            f"memory_{i}": block.project_memory(memory, mask)
            for i, block in enumerate(self.decoder)
        }
        return keras.Model(source, {**encoded, "memory_mask": mask}, name="encode")

    def start(self, encoded, max_length):
        """The state before the first step, for a decoding of at most `max_length` tokens."""
        batch = ops.shape(encoded["memory_mask"])[0]
        caches = {
            f"cache_{i}": block.self_attention.empty_cache(batch, max_length)
            for i, block in enumerate(self.decoder)
        }
        return {**caches, "position": ops.zeros((batch,), dtype="int32")}

    @functools.cached_property
    def step(self):
        """(token ids, encoded | state) -> logits, state, attention (mean of the last heads)."""
        tokens = keras.Input((), dtype="int32", name="tokens")
        given = inputs_like(self.encode.output)
        given |= {
            f"cache_{i}": keras.Input((None, 2 * self.options["dim"]), name=f"cache_{i}")
            for i in range(len(self.decoder))
        }
        given["position"] = keras.Input((), dtype="int32", name="position")
        position, state = given["position"], {}
        x = self._embed(self.target_embedding, ops.expand_dims(tokens, 1), start=position)
        for i, block in enumerate(self.decoder):
            x, weights, state[f"cache_{i}"] = block(
                x,
                given[f"memory_{i}"],
                memory_mask=given["memory_mask"],
                cache=given[f"cache_{i}"],
                position=position,
                projected=True,
            )
        logits = self.projection(self.decoder_norm(x))[:, 0]
        attention = ops.mean(weights, axis=1)[:, 0]
        state["position"] = position + 1
        return keras.Model((tokens, given), (logits, state, attention), name="step")

    def get_config(self):
        return {**self.options, "name": self.name}

    @classmethod
    def from_config(cls, config):
        return cls(**config)


def _embedding(size, dim, name):
    normal = keras.initializers.RandomNormal(stddev=dim**-0.5)
    return keras.layers.Embedding(size, dim, embeddings_initializer=normal, name=name)


def _norm(name):
    return keras.layers.LayerNormalization(epsilon=1e-5, name=name)
