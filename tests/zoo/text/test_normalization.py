import sys

import tensorflow as tf

from zoo.text.normalization import normalize


def clean(*texts, **options):
    return [text.decode() for text in normalize(texts, **options).numpy()]


def test_whitespace_is_what_python_calls_whitespace():
    characters = [chr(c) for c in range(sys.maxunicode + 1) if not 0xD800 <= c < 0xE000]
    spaced = normalize([f"a{character}b" for character in characters])
    folded = tf.equal(spaced, "a b").numpy()
    assert [c for c, f in zip(characters, folded, strict=True) if f != c.isspace()] == []


def test_runs_of_whitespace_fold_and_ends_are_stripped():
    assert clean("\t a \u3000\n b\u00a0", " \n ", "") == ["a b", "", ""]


def test_invalid_utf8_is_replaced():
    # The replacement count is the Unicode standard's, as Python's decoder has it.
    broken = [b"caf\xe9", b"\xff\xfe", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe2\x82"]
    assert clean(*broken) == [text.decode(errors="replace") for text in broken]


def test_nul_is_replaced_and_other_control_characters_stay():
    assert clean("\0a\0B\0", lower=True) == ["\ufffda\ufffdb\ufffd"]
    assert clean("\x01\x7f", "\ufeffa") == ["\x01\x7f", "\ufeffa"]


def test_lower_casing_knows_unicode():
    assert clean("ÉCOLE Straße ДОМ", lower=True) == ["école straße дом"]
    assert clean("ÉCOLE") == ["ÉCOLE"]
