"""What can't be made says which argument is wrong, what came and what was expected."""

from functools import partial

import keras
import numpy as np
import pytest
from keras.layers import GRUCell, StackedRNNCells

import zoo
from zoo.layers import (
    AttentionPooling,
    BahdanauAttention,
    ChunkwiseAttention,
    CoverageAttention,
    CrossAttention,
    DecoderBlock,
    EncoderBlock,
    FeedForward,
    LearnedPositions,
    LocalAttention,
    LuongAttention,
    MonotonicAttention,
    NoisePositions,
    RecurrentDecoder,
    Residual,
    RotaryPositions,
    SelfAttention,
    ShawPositions,
    T5Positions,
)
from zoo.models import RecurrentTranslator, TextClassifier, TransformerTranslator

NAN = float("nan")

local, chunkwise, monotonic = (
    partial(make, LuongAttention())
    for make in (LocalAttention, ChunkwiseAttention, MonotonicAttention)
)
chunks_of = partial(chunkwise, MonotonicAttention(LuongAttention()))

# Which maker, which argument, and whether it may be None; all are 1 or more.
SIZES = [
    (AttentionPooling, "units", True),
    (AttentionPooling, "hops", False),
    (BahdanauAttention, "units", True),
    (BahdanauAttention, "chunks", False),
    (CoverageAttention, "units", True),
    (LuongAttention, "units", True),
    (LuongAttention, "max_length", False),
    (LuongAttention, "chunks", False),
    (local, "window", False),
    (chunks_of, "chunk", False),
    (FeedForward, "units", False),
    (LearnedPositions, "max_length", False),
    (NoisePositions, "max_length", False),
    (ShawPositions, "max_distance", False),
    (T5Positions, "num_buckets", False),
    (T5Positions, "max_distance", False),
    *(
        (kind, name, optional)
        for make, names in [
            (SelfAttention, ("num_kv_heads", "window")),
            (CrossAttention, ("num_kv_heads",)),
        ]
        for kind, name, optional in [
            (make, "num_heads", False),
            *((partial(make, 4), name, True) for name in names),
        ]
    ),
    *(
        (make, name, optional)
        for block in (EncoderBlock, DecoderBlock)
        for make, name, optional in [
            (partial(block, hidden_dim=4), "num_heads", False),
            (partial(block, num_heads=4), "hidden_dim", False),
            (partial(block, 4, 4), "num_kv_heads", True),
            (partial(block, 4, 4), "window", True),
        ]
    ),
    *((partial(RecurrentTranslator, 9, 9), name, False) for name in ("units", "decoder_layers")),
    *((partial(TransformerTranslator, 9, 9), name, False) for name in ("dim", "num_layers")),
    *((partial(TextClassifier, 9, 2), name, False) for name in ("dim", "num_heads", "hops")),
]


@pytest.mark.parametrize(("make", "argument", "optional"), SIZES)
def test_sizes_are_whole_and_1_or_more(make, argument, optional):
    kind = getattr(make, "func", make).__name__
    wrong = {"a whole number": [True, "8", 2.5, NAN, [8], np.ones(2)], "1 or more": [0, -1]}
    wrong["a whole number"] += [] if optional else [None]
    for expected, values in wrong.items():
        for value in values:
            with pytest.raises(ValueError) as error:
                make(**{argument: value})
            assert f"{kind}: `{argument}` must be " in str(error.value)
            assert str(error.value).endswith(f" got {value!r}.")
            assert expected in str(error.value) or argument == "num_buckets"
            assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("make", "argument"),
    [
        *(
            (make, "dropout")
            for make in (partial(FeedForward, 4), Residual, partial(SelfAttention, 2))
        ),
        *((make, "dropout") for make in (partial(CrossAttention, 2), partial(EncoderBlock, 2, 4))),
        (partial(RecurrentDecoder, GRUCell(2)), "dropout"),
        (partial(TextClassifier, 9, 2), "dropout"),
        (partial(RecurrentTranslator, 9, 9), "dropout"),
        (partial(RecurrentTranslator, 9, 9), "cell_dropout"),
        (partial(RecurrentTranslator, 9, 9), "embedding_dropout"),
        (partial(TransformerTranslator, 9, 9), "dropout"),
        (partial(TransformerTranslator, 9, 9), "stochastic_depth"),
        (partial(TransformerTranslator, 9, 9), "attention_dropout"),
        (partial(DecoderBlock, 2, 4), "stochastic_depth"),
        (partial(DecoderBlock, 2, 4), "hidden_dropout"),
        (Residual, "stochastic_depth"),
    ],
)
def test_rates_are_from_0_to_below_1(make, argument):
    kind = getattr(make, "func", make).__name__
    optional = argument in ("attention_dropout", "hidden_dropout", "embedding_dropout")
    for value in (1, 1.5, -0.1, NAN, True, "0.1", *(() if optional else (None,))):
        with pytest.raises(ValueError, match=f"^{kind}: `{argument}` must be .*, got {value!r}"):
            make(**{argument: value})


@pytest.mark.parametrize(
    ("make", "argument", "refused"),
    [
        (CoverageAttention, "max_fertility", [0, -1]),
        (monotonic, "noise", [-1]),
        (monotonic, "offset", []),
        (RotaryPositions, "base", [0, -1]),
        (RotaryPositions, "linear", [0, 0.5]),
        (RotaryPositions, "ntk", [0, 0.5]),
    ],
)
def test_numbers_are_finite(make, argument, refused):
    kind = getattr(make, "func", make).__name__
    for value in (*refused, NAN, float("inf"), True, "1", None):
        with pytest.raises(ValueError, match=f"^{kind}: `{argument}` must be .*, got {value!r}"):
            make(**{argument: value})


def test_a_fertility_of_a_half_will_do():
    assert CoverageAttention(max_fertility=0.5).max_fertility == 0.5
    assert BahdanauAttention(np.int64(3)).units == 3


CELL = GRUCell(2)
decoder = partial(RecurrentDecoder, CELL)
CELLS = "^RecurrentDecoder: `cells` must be a cell, such as GRUCell.8., or a list of cells, got "
ATTENTION = r"^RecurrentDecoder: `attention` must be an `Attention`, such as .*, or None, got "
SCORED = "^LocalAttention: `attention` must be an `Attention` by its score alone, such as .*, got "
STOPS = "^ChunkwiseAttention: `monotonic` must be a `MonotonicAttention`, got "
POSITIONS = "^SelfAttention: `positions` must be one of .*'rotary'.* or a `Positions`, got "


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: LuongAttention("scale"), "`score` must be one of .*'scaled'.*got 'scale'"),
        (lambda: LuongAttention(["dot"]), r"`score` must be one of .*got \['dot'\]"),
        (lambda: monotonic("firm"), r"`mode` must be one of \('soft', 'hard'\), got 'firm'"),
        (lambda: monotonic(None), "`mode` must be one of .*, got None"),
        (lambda: Residual(norm="rsm"), "^Residual: `norm` must be one of .*'rms'.*got 'rsm'"),
        (lambda: Residual(norm=["rms"]), r"`norm` must be one of .*got \['rms'\]"),
        (lambda: EncoderBlock(2, 4, norm={}), "^EncoderBlock: `norm` must be one of .*got {}"),
        (lambda: decoder(attend=["after"]), r"`attend` must be one of .*got \['after'\]"),
        (lambda: CoverageAttention(chunks=4), "^CoverageAttention: takes no `chunks`"),
        (lambda: T5Positions(5), "`num_buckets` must be even and 4 or more, got 5"),
        (lambda: T5Positions(32, 16), "`max_distance` must be over half of .*, 16, got 16"),
        (lambda: DecoderBlock(4, 4, num_kv_heads=3), "^DecoderBlock: `num_kv_heads` 3 must div"),
        (lambda: LocalAttention(None), SCORED + "None"),
        (lambda: LocalAttention("luong"), SCORED + "'luong'"),
        (lambda: LocalAttention(LuongAttention), SCORED + "<class "),
        (lambda: LocalAttention(SelfAttention(2)), SCORED + "<SelfAttention "),
        (lambda: LocalAttention(keras.layers.Attention()), SCORED + "<Attention "),
        (lambda: LocalAttention(monotonic()), SCORED + "<MonotonicAtt.*, which aligns in its own"),
        (lambda: MonotonicAttention(CoverageAttention()), "score alone.*Coverage.*its own way"),
        (lambda: chunkwise(None), STOPS + "None"),
        (lambda: chunkwise(MonotonicAttention), STOPS + "<class "),
        (lambda: chunkwise(BahdanauAttention()), STOPS + "<BahdanauAttention "),
        (lambda: chunkwise(local()), STOPS + "<LocalAttention "),
        (lambda: chunkwise(CoverageAttention()), STOPS + "<CoverageAttention "),
        (lambda: RecurrentDecoder(None), CELLS + "None"),
        (lambda: RecurrentDecoder("lstm"), CELLS + "'lstm'"),
        (lambda: RecurrentDecoder(GRUCell), CELLS + "<class "),
        (lambda: RecurrentDecoder(keras.layers.LSTM(2)), CELLS + "<LSTM "),
        (lambda: RecurrentDecoder([CELL, keras.layers.Dense(2)]), CELLS + "<Dense "),
        (lambda: RecurrentDecoder([]), r"`cells` must be one cell or more, got \[\]"),
        (
            lambda: RecurrentDecoder([CELL, CELL]),
            "`cells` must each be a cell of its own, got one t",
        ),
        (
            lambda: RecurrentDecoder(StackedRNNCells([GRUCell(2), GRUCell(2)])),
            "`cells` must be .*, got <StackedRNNCells .*; give its cells as a list",
        ),
        (lambda: decoder("bahdanau"), ATTENTION + "'bahdanau'"),
        (lambda: decoder(LuongAttention), ATTENTION + "<class "),
        (lambda: decoder(SelfAttention(2)), ATTENTION + "<SelfAttention "),
        (lambda: decoder(CrossAttention(2)), ATTENTION + "<CrossAttention "),
        (lambda: decoder(keras.layers.AdditiveAttention()), ATTENTION + "<AdditiveAttention "),
        (lambda: SelfAttention(2, positions="rotery"), POSITIONS + "'rotery'"),
        (lambda: SelfAttention(2, positions=["t5"]), POSITIONS + r"\['t5'\]"),
        (lambda: SelfAttention(2, positions=T5Positions), POSITIONS + "<class "),
        (lambda: SelfAttention(2, positions={}), POSITIONS + "{}"),
        (lambda: SelfAttention(2, positions={"a": 1}), POSITIONS + "{'a': 1}"),
        (lambda: SelfAttention(2, positions=keras.layers.Dense(2)), POSITIONS + "<Dense "),
        (lambda: TextClassifier(9, 2, positions={}), "^TextClassifier: `positions` must be one of"),
        (
            lambda: zoo.build("luong-gru"),
            "'luong-gru' needs source_vocabulary_size, target_vocabulary_size",
        ),
        (
            lambda: zoo.build("attention-classifier", vocabulary_size=9),
            "'attention-classifier' needs num_classes",
        ),
        (lambda: zoo.build(["luong-gru"]), r"No preset \['luong-gru'\]; the presets are"),
    ],
)
def test_what_cannot_be_made_says_so(make, message):
    with pytest.raises(ValueError, match=message) as error:
        make()
    assert "\n" not in str(error.value)
