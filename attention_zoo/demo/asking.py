"""What the page asks a server about a text."""

import dataclasses

import numpy as np

from attention_zoo.asking_commands import IMPOSSIBLE
from attention_zoo.demo.leaving_out import leave_one_out
from attention_zoo.reading import cut, is_blank, read
from zoo.explain import Alignment
from zoo.explain.alignment import as_text

TITLE = "where it looked: attention"


@dataclasses.dataclass(frozen=True)
class Answer:
    """What a server makes of a text.

    Attributes:
        hypotheses: list of `(text, score, log-probability)`, the best first; they are ordered by
            score, which has the penalties in it.
        alignment: of the translation as exported, an `Alignment`; None without attention.
        attribution: of the best of the hypotheses, an `Alignment`.
        cut: where the text was cut, in a line; "" where it was not.
    """

    hypotheses: list
    alignment: Alignment | None
    attribution: Alignment
    cut: str = ""


def ask(client, model, text, settings=None):
    """Have a text translated and explained.

    Args:
        client: a `RestClient` or `GrpcClient`.
        model: its name on the server.
        text: a string.
        settings: `Settings`; None to decode as exported.

    Returns:
        An `Answer`.

    Raises:
        ValueError: for a text that has nothing to translate, and where no translation is as the
            settings want it.
        ServerError: from a server that is away or refuses.
    """
    if is_blank(text):
        raise ValueError("there is nothing to translate: type a text, or take an example")
    hypotheses = _n_best(client, model, text, settings)
    outputs = _translate(client, model, text)
    tokens = _source_tokens(outputs)
    part = read(text, tokens, lambda longer: _source_tokens(_translate(client, model, longer)))
    attributed = leave_one_out(
        client,
        model,
        part,
        hypotheses[0][0],
        by_words=any(token.startswith("▁") for token in tokens),
    )
    return Answer(hypotheses, _alignment(outputs), attributed, cut(text, part, tokens))


def _translate(client, model, text):
    return client.translate(model, [text], signature="translate_with_alignment")


def _n_best(client, model, text, settings):
    signature = "translate_with_settings" if settings else "translate_n_best"
    inputs = {"text": [text]} | (settings.inputs() if settings else {})
    outputs = client.predict(model, inputs, signature=signature)
    rows = zip(*(outputs[name][0] for name in ("text", "score", "log_probability")), strict=True)
    found = [(as_text(said), float(score), float(log)) for said, score, log in rows]
    hypotheses = [row for row in found if row[1] > IMPOSSIBLE]
    if not hypotheses:
        raise ValueError("no translation is as these settings want it: change prefix or lengths")
    return hypotheses


def _source_tokens(outputs):
    length = int(outputs["source_length"][0])
    return [as_text(token) for token in outputs["source_tokens"][0][:length]]


def _alignment(outputs):
    if not np.asarray(outputs["alignment"]).shape[-1]:
        return None
    return dataclasses.replace(Alignment.rows(outputs)[0], title=TITLE)
