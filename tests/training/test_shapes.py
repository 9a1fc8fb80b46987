import itertools

import numpy as np
import pytest

from training.shapes import LEVELS, choose_lengths


def slots(shapes, source, target):
    """Tokens of all pairs, each padded to the smallest shape that holds it."""
    return sum(
        min(s + t for s, t in shapes if s >= a and t >= b)
        for a, b in zip(source, target, strict=True)
    )


def test_two_kinds_of_pairs_get_a_shape_each():
    source, target = np.array([3, 3, 3, 20, 20]), np.array([5, 5, 5, 30, 30])
    assert choose_lengths(source, target, most=4, padding=0.0).tolist() == [[3, 5], [20, 30]]


def test_one_shape_will_do_where_padding_is_little():
    source, target = np.array([9, 10, 10, 10]), np.array([10, 10, 10, 10])
    assert choose_lengths(source, target, most=4, padding=0.05).tolist() == [[10, 10]]


@pytest.mark.parametrize("most", [1, 2, 3])
@pytest.mark.parametrize("seed", range(5))
def test_no_other_nested_shapes_leave_less_padding(most, seed):
    source, target = np.random.default_rng(seed).integers(1, 7, (2, 30))
    chosen = choose_lengths(source, target, most, padding=0.0).tolist()
    last = (source.max(), target.max())
    points = list(itertools.product(range(1, 7), repeat=2))
    best = min(
        slots([*shapes, last], source, target)
        for shapes in itertools.combinations(points, most - 1)
        if all(a <= c and b <= d for (a, b), (c, d) in itertools.pairwise([*shapes, last]))
    )
    assert len(chosen) <= most
    assert slots(chosen, source, target) == best


def test_of_many_lengths_a_few_stand_for_all():
    source = np.arange(1, 20 * LEVELS)
    chosen = choose_lengths(source, source, most=12, padding=0.0)
    assert len(chosen) == 12
    assert chosen[-1].tolist() == [source[-1], source[-1]]
    # Lengths that are spread evenly are best cut evenly: 1 / 12 of the longest of each shape, and
    # so about half of that of the mean.
    assert slots(chosen, source, source) < 1.1 * 2 * source.sum()
