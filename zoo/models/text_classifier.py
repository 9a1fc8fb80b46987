"""From many tokens to one label."""

import keras
from keras import ops

from zoo.layers import AttentionPooling, EncoderBlock, position_schemes
from zoo.layers.arguments import check_rate, check_whole
from zoo.layers.residual import make_norm
from zoo.models.embeddings import unit_embedding


@keras.saving.register_keras_serializable("zoo")
class TextClassifier(keras.Model):
    """A Transformer encoder, attention pooling, and a class for the whole text.

        h = encoder(x),   v = sum_t a_t h_t,   p(class | x) = softmax(W v + b)

    `attend` is the same layers up to the weights `a`, which say what the answer was made of.

    Args:
        vocabulary_size: how many ids there are. Id 0 is padding.
        num_classes: how many labels there are.
        dim: width of the model.
        num_layers: encoder blocks; with 0, attention pools the embeddings themselves.
        num_heads: attention heads.
        hidden_dim: width of the feed-forward networks' hidden layer.
        hops: learned queries that pool.
        dropout: rate on embeddings, attention weights, hidden layers, branches and the pooled.
        positions: position scheme of the encoder: see `SelfAttention`.

    Call arguments:
        inputs: int `(batch, length)`.

    Returns:
        Logits `(batch, num_classes)`.

    Raises:
        ValueError: for an unknown position scheme, heads that do not divide, or a size below 1.

    Reference:
        Yang et al. 2016, "Hierarchical Attention Networks for Document Classification"; Lin et al.
        2017, "A Structured Self-attentive Sentence Embedding"; on the encoder of Vaswani et al.
        2017.
    """

    def __init__(
        self,
        vocabulary_size,
        num_classes,
        dim=128,
        num_layers=1,
        num_heads=4,
        hidden_dim=256,
        hops=1,
        dropout=0.1,
        positions="sinusoidal",
        **kwargs,
    ):
        check_whole(
            "TextClassifier",
            vocabulary_size=vocabulary_size,
            num_classes=num_classes,
            dim=dim,
            num_heads=num_heads,
            hidden_dim=hidden_dim,
            hops=hops,
        )
        check_whole("TextClassifier", least=0, num_layers=num_layers)
        check_rate("TextClassifier", dropout=dropout)
        self.options = {
            "vocabulary_size": vocabulary_size,
            "num_classes": num_classes,
            "dim": dim,
            "num_layers": num_layers,
            "num_heads": num_heads,
            "hidden_dim": hidden_dim,
            "hops": hops,
            "dropout": dropout,
            "positions": positions,
        }
        scheme = position_schemes.copy(positions, "positions", "TextClassifier")
        drop = keras.layers.Dropout(dropout, name="dropout")
        ids = keras.Input((None,), dtype="int32", name="ids")
        mask = ops.not_equal(ids, 0)
        vectors = unit_embedding(vocabulary_size, dim, "embedding")(ids)
        x = drop(scheme.embed(keras.layers.Rescaling(dim**0.5, name="scale")(vectors)))
        for i in range(num_layers):
            block = EncoderBlock(
                num_heads,
                hidden_dim,
                dropout=dropout,
                positions=scheme.of_layer(),
                name=f"encoder_{i}",
            )
            x = block(x, mask=mask)
        x = make_norm("layer", name="encoder_norm")(x)
        pooling = AttentionPooling(hops=hops, name="pooling")
        pooled, weights = pooling(x, mask=mask, return_attention_scores=True)
        logits = keras.layers.Dense(num_classes, name="logits")(drop(pooled))
        super().__init__(inputs=ids, outputs=logits, **kwargs)
        self.attend = keras.Model(ids, weights, name="attend")

    def get_config(self):
        positions = keras.saving.serialize_keras_object(self.options["positions"])
        return {**self.options, "positions": positions, "name": self.name}

    @classmethod
    def from_config(cls, config):
        return cls(**config)
