import numpy as np
import pytest

from training.datasets.load import Pairs
from training.gold_spans import check_characters, check_dates, gold_alignments
from training.prepare import Preparation
from training.recipe import Recipe

# 14 June 2004 and 1904年6月8日(水).
TEXTS = ["14 June 2004", "1904年6月8日(水)"]
DATES = ["2004-06-14", "1904-06-08"]
SPANS = ["D:0-2,M:3-7,Y:8-12", "Y:0-5,M:5-7,D:7-9,W:10-11"]
PAIRS = Pairs("dates", TEXTS, DATES, spans=SPANS)
NOWHERE = [0, 0]
GOLD = [
    [*[[8, 12]] * 4, NOWHERE, *[[3, 7]] * 2, NOWHERE, *[[0, 2]] * 2, NOWHERE],
    [*[[0, 5]] * 4, NOWHERE, *[[5, 7]] * 2, NOWHERE, *[[7, 9]] * 2, NOWHERE],
]
RECIPE = Recipe(
    tokenizer="characters", guided_alignment=0.5, max_source_length=20, max_target_length=12
)


def rows(gold):
    return [row.reshape(-1, 2).tolist() for row in np.split(gold.values, gold.offsets[1:-1])]


def test_every_digit_looks_at_the_part_that_it_belongs_to():
    assert rows(gold_alignments(PAIRS, [11, 11])) == GOLD


def test_what_is_cut_off_looks_at_nothing():
    assert rows(gold_alignments(PAIRS, [7, 11])) == [[*GOLD[0][:6], NOWHERE], GOLD[1]]


def test_a_target_that_is_no_iso_date_is_refused():
    check_dates(DATES)
    with pytest.raises(ValueError, match=r"such as 1904-06-14; got 'en_GB': choose another"):
        check_dates([*DATES, "en_GB"])


def test_a_text_of_other_tokens_than_characters_is_refused():
    check_characters(["a b"], [3])
    with pytest.raises(ValueError, match="'a  b' has 4 characters and 3 tokens"):
        check_characters(["a  b"], [3])


def test_they_are_prepared_and_batched_with_their_pairs(tmp_path):
    """The pair that is too long is dropped, and its spans with it."""
    longer = Pairs("dates", ["x" * 20, *TEXTS], [DATES[0], *DATES], spans=["Y:0-20", *SPANS])
    splits = {"train": longer, "validation": Pairs("dates", TEXTS, DATES)}
    prepared = Preparation(RECIPE, splits, tmp_path / "data").finish()
    assert rows(prepared.train.gold) == GOLD
    assert prepared.validation.gold is None
    (_, target_in, gold), target_out = prepared.train.batch(np.array([1, -1]), 20, 12)
    assert gold.reshape(2, 12, 2).tolist() == [[*GOLD[1], NOWHERE], [NOWHERE] * 12]
    assert target_in.shape == target_out.shape == (2, 12)


def test_pairs_with_spans_are_others():
    assert PAIRS.fingerprint != Pairs("dates", TEXTS, DATES).fingerprint
    assert PAIRS.only([1]).spans == SPANS[1:]
