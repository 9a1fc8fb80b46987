"""An answer as HTML."""

import math

from zoo.explain.html_table import escaped, html_table

HINT = (
    "Each row is a token of the translation, its ink shared out over the text: full ink is 1. "
    "Point at a row or a column, and it is lit. Attention is what the served model tells: the mean "
    "of its last layer's heads. Leave one out asks the server again, without each part of the text "
    "in turn: how much the token's log-probability changes, up or down. A row is blank where no "
    "part of the text makes a difference."
)
NO_ATTENTION = "this model has no attention, so there is no alignment to show"


def draw(answer):
    """The HTML of an `Answer`: the translation, all hypotheses, alignment and attribution."""
    views = [view for view in (answer.alignment, answer.attribution) if view]
    return (
        f'<div class="answer">{notice(answer.cut)}'
        f'<p class="said">{escaped(answer.hypotheses[0][0])}</p>'
        f"{_n_best(answer.hypotheses)}{notice(_to_know(answer))}"
        f'<div class="views">{"".join(map(html_table, views))}</div>'
        f'<p class="faint">{HINT}</p></div>'
    )


def notice(message):
    """The HTML of what there is to know of an answer, or of why there is none; "" of nothing."""
    said = escaped(message[:1].upper() + message[1:])
    return f'<div class="notice" role="alert">{said}</div>' if message else ""


def _n_best(hypotheses):
    head = "".join(f'<th scope="col">{name}</th>' for name in ("n-best", "score", "log p", "p"))
    rows = "".join(
        f'<tr><td>{escaped(text)}<span class="bar" style="width: {_percent(log)}"></span></td>'
        f"<td>{score:z.2f}</td><td>{log:z.2f}</td><td>{_percent(log)}</td></tr>"
        for text, score, log in hypotheses
    )
    return f'<table class="best"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'


def _percent(log_probability):
    return f"{100 * math.exp(min(log_probability, 0)):.1f}%"


def _to_know(answer):
    """In a line, of what the alignment is, where it is not of the best hypothesis."""
    if not answer.alignment:
        return NO_ATTENTION
    if answer.alignment.text == answer.hypotheses[0][0]:
        return ""
    return (
        "with these settings the model says something else; a server tells attention for the "
        f"translation as exported alone: “{answer.alignment.text}”"
    )
