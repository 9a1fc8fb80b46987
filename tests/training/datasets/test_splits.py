from itertools import chain

import pytest

from training.datasets.splits import split_of, split_pairs

SENTENCES = [f"Sentence {number}." for number in range(1, 5_001)]


@pytest.mark.parametrize(
    ("source", "split"),
    # The remainders, by sha256sum and bc: 0, 1, 2, 3, 4 and 95.
    [
        ("Sentence 146.", "test"),
        ("Sentence 17.", "test"),
        ("Sentence 10.", "validation"),
        ("Sentence 127.", "validation"),
        ("Sentence 65.", "train"),
        ("안녕하세요.", "train"),
    ],
)
def test_known_remainders(source, split):
    assert split_of(source) == split


def test_two_percent_are_test_and_two_validation():
    splits = split_pairs((sentence, "") for sentence in SENTENCES)
    assert 75 < len(splits["test"]) < 125
    assert 75 < len(splits["validation"]) < 125


def test_pairs_of_one_source_stay_together_and_in_order():
    pairs = [(sentence, target) for sentence in SENTENCES[:500] for target in "ab"]
    splits = split_pairs(pairs)
    assert sorted(chain(*splits.values())) == sorted(pairs)
    for split, share in splits.items():
        assert share == [pair for pair in pairs if split_of(pair[0]) == split]
