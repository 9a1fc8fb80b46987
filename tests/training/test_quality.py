import pytest

from training.quality import bleu, chrf, exact_match


def test_exact_match_counts_equal_strings():
    assert exact_match(["a", "b", "c", "d"], ["a", "x", "c", "D"]) == 50


@pytest.mark.parametrize("measure", [bleu, chrf])
def test_the_reference_itself_is_100_and_another_text_0(measure):
    references = ["the cat sat on the mat .", "a dog barked at us all night ."]
    assert measure(references, references) == pytest.approx(100)
    assert measure(["qqq"] * 2, references) < 1


def test_bleu_of_a_worked_example():
    """4-gram precisions 5/6, 3/5, 1/4, and 0/3 smoothed to 1/6; no brevity penalty."""
    got = bleu(["the cat sat on a mat"], ["the cat sat in a mat"])
    # unigrams: 5 of 6; bigrams: 'the cat', 'cat sat', 'a mat': 3 of 5; trigrams: 1 of 4; 4: 0 of 3
    expected = 100 * (5 / 6 * 3 / 5 * 1 / 4 * (1 / 2) / 3) ** 0.25
    assert got == pytest.approx(expected, rel=1e-6)
