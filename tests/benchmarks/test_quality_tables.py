"""Tables of quality, of invented results."""

import dataclasses

import pytest

from benchmarks.quality_tables import Result, claims_table, paired, report, scores_table, spread
from benchmarks.quality_tables import bleu as bleu_of

REFERENCES = [f"ein igel jongliert mit {color} laternen ." for color in "abcdefghijklmnopqrst"]
WRONG = [text.replace("mit", "ohne") for text in REFERENCES]
TEST = {"hypotheses": REFERENCES, "references": REFERENCES}

GRU = Result(
    recipe="multi30k-en-de-gru",
    dataset="multi30k/en-de-tok",
    seed=0,
    finished=True,
    epochs=30,
    planned=30,
    best=[28, "trained"],
    made_by={"preset": "bahdanau-gru"},
    parameters=1_234_567,
    tests={"test": TEST},
    machine="a mill",
    date="2026-01-02",
)
WITHOUT = dataclasses.replace(
    GRU,
    recipe="multi30k-en-de-gru-without-attention",
    tests={"test": {"hypotheses": WRONG, "references": REFERENCES}},
)
CASED = dataclasses.replace(
    GRU,
    recipe="multi30k-en-de-cased-transformer",
    dataset="multi30k/en-de",
    tests={"test": {"hypotheses": ["A b c d e ."], "references": ["A b c d e."]}},
)


def cells(table):
    """The rows below a table's head, as lists."""
    lines = [line for line in table.splitlines() if line.startswith("| ")]
    return [line.strip("| ").split(" | ") for line in lines[2:]]


def test_bleu_by_hand():
    test = {"hypotheses": ["a b c d x"], "references": ["a b c d e"]}
    result = dataclasses.replace(GRU, tests={"test": test})
    # (4/5 * 3/4 * 2/3 * 1/2) ** (1/4)
    row = ["`multi30k-en-de-gru`", "multi30k/en-de-tok test", "1,234,567", "0", "30", "66.87"]
    assert cells(scores_table([result], {"BLEU": bleu_of(True)})) == [
        [*row, "39.00 (Caglayan et al. 2017)"]
    ]


@pytest.mark.parametrize(
    "scores, told", [([40.0], "40.00"), ([40, 41, 42.0], "41.00 ± 1.00 (40.00, 41.00, 42.00)")]
)
def test_mean_and_spread(scores, told):
    assert spread(scores) == told


def test_what_is_tokenised_and_what_is_not_are_never_in_one_table():
    text = report([GRU, CASED], "python -m benchmarks.quality")
    tokenised, cased = text.split("Cased, detokenised text:")
    assert "multi30k-en-de-gru" in tokenised and CASED.recipe not in tokenised
    assert "tok:none" in tokenised and "tok:13a" not in tokenised and "chrF" not in tokenised
    assert "tok:13a" in cased and "tok:none" not in cased
    # Alike as 13a splits them, and not as they stand.
    assert cells(cased)[0][5] == "100.00"
    assert "python -m benchmarks.quality" in tokenised
    assert "measured 2026-01-02 on a mill" in tokenised


def test_a_run_that_is_not_finished_has_a_row_of_its_own():
    stopped = dataclasses.replace(
        WITHOUT, recipe=GRU.recipe, seed=2, finished=False, epochs=7, best=[5, "average"]
    )
    text = report([stopped, dataclasses.replace(GRU, seed=1), GRU], "")
    rows = cells(text)
    assert [row[3:5] for row in rows] == [
        ["0, 1", "30"],
        ["2", "7 of 30 so far (best: 5, average)"],
    ]
    assert rows[0][5] == "100.00 ± 0.00 (100.00, 100.00)"


def test_a_claim_is_sure_where_every_seed_is():
    seeds = [dataclasses.replace(result, seed=seed) for result in (GRU, WITHOUT) for seed in (0, 1)]
    [row] = cells(claims_table(seeds))
    assert row[3] == "0, 1" and row[5] == "0.001, 0.001" and row[6] == "yes"
    [row] = cells(claims_table([GRU, dataclasses.replace(GRU, recipe=WITHOUT.recipe)]))
    assert row[4] == "+0.00" and row[6] == "not sure"


def test_no_claim_is_made_without_both_sides_finished():
    stopped = dataclasses.replace(WITHOUT, finished=False)
    assert "bootstrap" not in report([GRU, stopped], "")
    assert "bootstrap" in report([GRU, WITHOUT], "")


def test_a_paired_test_wants_one_test_set():
    with pytest.raises(ValueError, match="one test set"):
        paired(TEST, {"hypotheses": WRONG, "references": WRONG})
