"""How much of a text a served model read, told from its source tokens."""

import re
import unicodedata

UNKNOWN = "<unk>"
# SentencePiece spells in bytes what it has no piece for.
_SPELLED = re.compile("(?:<0x[0-9A-F]{2}>)+")


def read(text, tokens, ask):
    """As much of a text as a model read; the text itself where it read all of it.

    Args:
        text: a string.
        tokens: list of strings, its source tokens, END included.
        ask: a function of a text that gives the source tokens that the model reads of it.
    """
    part = part_read(text, tokens[:-1])
    # Normalised, a text may look cut that is not. The model reads the same of one that goes on
    # behind it where it cuts.
    return part if part == text or ask(f"{text} .") == tokens else text


def cut(text, part, tokens):
    """Where a text was cut of which a part was read, in a line; "" where that was all."""
    if part == text:
        return ""
    return (
        f"the model reads {len(tokens) - 1} tokens of a text: it cut this one behind "
        f"“…{part[-20:]}”"
    )


def is_blank(text):
    """Whether nothing in a text is to be read: blanks, controls and such as have no width."""
    kinds = {unicodedata.category(character) for character in text}
    return kinds <= {"Zs", "Zl", "Zp", "Cc", "Cf"}


def part_read(text, tokens):
    """As much of a text as its source tokens say; the text itself where they say all of it.

    Args:
        text: a string.
        tokens: list of strings, without END. One that is unknown stands for a piece of the text:
            for a word or a sign if the others are such, else for a character.
    """
    if UNKNOWN in tokens:
        clean = " ".join(text.split())
        for stops in (_words(clean), range(1, len(clean) + 1)):
            if _fits(tokens, clean, stops):
                return text if len(stops) == len(tokens) else clean[: stops[len(tokens) - 1]]
    said = joined(tokens)
    return text if _folded(said) == _folded(text) else said


def joined(tokens):
    """The text of source tokens, without END."""
    text = "".join(tokens).replace("▁", " ").strip()
    return _SPELLED.sub(_spelled, text)


def _words(text):
    """Where each run of letters, marks and digits ends, and each sign."""
    letters = [unicodedata.category(character)[0] in "LMN" for character in text]
    return [
        i + 1
        for i, character in enumerate(text)
        if character != " " and not (letters[i] and letters[i + 1 : i + 2] == [True])
    ]


def _fits(tokens, text, stops):
    """Whether the text's pieces, which end at `stops`, begin with the tokens."""
    starts = [0, *stops]
    return len(tokens) <= len(stops) and all(
        token == UNKNOWN or _folded(token.replace("▁", "")) == _folded(text[starts[i] : stops[i]])
        for i, token in enumerate(tokens)
    )


def _spelled(run):
    return bytes.fromhex(run[0].replace("<0x", "").replace(">", "")).decode("utf-8", "replace")


def _folded(text):
    return "".join(unicodedata.normalize("NFKC", text).casefold().split())
