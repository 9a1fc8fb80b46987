import tensorflow as tf

from zoo.text import with_end, with_start_and_end
from zoo.text.vocabulary import without_specials

IDS = tf.ragged.constant([[4, 5, 6], [], [7]], dtype=tf.int32)


def test_a_source_ends_with_end_and_is_cut_to_the_maximum():
    assert with_end(IDS, 10).to_list() == [[4, 5, 6, 3], [3], [7, 3]]
    assert with_end(IDS, 3).to_list() == [[4, 5, 3], [3], [7, 3]]
    assert with_end(IDS, 3).to_tensor().numpy().tolist() == [[4, 5, 3], [3, 0, 0], [7, 3, 0]]


def test_a_target_is_framed_and_cut_to_the_maximum():
    assert with_start_and_end(IDS, 10).to_list() == [[2, 4, 5, 6, 3], [2, 3], [2, 7, 3]]
    assert with_start_and_end(IDS, 4).to_list() == [[2, 4, 5, 3], [2, 3], [2, 7, 3]]


def test_framing_an_empty_batch_gives_an_empty_batch():
    assert with_end(IDS[:0], 5).to_list() == []
    assert with_start_and_end(IDS[:0], 5).to_list() == []


def test_specials_leave_and_nothing_is_read_after_the_first_end():
    rows = tf.constant([[2, 4, 0, 5, 3, 6], [3, 4, 4, 4, 4, 4], [4, 1, 5, 0, 0, 0]])
    assert without_specials(rows).to_list() == [[4, 5], [], [4, 1, 5]]
