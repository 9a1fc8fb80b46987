"""What `layers.md` shows: a row for each mechanism."""

from dataclasses import dataclass

TEXT = "Tuesday, 14 June 1904"  # whose alignments are drawn

QUERY = ("query", "value")
TARGET = ("target", "memory")

OWN = """\
class Nearest(layers.Attention):
    def score(self, query, key):
        return -keras.ops.norm(query[:, :, None] - key[:, None], axis=-1)


query, value = keras.Input((None, 64)), keras.Input((None, 64))
attended = Nearest()(query, value)
model = keras.Model((query, value), attended)"""
RESIDUAL = """\
x, residual = keras.Input((None, 64)), layers.{make}
y = residual.leave(x, layers.FeedForward(256)(residual.enter(x)))
model = keras.Model(x, y)"""
TIED = """\
ids, tied = keras.Input((None,), dtype="int32"), layers.{make}
logits = tied(keras.layers.LSTM(64, return_sequences=True)(tied(ids)), reverse=True)
model = keras.Model(ids, logits)"""
BLOCK = """\
target, memory = keras.Input((None, 64)), keras.Input((None, 64))
y, weights, _ = layers.{make}(target, memory, return_attention_scores=True)
model = keras.Model((target, memory), (y, weights))"""


@dataclass(frozen=True)
class Mechanism:
    """One entry of the page.

    Attributes:
        heading: what it is called.
        make: how its layer is made: what stands behind `layers.`.
        picture: the file in `pictures/`, without its ending.
        inputs: the names of what the layer is called on, each `(batch, length, 64)`.
        labels: which of the docstring's labelled formulas and papers are its own.
        layer: the class whose docstring it is, where it is not the one that is made.
        remark: what is to be seen in the picture.
        code: the three lines, where `make` and `inputs` do not say them.
    """

    heading: str
    make: str
    picture: str
    inputs: tuple = ("x",)
    labels: tuple = ()
    layer: str = ""
    remark: str = ""
    code: str = ""


def _placed(heading, layer, picture, remark=""):
    make = f"SelfAttention(4, positions=layers.{layer}())"
    return Mechanism(heading, make, picture, layer=layer, remark=remark)


_PART = "It has no alignment: this is where a Transformer with it looks in the source."
_GRU, _TWO = "keras.layers.GRUCell(64)", "[keras.layers.LSTMCell(64) for _ in range(2)]"
_LUONG, _BAHDANAU = "layers.LuongAttention()", "layers.BahdanauAttention(normed=True)"
_MONOTONIC = "layers.MonotonicAttention(layers.LuongAttention())"

FAMILIES = {
    "Scores": [
        Mechanism(
            "Luong, dot",
            'LuongAttention("dot")',
            "luong-dot",
            QUERY,
            ("dot",),
            remark=(
                "A dot product wants states as wide as the memory, so this model reads one way, "
                "and looks at a word where it has been read to the end."
            ),
        ),
        Mechanism(
            "Luong, scaled",
            'LuongAttention("scaled")',
            "luong-scaled",
            QUERY,
            ("scaled",),
            remark=(
                "As dot; with an LSTM's states, none of which is over 1, divided scores stay small "
                "and weights soft."
            ),
        ),
        Mechanism(
            "Luong, general",
            "LuongAttention()",
            "luong-general",
            QUERY,
            ("general",),
            remark=(
                "Each digit at its own, the month at its name; a dash comes from no character, and "
                "rests at the end."
            ),
        ),
        Mechanism("Luong, concat", 'LuongAttention("concat")', "luong-concat", QUERY, ("concat",)),
        Mechanism(
            "Luong, location",
            'LuongAttention("location")',
            "luong-location",
            QUERY,
            ("location",),
            remark=(
                "It sees no key, so that it can't look for a month, only for a place; and in 20 "
                "locales the month has many places."
            ),
        ),
        Mechanism("Bahdanau", "BahdanauAttention()", "bahdanau", QUERY, ("plain",)),
        Mechanism(
            "Bahdanau, normed",
            "BahdanauAttention(normed=True)",
            "bahdanau-normed",
            QUERY,
            ("normed",),
        ),
        Mechanism("Coverage", "CoverageAttention()", "coverage", QUERY),
        Mechanism(
            "A score of your own",
            "Attention()",
            "",
            QUERY,
            code=OWN,
        ),
    ],
    "Alignments": [
        Mechanism(
            "Local, monotonic (local-m)",
            f"LocalAttention({_LUONG}, window=4)",
            "luong-local-m",
            QUERY,
            ("local-m",),
            remark=(
                "The window moves on by a character a step, and the year, which is written first, "
                "stands last: made for text that keeps its order, which dates do not."
            ),
        ),
        Mechanism(
            "Local, predictive (local-p)",
            f"LocalAttention({_LUONG}, window=4, predictive=True)",
            "luong-local-p",
            QUERY,
            ("local-p",),
            remark=(
                "After so short a training, the window is predicted for the year, and not yet for "
                "the month."
            ),
        ),
        Mechanism(
            "Monotonic, soft",
            f"MonotonicAttention({_BAHDANAU})",
            "monotonic-soft",
            QUERY,
            ("soft",),
            remark=(
                "It never goes back, and the year, which is written first, stands last: so it "
                "stays halfway and lives on what the encoder, reading both ways, has brought there."
            ),
        ),
        Mechanism(
            "Monotonic, hard",
            f'MonotonicAttention({_BAHDANAU}, "hard")',
            "monotonic-hard",
            QUERY,
            ("hard",),
            remark="Every step stops at one character.",
        ),
        Mechanism(
            "Chunkwise (MoChA)",
            f"ChunkwiseAttention(\n    layers.BahdanauAttention(), {_MONOTONIC}, chunk=4\n)",
            "mocha",
            QUERY,
            remark="The end of the chunk moves on only, too; within it, the choice is free.",
        ),
    ],
    "Self-attention and attention to a memory": [
        Mechanism("Self-attention", "SelfAttention(num_heads=4)", "self-attention"),
        Mechanism(
            "Multi-query",
            "SelfAttention(4, num_kv_heads=1)",
            "multi-query",
            labels=("multi-query",),
        ),
        Mechanism(
            "Grouped-query",
            "SelfAttention(4, num_kv_heads=2)",
            "grouped-query",
            labels=("grouped-query",),
        ),
        Mechanism(
            "Causal",
            "SelfAttention(4, causal=True)",
            "causal",
            labels=("causal",),
            remark="None looks ahead, right of the diagonal.",
        ),
        Mechanism(
            "Window",
            "SelfAttention(4, window=4)",
            "window",
            labels=("window",),
            remark="None looks further than three characters.",
        ),
        Mechanism(
            "Cross-attention",
            "CrossAttention(num_heads=4)",
            "cross-attention",
            QUERY,
            remark="The mean of the last block's heads.",
        ),
        Mechanism("Pooling", "AttentionPooling(hops=2)", "pooling", labels=("hops",)),
    ],
    "Positions": [
        _placed(
            "No positions",
            "Positions",
            "no-positions",
            remark=(
                "Equal characters are one to it, see the rows of `1` and of `u`: it knows which "
                "there are, and not which stand together, and writes another date."
            ),
        ),
        _placed("Noise", "NoisePositions", "noise"),
        _placed("Sinusoidal", "SinusoidalPositions", "self-attention"),
        _placed("Learned", "LearnedPositions", "learned"),
        _placed("Relative, by Shaw", "ShawPositions", "shaw", "Many look at a neighbour."),
        _placed(
            "Relative bias, T5", "T5Positions", "t5", "It has learned to look one character on."
        ),
        _placed("Rotary", "RotaryPositions", "rotary"),
        _placed("Linear biases (ALiBi)", "AlibiPositions", "alibi"),
    ],
    "Parts of a Transformer": [
        Mechanism(
            "Feed-forward, ReLU",
            "FeedForward(256)",
            "cross-attention",
            labels=("plain", "relu"),
            remark=_PART,
        ),
        Mechanism(
            "Feed-forward, GELU",
            'FeedForward(256, "gelu")',
            "gelu",
            labels=("plain", "gelu"),
            remark=_PART,
        ),
        Mechanism(
            "Feed-forward, SwiGLU",
            'FeedForward(256, "silu", gated=True)',
            "swiglu",
            labels=("gated", "silu"),
            remark=_PART,
        ),
        Mechanism(
            "Residual, pre-norm",
            "Residual()",
            "cross-attention",
            labels=("pre-norm", "layer norm"),
            remark=_PART,
            code=RESIDUAL,
        ),
        Mechanism(
            "Residual, post-norm",
            "Residual(norm_first=False)",
            "post-norm",
            labels=("post-norm", "layer norm"),
            remark=_PART,
            code=RESIDUAL,
        ),
        Mechanism(
            "Residual, RMSNorm",
            'Residual(norm="rms")',
            "swiglu",
            labels=("pre-norm", "rmsnorm"),
            remark=_PART,
            code=RESIDUAL,
        ),
        Mechanism(
            "Residual, stochastic depth",
            "Residual(stochastic_depth=0.1)",
            "stochastic-depth",
            labels=("pre-norm", "stochastic depth"),
            remark=_PART,
            code=RESIDUAL,
        ),
        Mechanism("Tied embedding", "TiedEmbedding(9000, 64)", "swiglu", remark=_PART, code=TIED),
        Mechanism("Encoder block", "EncoderBlock(4, 256)", "encoder-block"),
        Mechanism("Decoder block", "DecoderBlock(4, 256)", "cross-attention", TARGET, code=BLOCK),
    ],
    "Recurrent decoder": [
        Mechanism(
            "Bahdanau's: attention before the cell",
            f'RecurrentDecoder({_GRU}, layers.BahdanauAttention(), "before")',
            "bahdanau",
            TARGET,
            ("before",),
        ),
        Mechanism(
            "Luong's: attention after the cell",
            f"RecurrentDecoder(\n    {_GRU}, {_LUONG}, input_feeding=True\n)",
            "luong-general",
            TARGET,
            ("after",),
        ),
        Mechanism(
            "GNMT's: attention between the cells",
            f'RecurrentDecoder(\n    {_TWO}, layers.BahdanauAttention(), "between"\n)',
            "gnmt",
            TARGET,
            ("between",),
            remark=(
                "One epoch is short for three cells: the attention has found the year, and the "
                "rest still comes through the cells alone."
            ),
        ),
    ],
}
