"""Each rule on pairs that are counted by hand."""

import dataclasses

import pytest

from training.datasets.filters import describe, filter_pairs
from training.datasets.load import Pairs
from training.recipe import Recipe

LICENCE = "CC0-1.0"


def kept(pairs, **fields):
    """The pairs that are left, and the counts."""
    sources, targets = zip(*pairs, strict=True)
    whole = Pairs("toys", list(sources), list(targets), LICENCE)
    left, dropped = filter_pairs(whole, Recipe(**fields))
    assert (left.name, left.licence) == ("toys", LICENCE)
    return list(zip(left.sources, left.targets, strict=True)), dropped


PAIRS = [
    ("one two", "un deux"),
    ("", "vide"),
    ("nothing", " \t"),
    ("same", "same"),
    ("one two three four", "un"),
]


@pytest.mark.parametrize(
    ("fields", "left", "dropped"),
    [
        ({}, [0, 3, 4], {"blank": 2}),
        ({"max_words": 3}, [0, 3], {"blank": 2, "longer than 3 words": 1}),
        ({"max_words": 4}, [0, 3, 4], {"blank": 2}),
        ({"max_characters": 17}, [0, 3], {"blank": 2, "longer than 17 characters": 1}),
        ({"max_characters": 18}, [0, 3, 4], {"blank": 2}),
        ({"drop_identical": True}, [0, 4], {"blank": 2, "identical in source and target": 1}),
        # 7 + 0 + 7 + 4 + 18 = 36 characters and 7 + 4 + 2 + 4 + 2 = 19: 36/19 is the rule. The
        # last pair's 18/2 is 9 * 19/36 = 4.75 times that, the others' 7/7 and 4/4 are 36/19 = 1.9
        # times below it.
        ({"max_length_ratio": 4.8}, [0, 3, 4], {"blank": 2}),
        ({"max_length_ratio": 4.7}, [0, 3], {"blank": 2, "of lengths more than 4.7-fold apart": 1}),
        ({"max_length_ratio": 1.8}, None, {"blank": 2, "of lengths more than 1.8-fold apart": 3}),
        (  # The first reason that holds is the one that counts.
            {"max_words": 1, "max_characters": 5, "drop_identical": True},
            None,
            {"longer than 1 words": 2, "blank": 2, "identical in source and target": 1},
        ),
    ],
)
def test_what_is_dropped_and_why(fields, left, dropped):
    if left is None:
        with pytest.raises(ValueError, match="toys: no training pair is left") as error:
            kept(PAIRS, **fields)
        for reason, count in dropped.items():
            assert f"{count} {reason}" in str(error.value)
        return
    assert kept(PAIRS, **fields) == ([PAIRS[index] for index in left], dropped)


def test_a_dense_script_is_no_fault():
    """Four times as many characters in English throughout: only the pair that differs goes."""
    dense = [("a" * 40, "字" * 10)] * 99 + [("a" * 40, "字" * 40)]
    left, dropped = kept(dense, max_length_ratio=3.0)
    assert left == dense[:99]
    assert dropped == {"of lengths more than 3-fold apart": 1}


def test_nothing_is_dropped_and_nothing_said():
    pairs = [("a", "b"), ("c", "d")]
    assert kept(pairs) == (pairs, {})
    assert describe({}) == ""


def test_counts_in_a_line():
    counts = {"identical in source and target": 3, "longer than 64 tokens": 12}
    assert describe(counts) == (
        "Training pairs dropped: 15 (12 longer than 64 tokens, 3 identical in source and target)."
    )


@pytest.mark.parametrize("field", ["max_length_ratio", "max_characters", "max_words"])
def test_a_negative_bound_is_refused(field):
    with pytest.raises(ValueError, match=f"`{field}` must be"):
        dataclasses.replace(Recipe(), **{field: -1})
