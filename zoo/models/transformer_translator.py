"""The Transformer encoder-decoder, in the small."""

import functools

import keras
from keras import ops

from zoo.layers import DecoderBlock, EncoderBlock, position_schemes
from zoo.layers.arguments import check_rate, check_whole
from zoo.layers.dense import Dense
from zoo.layers.residual import make_norm
from zoo.models.embeddings import check_shared, unit_embedding
from zoo.models.forced import forced_view
from zoo.models.stepwise import inputs_like, mean_over_tokens


@keras.saving.register_keras_serializable("zoo")
class TransformerTranslator(keras.Model):
    """A stack of encoder blocks, a stack of decoder blocks, and a position scheme.

    Called on `(source ids, target ids)`, target shifted right, it gives the logits of every
    position. `encode`, `start` and `step` are the same layers, one token at a time, with the keys
    and values of earlier positions in a cache.

    Args:
        source_vocabulary_size, target_vocabulary_size: how many ids there are. Id 0 is padding.
        dim: width of the model.
        num_layers: blocks in the encoder, and in the decoder.
        num_heads: attention heads.
        hidden_dim: width of the feed-forward networks' hidden layer.
        activation: "relu", "gelu" or "silu", or another that Keras knows.
        dropout: rate on embeddings and branches, where the paper has it (section 5.4).
        attention_dropout, hidden_dropout: rates on attention weights, and on feed-forward networks'
            hidden layers; None for that of `dropout`.
        norm_first: pre-norm.
        norm: "layer" or "rms"; or "unscaled", with layer norm behind the last block.
        stochastic_depth: how often the last block's branches are left out in training; the blocks
            before it, in proportion to how deep they are.
        gated_feed_forward: with activation "silu", SwiGLU.
        num_kv_heads: heads of the keys and values, where they are fewer than `num_heads`.
        qk_norm, gated_attention, window: see `SelfAttention`; the window is of self-attention.
        positions: "noise", "sinusoidal", "learned", "shaw", "t5", "rotary" or "alibi", or a scheme
            such as `RotaryPositions(linear=4)`, of which encoder and decoder get a copy each.
        tie_embeddings: the target embedding is the output matrix too.
        share_embeddings: source and target have one embedding; their vocabulary is one.

    Call arguments:
        inputs: pair of int `(batch, source length)` and int `(batch, target length)`.

    Returns:
        Logits `(batch, target length, target_vocabulary_size)`.

    Raises:
        ValueError: for an unknown position scheme or norm, heads that do not divide, a size below
            1, or a shared embedding of two vocabulary sizes.

    Reference:
        Vaswani et al. 2017, "Attention Is All You Need"; section 3.4 for the embeddings.
    """

    has_attention = True
    longest_source = None  # any

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
        attention_dropout=None,
        hidden_dropout=None,
        norm_first=True,
        norm="layer",
        stochastic_depth=0.0,
        gated_feed_forward=False,
        num_kv_heads=None,
        qk_norm=False,
        gated_attention=False,
        window=None,
        positions="sinusoidal",
        tie_embeddings=False,
        share_embeddings=False,
        **kwargs,
    ):
        check_whole(
            "TransformerTranslator",
            source_vocabulary_size=source_vocabulary_size,
            target_vocabulary_size=target_vocabulary_size,
            dim=dim,
            num_layers=num_layers,
            num_heads=num_heads,
            hidden_dim=hidden_dim,
        )
        check_rate("TransformerTranslator", dropout=dropout, stochastic_depth=stochastic_depth)
        check_shared(share_embeddings, source_vocabulary_size, target_vocabulary_size)
        inner = {"attention_dropout": attention_dropout, "hidden_dropout": hidden_dropout}
        check_rate("TransformerTranslator", optional=True, **inner)
        block = {
            "num_heads": num_heads,
            "hidden_dim": hidden_dim,
            "activation": activation,
            "dropout": dropout,
            **inner,
            "norm_first": norm_first,
            "norm": norm,
            "gated_feed_forward": gated_feed_forward,
            "num_kv_heads": num_kv_heads,
            "qk_norm": qk_norm,
            "gated_attention": gated_attention,
            "window": window,
        }
        self.options = {
            **block,
            "source_vocabulary_size": source_vocabulary_size,
            "target_vocabulary_size": target_vocabulary_size,
            "dim": dim,
            "num_layers": num_layers,
            "stochastic_depth": stochastic_depth,
            "positions": positions,
            "tie_embeddings": tie_embeddings,
            "share_embeddings": share_embeddings,
        }
        source_positions, target_positions = (
            position_schemes.copy(positions, f"{side}_positions", "TransformerTranslator")
            for side in ("source", "target")
        )
        target_embedding = unit_embedding(target_vocabulary_size, dim, "target_embedding")

        def stack(kind, name, scheme):
            return [
                kind(
                    **block,
                    positions=scheme.of_layer(),
                    stochastic_depth=stochastic_depth * (i + 1) / num_layers,
                    name=f"{name}_{i}",
                )
                for i in range(num_layers)
            ]

        # Past `__setattr__`: before `super().__init__` torch takes no layer as an attribute, and
        # afterwards the functional model tracks every layer of its graph itself.
        vars(self).update(
            target_embedding=target_embedding,
            source_embedding=target_embedding
            if share_embeddings
            else unit_embedding(source_vocabulary_size, dim, "source_embedding"),
            source_positions=source_positions,
            target_positions=target_positions,
            encoder=stack(EncoderBlock, "encoder", source_positions),
            decoder=stack(DecoderBlock, "decoder", target_positions),
            encoder_norm=self._last_norm("encoder_norm"),
            decoder_norm=self._last_norm("decoder_norm"),
            dropout=keras.layers.Dropout(dropout, name="dropout"),
            projection=functools.partial(target_embedding, reverse=True)
            if tie_embeddings
            else Dense(target_vocabulary_size, name="logits"),
            scale=keras.layers.Rescaling(dim**0.5, name="scale"),
        )

        source = keras.Input((None,), dtype="int32", name="source")
        target = keras.Input((None,), dtype="int32", name="target")
        mask = ops.not_equal(source, 0)
        outputs, _ = self._unprojected(self.source_embedding(source), mask, target, False)
        super().__init__(inputs=(source, target), outputs=self.projection(outputs), **kwargs)
        vars(self)["unprojected"] = keras.Model((source, target), outputs, name="unprojected")

    @property
    def output_weights(self):
        """`W` and `b`, or None, of the logits `x W + b` of what `unprojected` gives."""
        if self.options["tie_embeddings"]:
            return ops.transpose(self.target_embedding.embeddings), None
        return self.projection.kernel, self.projection.bias

    def answer(self, vectors, mask, target):
        """From embedded source to logits, and the attention: see `zoo.models.forced`."""
        outputs, looked = self._unprojected(vectors, mask, target, weights_wanted=True)
        return self.projection(outputs), looked

    def _unprojected(self, vectors, mask, target, weights_wanted):
        """From embedded source to what is projected, and the attention."""
        memory = self._encode_embedded(vectors, mask)
        x, looked = self._place(self.target_positions, self.target_embedding(target)), []
        for block in self.decoder:
            x, weights, _ = block(
                x, memory, memory_mask=mask, return_attention_scores=weights_wanted
            )
            looked.append(weights)
        return self.decoder_norm(x), looked

    def _last_norm(self, name):
        """The norm that a stack of pre-norm blocks ends in, which has weights in any case."""
        if not self.options["norm_first"]:
            return keras.layers.Identity(name=name)
        norm = self.options["norm"]
        return make_norm("layer" if norm == "unscaled" else norm, name=name)

    def _place(self, positions, vectors, start=None):
        """Embedded tokens where they stand."""
        return self.dropout(positions.embed(self.scale(vectors), start))

    def _encode(self, source):
        """Memory and its mask."""
        mask = ops.not_equal(source, 0)
        return self._encode_embedded(self.source_embedding(source), mask), mask

    def _encode_embedded(self, vectors, mask):
        """Memory of embedded tokens."""
        x = self._place(self.source_positions, vectors)
        for block in self.encoder:
            x = block(x, mask=mask)
        return self.encoder_norm(x)

    @functools.cached_property
    def encode(self):
        """Source ids -> what decoding needs of the source, a dict of batch-first tensors."""
        source = keras.Input((None,), dtype="int32", name="source")
        memory, mask = self._encode(source)
        encoded = {"memory_mask": mask}
        for i, block in enumerate(self.decoder):
            encoded |= named("memory", i, block.project_memory(memory, mask))
        return keras.Model(source, encoded, name="encode")

    @functools.cached_property
    def embed(self):
        """Source ids -> a vector for each sentence: the mean of the encoder's outputs."""
        source = keras.Input((None,), dtype="int32", name="source")
        memory, mask = self._encode(source)
        return keras.Model(source, mean_over_tokens(memory, mask), name="embed")

    def start(self, encoded, room=0):
        """The state before the first step: caches that grow by a position at each.

        With `room` for so many positions their shapes never change: `step_in_room` fills them.
        """
        batch = ops.shape(encoded["memory_mask"])[0]
        state = {"position": ops.zeros((batch,), dtype="int32")}
        for i, block in enumerate(self.decoder):
            state |= named("cache", i, block.self_attention.empty_cache(batch, room))
        return state

    @functools.cached_property
    def step(self):
        """(token ids, encoded | state) -> logits, state, attention (mean of the last heads)."""
        return self._stepping("step")

    @functools.cached_property
    def step_in_room(self):
        """What `step` does, in caches with room."""
        return self._stepping("step_in_room", in_room=True)

    def _stepping(self, name, in_room=False):
        tokens = keras.Input((), dtype="int32", name="tokens")
        given = inputs_like(self.encode.output)
        for i, block in enumerate(self.decoder):
            for kept, part in named("cache", i, block.self_attention.empty_cache(1)).items():
                given[kept] = keras.Input((part.shape[1], None, part.shape[3]), name=kept)
        given["position"] = keras.Input((), dtype="int32", name="position")
        position, state = given["position"], {}
        vectors = self.target_embedding(ops.expand_dims(tokens, 1))
        x = self._place(self.target_positions, vectors, position)
        for i, block in enumerate(self.decoder):
            x, weights, cache = block(
                x,
                memory_mask=given["memory_mask"],
                cache=tuple(given[kept] for kept in named("cache", i)),
                position=position if in_room else None,
                projected=tuple(given[kept] for kept in named("memory", i)),
                return_attention_scores=True,
            )
            state |= named("cache", i, cache)
        logits = self.projection(self.decoder_norm(x)[:, 0])
        attention = ops.mean(weights, axis=1)[:, 0]
        state["position"] = position + 1
        return keras.Model((tokens, given), (logits, state, attention), name=name)

    @functools.cached_property
    def forced(self):
        """(source vectors, source mask, target ids) -> logits, attention, of given strings."""
        return forced_view(self)

    def get_config(self):
        positions = keras.saving.serialize_keras_object(self.options["positions"])
        return {**self.options, "positions": positions, "name": self.name}

    @classmethod
    def from_config(cls, config):
        return cls(**config)


def named(kind, layer, pair=(None, None)):
    """The keys and values of a decoder's layer, by the names that they have in the state."""
    return {f"{kind}_{layer}_{part}": x for part, x in zip(("keys", "values"), pair, strict=True)}
