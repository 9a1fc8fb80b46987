"""Which training pairs to leave out before they are tokenised, and how many that were, and why."""

from collections import Counter
from collections.abc import Callable

from training.datasets.load import Pairs

Dropped = dict[str, int]


def filter_pairs(pairs: Pairs, recipe) -> tuple[Pairs, Dropped]:
    """Drops pairs that teach nothing, or the wrong thing.

    A pair `(x, y)` is dropped for the first of these that holds:

    - a side is blank;
    - a side has more than `max_words` words (between white space), or more than `max_characters`
      characters, which count in scripts without spaces, too;
    - its source is its target, letter by letter, under `drop_identical`;
    - `max(r, 1 / r) > max_length_ratio`, where `r = (|x| / |y|) / (sum |x| / sum |y|)`, lengths in
      characters, sums over all of `pairs`. Characters fit scripts without spaces, and measured
      against the corpus's own ratio a script that says as much with fewer of them is no fault.

    Args:
        pairs: of the training split; what is measured on is left whole.
        recipe: a `Recipe`; a field that is 0 drops nothing.

    Returns:
        The pairs that are left, in their order, and the counts of those dropped, by reason.

    Raises:
        ValueError: if none is left.
    """
    rules, dropped, kept = _rules(pairs, recipe), Counter(), []
    for row, pair in enumerate(zip(pairs.sources, pairs.targets, strict=True)):
        reason = next((reason for reason, holds in rules.items() if holds(*pair)), None)
        if reason is None:
            kept.append(row)
        else:
            dropped[reason] += 1
    if not kept:
        raise ValueError(f"{pairs.name}: no training pair is left. {describe(dropped)}")
    return pairs.only(kept), dict(dropped)


def describe(dropped: Dropped) -> str:
    """Says it in a line, the most frequent reason first; nothing, where none was dropped."""
    if not dropped:
        return ""
    reasons = sorted(dropped.items(), key=lambda item: -item[1])
    parts = ", ".join(f"{count} {reason}" for reason, count in reasons)
    return f"Training pairs dropped: {sum(dropped.values())} ({parts})."


def _rules(pairs: Pairs, recipe) -> dict[str, Callable[[str, str], bool]]:
    """The rules that the recipe asks for, by the reason that they give."""
    rules = {"blank": lambda x, y: not x.strip() or not y.strip()}
    if words := recipe.max_words:
        rules[f"longer than {words} words"] = lambda x, y: (
            max(len(x.split()), len(y.split())) > words
        )
    if characters := recipe.max_characters:
        rules[f"longer than {characters} characters"] = lambda x, y: (
            max(len(x), len(y)) > characters
        )
    if recipe.drop_identical:
        rules["identical in source and target"] = lambda x, y: x == y
    if most := recipe.max_length_ratio:
        sources, targets = (sum(map(len, texts)) for texts in (pairs.sources, pairs.targets))

        def uneven(x, y):
            source, target = len(x) * targets, len(y) * sources
            return max(source, target) > most * min(source, target)

        rules[f"of lengths more than {most:g}-fold apart"] = uneven
    return rules
