"""What each part of a text did for each token of its translation, asked of a server.

A server tells no gradients to integrate. But its signature `score` says what the model thinks of a
translation, and so of one whose text lacks a word.
"""

import re

import numpy as np

from zoo.explain import Alignment
from zoo.explain.alignment import as_text
from zoo.explain.attribution import LEAST, shares

TITLE = "what mattered: leave one out"
# In a request: TensorFlow Serving refuses more rows than a batch may have.
MOST_ROWS = 16
# Kana and Han, whose scripts write no blanks, one by one; words with their apostrophes; signs.
_PARTS = re.compile(r"[぀-ヿ一-鿿]|[^\W぀-ヿ一-鿿]+(?:['’][^\W぀-ヿ一-鿿]+)*|[^\w\s]")


def parts(text, by_words):
    """What is left out of a text in turn, as spans `(start, stop)` of it.

    Args:
        text: a string.
        by_words: words and signs, or else characters. A piece of a word is not left out alone: what
            remains of the word would be other pieces.
    """
    if not by_words:
        return [(i, i + 1) for i in range(len(text))]
    return [match.span() for match in _PARTS.finditer(text)]


def leave_one_out(client, model, text, target, by_words):
    """`log p(y_t | y_<t, x) - log p(y_t | y_<t, x without s)`, as shares of each row's magnitudes.

    Args:
        client: a `RestClient` or `GrpcClient`.
        model: its name on the server.
        text, target: a text and a translation of it.
        by_words: see `parts`.

    Returns:
        An `Alignment`: a column for each part of the text, a row for each token of the translation;
        a row of zeros where nothing changes by `LEAST`.

    Raises:
        ServerError: from a server that is away or refuses.

    Reference:
        Li, Monroe, Jurafsky 2016, "Understanding Neural Networks through Representation Erasure",
        eq. 1.
    """
    text = " ".join(text.split())
    spans = parts(text, by_words)
    texts = [text, *(text[:start] + text[stop:] for start, stop in spans)]
    answers = [
        client.predict(model, {"text": rows, "target": [target] * len(rows)}, signature="score")
        for rows in (texts[i : i + MOST_ROWS] for i in range(0, len(texts), MOST_ROWS))
    ]
    outputs = answers[0]
    length = int(outputs["target_length"][0])
    gains = np.concatenate([np.asarray(answer["token_scores"], float) for answer in answers])
    gains = gains[:, :length]  # (1 + parts, target tokens)
    return Alignment(
        [text[start:stop] for start, stop in spans],
        [as_text(token) for token in outputs["target_tokens"][0][:length]],
        shares((gains[0] - gains[1:]).T, LEAST),
        target,
        float(outputs["score"][0]),
        TITLE,
    )
