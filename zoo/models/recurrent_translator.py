"""The recurrent encoder-decoder: without attention, or with one of many."""

import functools

import keras
from keras import ops

from zoo.layers import RecurrentDecoder, TiedEmbedding
from zoo.layers.arguments import check_choice, check_rate, check_whole
from zoo.layers.dense import Dense
from zoo.layers.monotonic_attention import MODES
from zoo.models.attentions import attention_of, order_of
from zoo.models.embeddings import check_shared
from zoo.models.forced import forced_view
from zoo.models.stepwise import inputs_like, mean_over_tokens

ENCODER_LAYERS = {
    "rnn": keras.layers.SimpleRNN,
    "lstm": keras.layers.LSTM,
    "gru": keras.layers.GRU,
}
DECODER_CELLS = {
    "rnn": keras.layers.SimpleRNNCell,
    "lstm": keras.layers.LSTMCell,
    "gru": keras.layers.GRUCell,
}


@keras.saving.register_keras_serializable("zoo")
class RecurrentTranslator(keras.Model):
    """A recurrent encoder, a recurrent decoder, and the attention between them.

        h = encoder(x),   s_0 = tanh(W_s h_end),   o_t = decoder(y_{t-1}, s_{t-1}, h)
        p(y_t | y_<t, x) = softmax(W o_t + b)

    Called on `(source ids, target ids)`, target shifted right, it gives the logits of every
    position. `encode`, `start` and `step` are the same layers, one token at a time.

    Each state of the decoder starts from a `tanh` layer of its own over all that the last encoder
    layer ended in. In the papers an LSTM's states are handed over as they are, and Bahdanau's
    `tanh` layer sees the backward state alone; this one fits any cell, width and depth.

    Args:
        source_vocabulary_size, target_vocabulary_size: how many ids there are. Id 0 is padding.
        embedding_dim: width of both embeddings.
        units: width of the encoder (of each direction) and of the decoder.
        cell: "rnn" (vanilla), "lstm" or "gru".
        encoder_layers, decoder_layers: how many are stacked.
        bidirectional: read the source both ways.
        attention: a name in `zoo.models.attentions`, or None for the fixed context vector.
        score: Luong's score: "dot", "scaled", "general", "concat" or "location". The first two want
            `units` = the memory's width.
        window: D of local attention; how many keys chunkwise attention looks back over.
        max_source_length: the longest source, for the location score.
        monotonic: "soft", which is trained, or "hard": the same weights, for decoding.
        attend: "before" the decoder's cells, "after" them, or "between" the first and the others;
            as in the attention's paper when not given.
        input_feeding: Luong's input feeding, where the attention is after the cells.
        residual: residual connections between the decoder's cells.
        dropout: rate on what each layer gives to the one above, on the memory and on the decoder's
            outputs.
        embedding_dropout: rate on embeddings; None for that of `dropout`.
        cell_dropout: rate on what each of the decoder's cells sees; variational, one mask a
            sequence.
        tie_embeddings: the target embedding is the output matrix too; `o_t` is brought to its width
            by a matrix `P`, if it has another, and there is no `b`: p = softmax(E P o_t).
        share_embeddings: source and target have one embedding; their vocabulary is one.

    Call arguments:
        inputs: pair of int `(batch, source length)` and int `(batch, target length)`.

    Returns:
        Logits `(batch, target length, target_vocabulary_size)`.

    Raises:
        ValueError: for an unknown cell, attention, score, mode or order, a size below 1, or a
            shared embedding of two vocabulary sizes.

    Reference:
        Sutskever et al. 2014; Cho et al. 2014 (no attention). Bahdanau et al. 2015. Luong et al.
        2015. Tu et al. 2016. Wu et al. 2016. Raffel et al. 2017. Chiu, Raffel 2018. Tied: Press,
        Wolf 2017, "Using the Output Embedding to Improve Language Models", sections 3 and 4.
    """

    def __init__(
        self,
        source_vocabulary_size,
        target_vocabulary_size,
        embedding_dim=128,
        units=128,
        cell="gru",
        encoder_layers=1,
        decoder_layers=1,
        bidirectional=True,
        attention="luong",
        score="general",
        window=10,
        max_source_length=128,
        monotonic="soft",
        attend=None,
        input_feeding=True,
        residual=False,
        dropout=0.0,
        embedding_dropout=None,
        cell_dropout=0.0,
        tie_embeddings=False,
        share_embeddings=False,
        **kwargs,
    ):
        check_choice("RecurrentTranslator", ENCODER_LAYERS, cell=cell)
        check_choice("RecurrentTranslator", MODES, monotonic=monotonic)
        check_whole(
            "RecurrentTranslator",
            source_vocabulary_size=source_vocabulary_size,
            target_vocabulary_size=target_vocabulary_size,
            embedding_dim=embedding_dim,
            units=units,
            encoder_layers=encoder_layers,
            decoder_layers=decoder_layers,
            window=window,
            max_source_length=max_source_length,
        )
        check_rate("RecurrentTranslator", dropout=dropout, cell_dropout=cell_dropout)
        check_rate("RecurrentTranslator", optional=True, embedding_dropout=embedding_dropout)
        check_shared(share_embeddings, source_vocabulary_size, target_vocabulary_size)
        looking = attention_of(attention, score, window, max_source_length, monotonic)
        order = attend or order_of(attention)
        self.options = {
            "source_vocabulary_size": source_vocabulary_size,
            "target_vocabulary_size": target_vocabulary_size,
            "embedding_dim": embedding_dim,
            "units": units,
            "cell": cell,
            "encoder_layers": encoder_layers,
            "decoder_layers": decoder_layers,
            "bidirectional": bidirectional,
            "attention": attention,
            "score": score,
            "window": window,
            "max_source_length": max_source_length,
            "monotonic": monotonic,
            "attend": attend,
            "input_feeding": input_feeding,
            "residual": residual,
            "dropout": dropout,
            "embedding_dropout": embedding_dropout,
            "cell_dropout": cell_dropout,
            "tie_embeddings": tie_embeddings,
            "share_embeddings": share_embeddings,
        }
        self.has_attention = attention is not None
        located = score == "location" and (attention or "").startswith("luong")
        self.longest_source = max_source_length if located else None
        kind = TiedEmbedding if tie_embeddings else keras.layers.Embedding
        if not share_embeddings:
            source_embedding = keras.layers.Embedding(
                source_vocabulary_size, embedding_dim, name="source_embedding"
            )
        target_embedding = kind(target_vocabulary_size, embedding_dim, name="target_embedding")
        # Past `__setattr__`: before `super().__init__` torch takes no layer as an attribute, and
        # afterwards the functional model tracks every layer of its graph itself.
        vars(self).update(
            source_embedding=target_embedding if share_embeddings else source_embedding,
            target_embedding=target_embedding,
            encoder=[
                _encoder_layer(cell, units, bidirectional, f"encoder_{i}")
                for i in range(encoder_layers)
            ],
            decoder=RecurrentDecoder(
                [DECODER_CELLS[cell](units, dropout=cell_dropout) for _ in range(decoder_layers)],
                looking,
                order,
                input_feeding=input_feeding and looking is not None and order == "after",
                residual=residual,
                dropout=dropout,
                name="decoder",
            ),
            bridge=[
                keras.layers.Dense(units, "tanh", name=f"bridge_{i}")
                for i in range(decoder_layers * (2 if cell == "lstm" else 1))
            ],
            dropout=keras.layers.Dropout(dropout, name="dropout"),
            embedding_dropout=keras.layers.Dropout(
                dropout if embedding_dropout is None else embedding_dropout,
                name="embedding_dropout",
            ),
            narrowing=Dense(embedding_dim, use_bias=False, name="narrowing")
            if tie_embeddings and units != embedding_dim
            else keras.layers.Identity(name="narrowing"),
            projection=functools.partial(target_embedding, reverse=True)
            if tie_embeddings
            else Dense(target_vocabulary_size, name="logits"),
        )

        source = keras.Input((None,), dtype="int32", name="source")
        target = keras.Input((None,), dtype="int32", name="target")
        outputs, _ = self._unprojected(
            self.source_embedding(source), ops.not_equal(source, 0), target
        )
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
        outputs, weights = self._unprojected(vectors, mask, target)
        return self.projection(outputs), weights

    def _unprojected(self, vectors, mask, target):
        """From embedded source to what is projected, and the attention."""
        memory, state = self._encode_embedded(vectors, mask)
        outputs, *weights, _ = self._decode(
            self.embedding_dropout(self.target_embedding(target)),
            {"memory": memory, "memory_mask": mask} if self.has_attention else {},
            state,
        )
        outputs = self.narrowing(self.dropout(outputs))
        return outputs, [ops.expand_dims(layer, 1) for layer in weights]

    def _encode(self, source):
        """Memory, its mask, and the decoder cells' initial states."""
        mask = ops.not_equal(source, 0)
        memory, state = self._encode_embedded(self.source_embedding(source), mask)
        return memory, mask, state

    def _encode_embedded(self, vectors, mask):
        """Memory and the decoder cells' initial states, of embedded tokens."""
        memory = self.embedding_dropout(vectors)
        for layer in self.encoder:
            memory, *last = layer(memory, mask=mask)
            memory = self.dropout(memory)
        last = ops.concatenate(last, axis=-1) if len(last) > 1 else last[0]
        return memory, [dense(last) for dense in self.bridge]

    def _decode(self, inputs, memory, state):
        """Outputs, the attention's weights where there is one, and the states after."""
        return self.decoder(
            inputs,
            **memory,
            initial_state=state,
            return_attention_scores=self.has_attention,
            return_state=True,
        )

    @functools.cached_property
    def encode(self):
        """Source ids -> what decoding needs of the source, a dict of batch-first tensors."""
        source = keras.Input((None,), dtype="int32", name="source")
        memory, mask, state = self._encode(source)
        state = self.decoder.start(state, memory)
        encoded = {f"initial_{i}": tensor for i, tensor in enumerate(state)}
        if self.has_attention:
            memory, keys = self.decoder.project_memory(memory, mask)
            encoded |= {"memory": memory, "memory_mask": mask, "keys": keys}
        return keras.Model(source, encoded, name="encode")

    @functools.cached_property
    def embed(self):
        """Source ids -> a vector for each sentence: the mean of the encoder's outputs."""
        source = keras.Input((None,), dtype="int32", name="source")
        memory, mask, _ = self._encode(source)
        return keras.Model(source, mean_over_tokens(memory, mask), name="embed")

    def start(self, encoded, room=0):
        """The state before the first step, whose shapes never change, whatever the room."""
        return {
            name.replace("initial", "state"): tensor
            for name, tensor in encoded.items()
            if name.startswith("initial")
        }

    @functools.cached_property
    def step(self):
        """(token ids, encoded | state) -> logits, state, attention (width 0 without one)."""
        tokens = keras.Input((), dtype="int32", name="tokens")
        state = inputs_like(self.start(self.encode.output))
        given = {**inputs_like(self.encode.output), **state}
        outputs, *weights, state = self._decode(
            ops.expand_dims(self.target_embedding(tokens), 1),
            {name: given[name] for name in ("memory", "memory_mask", "keys") if name in given},
            list(state.values()),
        )
        state = {f"state_{i}": tensor for i, tensor in enumerate(state)}
        logits = self.projection(self.narrowing(outputs[:, 0]))
        attention = weights[0][:, 0] if weights else outputs[:, 0, :0]
        return keras.Model((tokens, given), (logits, state, attention), name="step")

    @property
    def step_in_room(self):
        """`step`, whose state needs none."""
        return self.step

    @functools.cached_property
    def forced(self):
        """(source vectors, source mask, target ids) -> logits, attention, of given strings."""
        return forced_view(self)

    def get_config(self):
        return {**self.options, "name": self.name}

    @classmethod
    def from_config(cls, config):
        return cls(**config)


def _encoder_layer(cell, units, bidirectional, name):
    layer = ENCODER_LAYERS[cell](units, return_sequences=True, return_state=True, name=name)
    return keras.layers.Bidirectional(layer, name=name) if bidirectional else layer
