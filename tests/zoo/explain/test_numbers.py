"""Rank correlation, error rate and the choice of heads, by numbers worked out by hand."""

import numpy as np
import pytest

from zoo.explain import alignment_error_rate, rank_correlation
from zoo.explain.heads import choose
from zoo.explain.rank_correlation import ranks


def test_ranks_share_their_mean_where_values_are_equal():
    np.testing.assert_array_equal(ranks(np.array([30, 10, 20, 10])), [4, 1.5, 3, 1.5])


@pytest.mark.parametrize(
    ("one", "other", "rho"),
    [
        ([[1, 2, 3, 4]], [[1, 4, 9, 16]], 1),
        ([[1, 2, 3, 4]], [[4, 3, 2, 1]], -1),
        # 1 - 6 sum d^2 / (n (n^2 - 1)) with d = 1, 1, 1, 1
        ([[1, 2, 3, 4]], [[2, 1, 4, 3]], 1 - 6 * 4 / (4 * 15)),
        ([[1, 2, 3], [1, 2, 3]], [[1, 2, 3], [3, 2, 1]], 0),
        ([[1, 2, 3], [5, 5, 5]], [[1, 2, 3], [3, 2, 1]], 1),
        ([[1, 1]], [[1, 2]], float("nan")),
    ],
)
def test_rank_correlation(one, other, rho):
    assert rank_correlation(np.array(one), np.array(other)) == pytest.approx(rho, nan_ok=True)


def test_alignment_error_rate():
    sure, possible = {1, 2}, {1, 2, 3}
    assert alignment_error_rate({1, 2, 3}, sure, possible) == 0
    assert alignment_error_rate({4, 5}, sure, possible) == 1
    assert alignment_error_rate({1, 3, 4}, sure, possible) == pytest.approx(1 - (1 + 2) / 5)
    with pytest.raises(ValueError, match="sure links are possible ones"):
        alignment_error_rate({1}, {7}, {1})
    with pytest.raises(ValueError, match="no links"):
        alignment_error_rate(set(), set(), {1})


@pytest.fixture
def attention():
    """Two layers of two heads, one query, two keys: head h of layer l is (l, h)."""
    return [np.array([[[[layer, head]] for head in (0, 1)]], float) for layer in (0, 1)]


@pytest.mark.parametrize(
    ("layer", "heads", "chosen"),
    [
        ("last", "mean", [("attention, layer 2, mean of heads", [1, 0.5])]),
        ("1", "2", [("attention, layer 1, head 2", [0, 1])]),
        (
            "all",
            "1",
            [("attention, layer 1, head 1", [0, 0]), ("attention, layer 2, head 1", [1, 0])],
        ),
    ],
)
def test_heads_are_chosen(attention, layer, heads, chosen):
    titles, weights = zip(*choose(attention, layer, heads), strict=True)
    assert list(titles) == [title for title, _ in chosen]
    np.testing.assert_array_equal([one[0, 0] for one in weights], [row for _, row in chosen])


def test_all_heads_of_all_layers_are_four(attention):
    assert len(choose(attention, "all", "all")) == 4
    assert choose([], "all", "all") == []
    assert choose([np.ones((1, 1, 2, 3))], "last", "mean")[0][0] == "attention"


@pytest.mark.parametrize(
    ("asked", "message"), [({"layer": "2"}, "--layer 2"), ({"heads": "x"}, "--heads x")]
)
def test_without_attention_there_is_none_to_choose(asked, message):
    with pytest.raises(ValueError, match=f"{message}: this model has no attention; leave it out"):
        choose([], **asked)


@pytest.mark.parametrize(
    ("layer", "heads", "message"),
    [
        ("3", "mean", "--layer 3: this model has layers 1 to 2; or ask for last or all"),
        ("0", "mean", "--layer 0: "),
        ("last", "5", "--heads 5: this model has heads 1 to 2; or ask for mean or all"),
        ("last", "some", "--heads some: "),
    ],
)
def test_what_the_model_lacks_is_refused(attention, layer, heads, message):
    with pytest.raises(ValueError, match=message):
        choose(attention, layer, heads)
