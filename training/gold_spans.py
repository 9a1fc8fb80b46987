"""Gold alignments: which characters of a source the tokens of its target come from."""

import re

import numpy as np

from training.token_pairs import Sequences

SPAN = re.compile(r"(\w):(\d+)-(\d+)")
ISO_DATE = re.compile(r"\d{4}-\d\d-\d\d")
# Where the digits of year, month and day stand in an ISO date; a weekday stands nowhere.
PLACES = {"Y": slice(0, 4), "M": slice(5, 7), "D": slice(8, 10)}


def gold_alignments(pairs, lengths):
    """From where to where in the source each token of a target should look.

    Each digit looks at all of the year, the month or the day that it belongs to.

    Args:
        pairs: `Pairs` whose targets are ISO dates, with spans such as "Y:0-4,M:5-7,D:8-10": the
            characters of the source, from and up to.
        lengths: of the targets, in characters, END counted: `(pairs,)`.

    Returns:
        `Sequences` of begin and end of each token in turn; 0 and 0 for what looks at nothing.
    """
    offsets = np.cumsum([0, *(2 * length for length in lengths)])
    gold = Sequences(np.zeros(offsets[-1], np.int32), offsets)
    for i, spans in enumerate(pairs.spans):
        row = gold.values[offsets[i] : offsets[i + 1]].reshape(-1, 2)  # a view
        for part, *span in SPAN.findall(spans):
            if part in PLACES:
                row[:-1][PLACES[part]] = [int(place) for place in span]  # END looks at nothing
    return gold


def check_dates(targets):
    """Refuse targets that are no ISO dates, of which alone it is known what spans mean."""
    for target in targets:
        if not ISO_DATE.fullmatch(target):
            raise ValueError(
                "`guided_alignment` needs targets that are ISO dates, such as 1904-06-14; got "
                f"{target!r}: choose another feature, or leave out --guided-alignment"
            )


def check_characters(sources, counts):
    """Refuse texts that do not have so many characters: their spans would not fit their tokens."""
    for source, count in zip(sources, counts, strict=True):
        if len(source) != count:
            raise ValueError(
                f"`guided_alignment` needs a token for each character; {source!r} has "
                f"{len(source)} characters and {count} tokens: mend its blanks"
            )
