"""Alignments as one HTML file that needs no other."""

from html import escape

from zoo.explain.alignment import label

# Ink is told from paper by lightness alone, so grey paper and colour-blind eyes see the same.
STYLE = """
body { font: 16px/1.4 system-ui, "Noto Sans CJK KR", sans-serif; margin: 1rem; color: #111 }
section { overflow-x: auto; margin-bottom: 2rem }
table { border-collapse: collapse; margin: .5rem 0 1.5rem }
caption { text-align: left; font-weight: bold }
th { font-weight: normal; padding: .1rem .3rem }
td { width: 1.6rem; height: 1.6rem; border: 1px solid #eee }
tbody tr:hover, tbody tr:focus-within { outline: 3px solid #c60 }
tbody tr:hover th { font-weight: bold; color: #c60 }
"""
HINT = "Each row is a word of the translation: hover it, and its row is lit. Black is 1, white 0."


def page(rows):
    """A page of tables, which light a row under the pointer and load nothing.

    Args:
        rows: list, text by text, of lists of `Alignment`: what there is to see of it.

    Returns:
        The HTML, a string.
    """
    sections = "".join(_section(alignments) for alignments in rows)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>Alignments</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
        f"<p>{HINT}</p>\n{sections}</body>\n</html>\n"
    )


def _section(alignments):
    said = alignments[0]
    title = f"{escape(said.text)} <small>log-probability {said.score:.4f}</small>"
    tables = "".join(map(_table, alignments))
    return f"<section>\n<h2>{title}</h2>\n{tables}</section>\n"


def _table(alignment):
    head = "".join(f'<th scope="col">{_cell(token)}</th>' for token in alignment.source)
    body = "".join(
        f'<tr><th scope="row">{_cell(token)}</th>{_weights(alignment.source, weights)}</tr>\n'
        for token, weights in zip(alignment.target, alignment.weights, strict=True)
    )
    return (
        f"<table>\n<caption>{escape(alignment.title)}</caption>\n"
        f"<thead><tr><th></th>{head}</tr></thead>\n<tbody>\n{body}</tbody>\n</table>\n"
    )


def _weights(source, weights):
    return "".join(
        f'<td title="{_cell(token)}: {weight:.3f}" style="background: {_grey(weight)}"></td>'
        for token, weight in zip(source, weights, strict=True)
    )


def _grey(weight):
    shade = round(255 * (1 - min(max(float(weight), 0), 1)))
    return f"#{shade:02x}{shade:02x}{shade:02x}"


def _cell(token):
    return escape(label(token))
