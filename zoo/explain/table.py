"""An alignment in the terminal."""

import unicodedata

from zoo.explain.alignment import label

SHADES = " ░▒▓█"


def table(alignment):
    """The alignment as lines of text: a row for each target token, a shade for each weight.

    2013년 2월 9일 토요일 -> 2013-02-09 (log-probability -0.01)

        2 0 1 3 년   2 월   9 일 ...
      2 █
      0   █
      1     █
    """
    widths = [max(_width(label(token)), 1) for token in alignment.source]
    margin = max(_width(label(token)) for token in alignment.target)
    lines = [" " * margin + " " + _line(map(label, alignment.source), widths)]
    for token, weights in zip(alignment.target, alignment.weights, strict=True):
        shades = (SHADES[round(float(weight) * (len(SHADES) - 1))] for weight in weights)
        cells = (shade * width for shade, width in zip(shades, widths, strict=True))
        lines.append(_padded(label(token), margin) + " " + _line(cells, widths))
    return "\n".join(lines)


def _line(cells, widths):
    padded = (_padded(cell, width) for cell, width in zip(cells, widths, strict=True))
    return " ".join(padded).rstrip()


def _padded(text, width):
    return text + " " * (width - _width(text))


def _width(text):
    """Columns that a terminal gives the text: two for each wide character."""
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in text
    )
