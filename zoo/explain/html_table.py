"""An alignment as an HTML table, drawn with CSS alone."""

import unicodedata
from html import escape

from zoo.explain.alignment import labels, visible

# A weight is the opacity of the ink, and so reads the same on grey paper and to colour-blind eyes,
# and light on dark in a page that is dark.
LIGHT = "--ink: 28 25 23; --grid: 231 229 228; --accent: 194 65 12"
DARK = "--ink: 250 250 249; --grid: 68 64 60; --accent: 251 146 60"
TABLE_STYLE = """
.alignment { overflow-x: auto; max-width: 100%; margin: 0; display: flex; flex-direction: column }
.alignment figcaption { font-weight: 600; padding: 0 0 .5rem; white-space: pre-line }
.alignment table { border-collapse: collapse; overflow: hidden; margin: auto auto 0 0; width: auto }
.alignment th { font-weight: 400; padding: .15rem .35rem; border: 0; line-height: 1.2;
  position: relative; white-space: nowrap }
.alignment thead th { vertical-align: bottom; text-align: center }
.alignment thead th span { display: inline-block }
.alignment .down { writing-mode: vertical-rl }
.alignment .up { writing-mode: vertical-rl; transform: rotate(180deg) }
.alignment tbody th { text-align: right }
.alignment i { opacity: .3; font-style: normal }
.alignment td { width: 1.6rem; min-width: 1.6rem; height: 1.6rem; padding: 0; position: relative;
  border: 1px solid rgb(var(--grid)); background: rgb(var(--ink) / var(--weight));
  print-color-adjust: exact; -webkit-print-color-adjust: exact }
.alignment tbody tr:hover td, .alignment tbody tr:focus-within td { --ink: var(--accent) }
.alignment tbody tr:hover th, .alignment tbody tr:focus-within th {
  color: rgb(var(--accent)); font-weight: 700 }
.alignment tbody tr:hover, .alignment tbody tr:focus-within {
  outline: 2px solid rgb(var(--accent)); outline-offset: -1px }
.alignment tbody th:focus { outline: none }
.alignment td:hover::after, .alignment thead th:hover::after { content: ""; position: absolute;
  left: 0; right: 0; top: -99rem; bottom: -99rem; background: rgb(var(--accent) / .14);
  pointer-events: none }
@media (max-width: 40rem) {
  .alignment td { width: 1.25rem; min-width: 1.25rem; height: 1.5rem }
  .alignment th { padding: .1rem .2rem; font-size: .9rem !important } }
"""


def html_table(alignment):
    """A row for each target token, a column for each source token; both light under the pointer.

    Args:
        alignment: an `Alignment`.

    Returns:
        The HTML, a string, for a page that has `TABLE_STYLE` and the colours, `LIGHT` or `DARK`.
    """
    source, target = labels(alignment.source), labels(alignment.target)
    head = "".join(f'<th scope="col">{_upright(name)}</th>' for name in source)
    body = "".join(
        f'<tr><th scope="row" tabindex="0">{_shown(name)}</th>{_weights(source, weights)}</tr>\n'
        for name, weights in zip(target, alignment.weights, strict=True)
    )
    return (
        f'<figure class="alignment">\n<figcaption>{escape(alignment.title)}</figcaption>\n'
        f"<table>\n<thead><tr><th></th>{head}</tr></thead>\n<tbody>\n{body}</tbody>\n</table>\n"
        "</figure>\n"
    )


def escaped(text):
    """A text as HTML, its control characters spelled."""
    return escape(visible(text))


def _upright(name):
    """A source token that takes no more width than its column: longer ones stand."""
    if len(name) == 1:
        return f"<span>{_shown(name)}</span>"
    wide = any(unicodedata.east_asian_width(character) in "WF" for character in name)
    return f'<span class="{"down" if wide else "up"}">{_shown(name)}</span>'


def _weights(source, weights):
    return "".join(
        f'<td title="{escape(name)}: {weight:.3f}" style="--weight: {_opacity(weight)}"></td>'
        for name, weight in zip(source, weights, strict=True)
    )


def _opacity(weight):
    return f"{min(max(float(weight), 0), 1):.3f}"


def _shown(name):
    """A token, its mark of a blank before it faint: it is no letter."""
    return escape(name).replace("▁", "<i>▁</i>")
