"""Tables of translation quality: what was measured, and the published figures beside it."""

import statistics
from dataclasses import dataclass
from itertools import groupby

from sacrebleu.metrics import BLEU, CHRF
from sacrebleu.significance import PairedTest

from benchmarks.pages import table

PUBLISHED = {
    ("multi30k-en-de-transformer", "test"): "41.02 (Wu et al. 2021, 2.6M); best text-only 42.50",
    ("multi30k-en-de-gru", "test"): "39.00 (Caglayan et al. 2017)",
    ("multi30k-en-de-gru", "test_2017"): "31.25 (Caglayan et al. 2017)",
    ("multi30k-en-de-cased-transformer", "test"): "36.99 (a Transformer of 7.6M)",
}
# Whether the first beats the second.
CLAIMS = (
    ("multi30k-en-de-gru", "multi30k-en-de-gru-without-attention"),
    ("multi30k-en-de-transformer", "multi30k-en-de-gru"),
)
SURE = 0.05
RESAMPLES = 1000


@dataclass(frozen=True)
class Result:
    """What one run translates, JSON-able.

    `best` is the epoch and the kind of the weights that were measured, of `epochs` done so far and
    `planned`; `made_by` is the whole recipe. `tests` has, by split, "hypotheses" and "references".
    """

    recipe: str
    dataset: str
    seed: int
    finished: bool
    epochs: int
    planned: int
    best: list
    made_by: dict
    parameters: int
    tests: dict
    machine: str
    date: str

    @property
    def tokenised(self):
        return self.dataset.endswith("-tok")


def report(results, command):
    """Everything that there is to say of some `Result`s, as Markdown."""
    results = sorted(results, key=lambda result: (result.recipe, not result.finished, result.seed))
    dates = sorted({result.date for result in results})
    machines = sorted({result.machine for result in results})
    when = " to ".join(sorted({dates[0], dates[-1]}))
    parts = [
        f"`{command}`, measured {when} on {'; '.join(machines)}. Of several seeds: mean ± standard "
        "deviation (each). Of a run that is not finished: its best weights so far."
    ]
    for tokenised, title, metrics in (
        (True, "Lower-cased, tokenised text", {"BLEU": bleu(True)}),
        (False, "Cased, detokenised text", {"BLEU": bleu(False), "chrF": CHRF()}),
    ):
        if those := [result for result in results if result.tokenised == tokenised]:
            parts.append(f"{title}:\n\n{scores_table(those, metrics)}")
    if claims := claims_table([result for result in results if result.finished]):
        parts.append(
            f"Paired bootstrap, {RESAMPLES} resamples of the test set for each seed; sure where "
            f"p < {SURE} in all:\n\n{claims}"
        )
    return "\n\n".join(parts) + "\n"


def bleu(tokenised):
    """BLEU of text that is tokenised already, or of text that sacreBLEU tokenises by 13a."""
    return BLEU(tokenize="none", force=True) if tokenised else BLEU()


def scores_table(results, metrics):
    """A row for each recipe and test set, and for each run that is not finished; signatures."""
    heads = ["recipe", "test set", "parameters", "seeds", "epochs"]
    rows = [[*heads, *metrics, "published"]]
    for (recipe, _, _), group in groupby(results, _row):
        runs = list(group)
        for split in runs[0].tests:
            scores = [[_score(m, run.tests[split]) for run in runs] for m in metrics.values()]
            rows.append(
                [
                    f"`{recipe}`",
                    f"{runs[0].dataset} {split}",
                    f"{runs[0].parameters:,}",
                    ", ".join(str(run.seed) for run in runs),
                    _epochs(runs[0]),
                    *(spread(of_seeds) for of_seeds in scores),
                    PUBLISHED.get((recipe, split), "-"),
                ]
            )
    signatures = [f"{name}: `{m.get_signature().format()}`" for name, m in metrics.items()]
    return f"{table(rows)}\n\n{'; '.join(signatures)}"


def claims_table(results):
    """A row for each of `CLAIMS` and test set where both sides are there; "" for none."""
    rows = [["A", "B", "test set", "seeds", "A's BLEU less B's", "p", "A beats B"]]
    runs = {(result.recipe, result.seed): result for result in results}
    for first, second in CLAIMS:
        seeds = [seed for name, seed in runs if name == first and (second, seed) in runs]
        for split in runs[first, seeds[0]].tests if seeds else ():
            tests = [
                paired(runs[first, seed].tests[split], runs[second, seed].tests[split])
                for seed in seeds
            ]
            sure = all(difference > 0 and p < SURE for difference, p in tests)
            rows.append(
                [
                    f"`{first}`",
                    f"`{second}`",
                    f"{runs[first, seeds[0]].dataset} {split}",
                    ", ".join(map(str, seeds)),
                    ", ".join(f"{difference:+.2f}" for difference, _ in tests),
                    ", ".join(f"{p:.3f}" for _, p in tests),
                    "yes" if sure else "not sure",
                ]
            )
    return table(rows) if len(rows) > 1 else ""


def paired(first, second):
    """How much more BLEU the first has on tokenised text, and the paired bootstrap's p.

    Raises:
        ValueError: for translations of different texts.

    Reference:
        Koehn 2004, "Statistical Significance Tests for Machine Translation Evaluation".
    """
    if first["references"] != second["references"]:
        raise ValueError("a paired test is of translations of one test set; got two of them")
    systems = [("second", second["hypotheses"]), ("first", first["hypotheses"])]
    test = PairedTest(
        systems, {"BLEU": bleu(True)}, [first["references"]], "bs", n_samples=RESAMPLES
    )
    _, scores = test()
    return scores["BLEU"][1].score - scores["BLEU"][0].score, scores["BLEU"][1].p_value


def spread(scores):
    """One score; or the mean of several, their standard deviation, and each."""
    if len(scores) == 1:
        return f"{scores[0]:.2f}"
    each = ", ".join(f"{score:.2f}" for score in scores)
    return f"{statistics.mean(scores):.2f} ± {statistics.stdev(scores):.2f} ({each})"


def _row(result):
    """The finished runs of a recipe share a row; one that is not finished has its own."""
    return result.recipe, result.finished, None if result.finished else result.seed


def _epochs(result):
    if result.finished:
        return str(result.epochs)
    epoch, weights = result.best
    return f"{result.epochs} of {result.planned} so far (best: {epoch}, {weights})"


def _score(metric, test):
    return metric.corpus_score(test["hypotheses"], [test["references"]]).score
