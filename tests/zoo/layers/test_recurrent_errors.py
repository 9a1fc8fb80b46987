"""What the recurrent decoder refuses, and how it says so."""

import numpy as np
import pytest
from keras.layers import GRUCell

from zoo.layers import CoverageAttention, LuongAttention, RecurrentDecoder


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"dropout": 1.0}, "`dropout` must be from 0 to below 1, got 1.0"),
        ({"attend": "during"}, "`attend` must be one of .*'during'"),
        ({"input_feeding": True}, "`input_feeding`"),
        ({"attention": LuongAttention(), "attend": "before", "input_feeding": True}, "`input_feed"),
        ({"attention": LuongAttention(), "attend": "between"}, "two `cells` or more, got 1"),
    ],
)
def test_errors(options, message):
    with pytest.raises(ValueError, match=message):
        RecurrentDecoder(GRUCell(4), **options)


def test_a_residual_between_widths_that_differ_is_refused():
    with pytest.raises(ValueError, match=r"`residual` needs cells of one width, got \[3, 4\]"):
        RecurrentDecoder([GRUCell(3), GRUCell(4)], residual=True)


ONES = np.ones((6, 5, 6), "float32")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ({"memory": None}, "`memory`"),
        ({"inputs": ONES[0]}, r"`inputs` must be \(batch, length, dim\), got shape \(5, 6\)"),
        ({"memory": ONES[0]}, r"`memory` must be \(batch, length, dim\), got shape \(5, 6\)"),
        ({"memory": ONES[:3]}, "`memory` has 3 where the batch of `inputs` is 6"),
        ({"memory": ONES[..., :4]}, "`memory` has 4 where the width is 6"),
        ({"memory_mask": ONES[..., 0]}, "`memory_mask` must be boolean, got float32"),
        ({"memory_mask": ONES > 0}, r"`memory_mask` must be \(batch, length\), got shape"),
        ({"memory_mask": ONES[:3, :, 0] > 0}, "`memory_mask` has 3 where .* `memory` is 6"),
        ({"memory_mask": ONES[:, :3, 0] > 0}, "`memory_mask` has 3 where the length .* is 5"),
        ({"keys": ONES[:, :2, :3]}, "`keys` has 2 where the length of `memory` is 5"),
        ({"keys": ONES[..., :2]}, "`keys` has 2 where the width is 3"),
        ({"keys": ONES[:4, :, :3], "memory": ONES[:4]}, "`inputs` has 6 rows, no multiple of .* 4"),
        ({"initial_state": [ONES[:, 0, :4]] * 3}, "`initial_state` has 3 tensors, not 2"),
        ({"initial_state": [ONES[:, 0]]}, r"`initial_state\[0\]` has 6 where the width is 4"),
        ({"initial_state": [ONES[:3, 0, :4]]}, r"`initial_state\[0\]` has 3 where the batch"),
        ({"initial_state": [ONES]}, r"`initial_state\[0\]` must be \(batch, size\)"),
    ],
)
def test_shapes_that_do_not_fit_are_named(call, message):
    layer = RecurrentDecoder(GRUCell(4), CoverageAttention(2), attend="before")
    layer(ONES, ONES)
    with pytest.raises(ValueError, match=message):
        layer(**{"inputs": ONES, "memory": ONES, **call})


def test_an_attention_without_a_memory_is_refused():
    with pytest.raises(ValueError, match="`memory` must be given"):
        RecurrentDecoder(GRUCell(4), LuongAttention())(ONES)
