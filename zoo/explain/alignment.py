"""One sentence's alignment."""

import dataclasses
import itertools
import re
import unicodedata

import numpy as np

# What would move the cursor, break a line or turn its order: controls, separators of lines, and
# Unicode's Bidi_Control.
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
# SentencePiece spells a character so, byte by byte, that it has no piece for.
_BYTE = re.compile("<0x([0-9A-F]{2})>")


@dataclasses.dataclass(frozen=True)
class Alignment:
    """How much each target token looked at each source token.

    Attributes:
        source, target: the tokens, END included.
        weights: `(target tokens, source tokens)`; each row sums to 1.
        text: the translation.
        score: its log-probability.
        title: what looked, such as "attention, layer 2, head 1".
    """

    source: list
    target: list
    weights: np.ndarray
    text: str
    score: float
    title: str = "attention"

    @classmethod
    def rows(cls, outputs):
        """One for each row of what `translate_with_alignment` gives, here or from a server.

        Args:
            outputs: dict of arrays `text`, `score`, `source_tokens`, `source_length`,
                `target_tokens`, `target_length` and `alignment`.

        Raises:
            ValueError: from a model without attention.
        """
        arrays = {name: np.asarray(array) for name, array in outputs.items()}
        if not arrays["alignment"].shape[-1]:
            raise ValueError("this model has no attention, so there is no alignment to show")
        return [cls._row({name: array[i] for name, array in arrays.items()})
                for i in range(len(arrays["text"]))]  # fmt: skip

    @classmethod
    def _row(cls, row):
        sources, targets = int(row["source_length"]), int(row["target_length"])
        return cls(
            [as_text(token) for token in row["source_tokens"][:sources]],
            [as_text(token) for token in row["target_tokens"][:targets]],
            row["alignment"][:targets, :sources],
            as_text(row["text"]),
            float(row["score"]),
        )


def labels(tokens):
    """What stands for each token in a table or picture: a sign where it is blank or END.

    For a character that is spelled in bytes it stands itself, and "·" for its other bytes.
    """
    shown = []
    for spelled, run in itertools.groupby(tokens, lambda token: bool(_BYTE.fullmatch(token))):
        run = list(run)
        shown += _characters(run) if spelled else map(_label, run)
    return shown


def _label(token):
    shown = {" ": "␣", "</s>": "⏎"}.get(token, token)
    unseen = all(unicodedata.category(c) == "Cf" for c in shown)  # such as a joiner, alone
    return _spelled(shown) if unseen else visible(shown)


def _characters(run):
    """Bytes' labels; where they are no character's, as after a cut, they are their own."""
    shown = []
    for c in bytes.fromhex(_BYTE.sub(r"\1", "".join(run))).decode(errors="surrogateescape"):
        own = "\udc80" <= c <= "\udcff"
        shown += [run[len(shown)]] if own else [_label(c), *"·" * (len(c.encode()) - 1)]
    return shown


def visible(text):
    """A text whose control characters are spelled, such as `\\x1b`, wherever it is shown."""
    return _CONTROLS.sub(lambda control: _spelled(control[0]), text)


def _spelled(text):
    return text.encode("unicode_escape").decode()


def as_text(string):
    """Bytes or a string as a string."""
    return string.decode("utf-8", "replace") if isinstance(string, bytes) else str(string)
