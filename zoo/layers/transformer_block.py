"""What the layers of a Transformer's encoder and decoder share."""

import keras

from zoo.layers import position_schemes
from zoo.layers.arguments import check_choice, check_rate, check_whole
from zoo.layers.cross_attention import CrossAttention
from zoo.layers.feed_forward import FeedForward
from zoo.layers.multi_head import check_heads
from zoo.layers.residual import NORMS, Residual
from zoo.layers.self_attention import SelfAttention

# What blocks answer, by what they are made of, built for and called with.
ANSWERS = {}


class TransformerBlock(keras.layers.Layer):
    """The parts of a block and what they may be made of: the base of both kinds.

    Args:
        num_heads: attention heads, in every attention.
        hidden_dim: width of the feed-forward network's hidden layer.
        activation: the feed-forward network's.
        dropout: rate on each branch.
        attention_dropout, hidden_dropout: rates on the attention weights, and on the feed-forward
            network's hidden layer; None for that of `dropout`.
        norm_first: pre-norm; a stack of such blocks wants one more norm at its end.
        norm, stochastic_depth: of the residual connections: see `Residual`.
        gated_feed_forward: see `FeedForward`.
        num_kv_heads, qk_norm, gated_attention: of every attention: see `MultiHead`.
        window, positions: of the self-attention: see `SelfAttention`.
    """

    def __init__(
        self,
        num_heads,
        hidden_dim,
        activation="relu",
        dropout=0.0,
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
        positions=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        kind = type(self).__name__  # whose arguments they are; its parts call some otherwise
        check_heads(kind, num_heads, num_kv_heads)
        check_whole(kind, hidden_dim=hidden_dim)
        check_whole(kind, optional=True, window=window)
        check_rate(kind, dropout=dropout, stochastic_depth=stochastic_depth)
        inner = {"attention_dropout": attention_dropout, "hidden_dropout": hidden_dropout}
        check_rate(kind, optional=True, **inner)
        check_choice(kind, NORMS, norm=norm)
        self.positions = position_schemes.get(positions, self.dtype_policy, kind)
        self.options = {
            "num_heads": num_heads,
            "hidden_dim": hidden_dim,
            "activation": activation,
            "dropout": dropout,
            **inner,
            "norm_first": norm_first,
            "norm": norm,
            "stochastic_depth": stochastic_depth,
            "gated_feed_forward": gated_feed_forward,
            "num_kv_heads": num_kv_heads,
            "qk_norm": qk_norm,
            "gated_attention": gated_attention,
            "window": window,
        }
        self.supports_masking = True
        self.feed_forward = FeedForward(
            hidden_dim,
            activation,
            self._rate("hidden_dropout"),
            gated_feed_forward,
            dtype=self.dtype_policy,
            name="feed_forward",
        )
        self.around_feed_forward = self.residual("around_feed_forward")

    def _rate(self, name):
        """A dropout's own rate, or the common one."""
        own = self.options[name]
        return self.options["dropout"] if own is None else own

    def _attention(self):
        return {
            "num_heads": self.options["num_heads"],
            "dropout": self._rate("attention_dropout"),
            "num_kv_heads": self.options["num_kv_heads"],
            "qk_norm": self.options["qk_norm"],
            "gated": self.options["gated_attention"],
            "dtype": self.dtype_policy,
        }

    def make_self_attention(self, causal, name):
        return SelfAttention(
            **self._attention(),
            causal=causal,
            window=self.options["window"],
            positions=self.positions,
            name=name,
        )

    def make_cross_attention(self, name):
        return CrossAttention(**self._attention(), name=name)

    def residual(self, name):
        names = ("dropout", "norm_first", "norm", "stochastic_depth")
        return Residual(
            **{name: self.options[name] for name in names}, dtype=self.dtype_policy, name=name
        )

    def pass_through_feed_forward(self, x, training):
        """The last part of a block, with its residual connection."""
        branch = self.feed_forward(self.around_feed_forward.enter(x), training=training)
        return self.around_feed_forward.leave(x, branch, training)

    def compute_output_spec(self, *args, **kwargs):
        """By a trace of `call`: one for all blocks that are alike, as those of a stack are.

        Of classes that are not the zoo's each block has its own, and so has one whose trace makes
        weights.
        """
        if not self._is_of_the_zoo():
            return super().compute_output_spec(*args, **kwargs)
        called = keras.tree.map_structure(_described, (args, kwargs))
        made = {**self.get_config(), "name": None, "positions": _nameless(self.positions)}
        weights = [variable.shape for variable in self.variables]
        key = repr((type(self), made, weights, self.get_build_config(), called))
        answer = ANSWERS.get(key)
        if answer is None:
            answer = super().compute_output_spec(*args, **kwargs)
            if len(self.variables) == len(weights):
                ANSWERS[key] = answer
        return keras.tree.map_structure(lambda x: keras.KerasTensor(x.shape, x.dtype), answer)

    def _is_of_the_zoo(self):
        """Whether all that it is made of stands in its config."""
        kinds = type(self), type(self.positions)
        named = isinstance(self.options["activation"], str)
        return named and all(kind.__module__.startswith("zoo.layers.") for kind in kinds)

    def get_config(self):
        positions = keras.saving.serialize_keras_object(self.positions)
        return {**super().get_config(), **self.options, "positions": positions}


def _nameless(layer):
    """What a layer is, but for its name."""
    return type(layer), {**layer.get_config(), "name": None}


def _described(argument):
    """A tensor's shape and type; what is no tensor as it is."""
    if hasattr(argument, "shape"):
        return f"{argument.dtype} {tuple(argument.shape)}"
    return argument
