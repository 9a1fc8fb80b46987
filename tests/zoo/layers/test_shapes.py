"""What layers check of tensors."""

import numpy as np
import pytest

from zoo.layers import shapes


@pytest.mark.parametrize(
    ("given", "mask", "message"),
    [
        (
            [(2, 3), (2, 4, 5)],
            None,
            r"a: `query` must be \(batch, length, dim\), got shape \(2, 3\)",
        ),
        ([(2, 3, 5), (4, 5)], None, r"`value` must be \(batch, length, dim\), got shape \(4, 5\)"),
        ([(2, 3, 5), (4, 3, 5)], None, "`value` has 4 where the batch of `query` is 2"),
        ([(2, 3, 5), (2, 4, 5), (1, 4, 5)], None, "`key` has 1 where the batch of `value` is 2"),
        ([(2, 3, 5), (2, 4, 5), (2, 1, 5)], None, "`key` has 1 where the length of `value` is 4"),
        ([(2, 3, 5), (2, 4, 5)], (2, 1, 4), r"`value_mask` must be \(batch, length\), got .*1, 4"),
        ([(2, 3, 5), (2, 4, 5)], (1, 4), "`value_mask` has 1 where the batch of `value` is 2"),
        ([(2, 3, 5), (2, 4, 5)], (2, 1), "`value_mask` has 1 where the length of `value` is 4"),
    ],
)
def test_shapes_that_would_broadcast_by_accident_are_refused(given, mask, message):
    query, value, *key = (np.zeros(shape) for shape in given)
    mask = None if mask is None else np.ones(mask, bool)
    with pytest.raises(ValueError, match=message):
        shapes.check_shapes("a", query, value, key[0] if key else None, mask)


@pytest.mark.parametrize(
    ("mask", "message"),
    [
        (np.ones((2, 4), bool), r"a: `attention_mask` must be .batch, queries, keys., got .*2, 4"),
        (np.ones((1, 3, 4), bool), "`attention_mask` has 1 where the batch of `query` is 2"),
        (np.ones((2, 1, 4), bool), "`attention_mask` has 1 where the length of `query` is 3"),
        (np.ones((2, 3, 1), bool), "`attention_mask` has 1 where the number of keys is 4"),
        (np.ones((2, 3, 4), "float32"), "`attention_mask` must be boolean, got float32"),
    ],
)
def test_attention_masks_that_do_not_fit_are_refused(mask, message):
    with pytest.raises(ValueError, match=message):
        shapes.check_attention_mask("a", mask, np.zeros((2, 3, 5)), 4)


def test_unknown_sizes_fit_anything():
    query, value = (type("Symbol", (), {"shape": shape}) for shape in [(None, 3, 5), (2, None, 5)])
    shapes.check_shapes("a", query, value, None, np.ones((2, 4), bool))
