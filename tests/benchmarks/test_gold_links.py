"""Gold links of written dates, read off by eye."""

import numpy as np

from benchmarks.gold_links import found, gold, on_weekday, parse

TEXT, SPANS = "2013년 2월 9일 토", parse("Y:0-4,M:6-7,D:9-10,W:12-13")


def weights(*places):
    """Each of ten target characters on one source character."""
    return np.eye(len(TEXT))[list(places)]


def test_spans_are_read():
    read = parse("M:5-8,D:9-10,Y:12-16")
    assert read == {"M": range(5, 8), "D": range(9, 10), "Y": range(12, 16)}


def test_digits_are_sure_of_their_span_and_marks_that_touch_it_possible():
    sure, possible = gold(TEXT, SPANS)
    assert sure == {*((i, "Y") for i in range(4)), (5, "M"), (6, "M"), (8, "D"), (9, "D")}
    assert possible - sure == {*((i, 4) for i in range(4)), (5, 7), (6, 7), (8, 10), (9, 10)}


def test_a_mark_between_two_fields_is_possible_for_both():
    sure, possible = gold("1.2.1999", parse("D:0-1,M:2-3,Y:4-8"))
    assert {(8, 1), (9, 1), (5, 1), (6, 1), (5, 3), (0, 3)} <= possible
    assert len(sure) == 8


def test_found_are_the_strongest_characters_units():
    looked = found(weights(0, 0, 2, 4, 11, 6, 5, 11, 9, 12), SPANS)
    years = {(0, "Y"), (1, "Y"), (2, "Y"), (3, 4)}
    assert looked == {*years, (5, "M"), (6, 5), (8, "D"), (9, "W")}


def test_weight_on_the_weekday():
    looked = weights(0, 0, 2, 12, 12, 6, 5, 12, 9, 12)
    assert on_weekday(looked, SPANS) == 2 / 8  # hyphens do not count
    assert on_weekday(looked, parse("Y:0-4,M:6-7,D:9-10")) is None
