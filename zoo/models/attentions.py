"""The recurrent translator's attentions by name, each as its paper has it."""

from zoo.layers import (
    BahdanauAttention,
    ChunkwiseAttention,
    CoverageAttention,
    LocalAttention,
    LuongAttention,
    MonotonicAttention,
)
from zoo.layers.arguments import check_choice

ATTENTIONS = (
    None,
    "luong",
    "luong-local-m",
    "luong-local-p",
    "luong-monotonic",
    "bahdanau",
    "bahdanau-normed",
    "bahdanau-coverage",
    "bahdanau-monotonic",
    "bahdanau-chunkwise",
)


def attention_of(name, score, window, max_length, mode):
    """The attention layer of that name; None for none.

    Args:
        score, max_length: of `LuongAttention`.
        window: of `LocalAttention`; the chunk of `ChunkwiseAttention`.
        mode: of `MonotonicAttention`.

    Raises:
        ValueError: for a name that is none.
    """
    if name is None:
        return None
    check_choice("RecurrentTranslator", ATTENTIONS, attention=name)
    kind, _, way = name.partition("-")
    if kind == "luong":
        scored = LuongAttention(score, max_length=max_length, name="score")
    else:
        scored = BahdanauAttention(normed=way not in ("", "coverage"), name="score")
    named = {"name": "attention"}
    ways = {
        "local-m": lambda: LocalAttention(scored, window, **named),
        "local-p": lambda: LocalAttention(scored, window, predictive=True, **named),
        "monotonic": lambda: MonotonicAttention(scored, mode, **named),
        "coverage": lambda: CoverageAttention(**named),
        "chunkwise": lambda: ChunkwiseAttention(
            BahdanauAttention(normed=True, name="chunk"),
            MonotonicAttention(scored, mode, name="monotonic"),
            window,
            **named,
        ),
    }
    return ways[way]() if way in ways else scored


def order_of(name):
    """Where an attention of that name stands: Bahdanau's before the cells, Luong's after them."""
    return "before" if (name or "").startswith("bahdanau") else "after"
