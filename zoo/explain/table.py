"""An alignment in the terminal."""

import unicodedata

from zoo.explain.alignment import labels

SHADES = " ░▒▓█"


def table(alignment, width=None):
    """The alignment as lines of text: a row for each target token, a shade for each weight.

        2 0 1 3 년   2 월   9 일 ...
      2 █
      0   █
      1     █

    A shade is a quarter, and there is one from 5 % on.

    Args:
        alignment: an `Alignment`.
        width: columns that there are. A wider table is cut into several, with a blank line between;
            None for one, however wide.
    """
    target = labels(alignment.target)
    margin = max(map(_width, target))
    return "\n\n".join(
        "\n".join(_lines(source, target, margin, alignment.weights[:, columns]))
        for source, columns in _parts(labels(alignment.source), (width or 10**9) - margin)
    )


def _parts(source, room):
    """The source's tokens, as many at a time as there is room for, and which columns they are."""
    begin, used = 0, 0
    for i, token in enumerate(source):
        needed = 1 + max(_width(token), 1)
        if used and used + needed > room:
            yield source[begin:i], slice(begin, i)
            begin, used = i, 0
        used += needed
    yield source[begin:], slice(begin, None)


def _lines(source, target, margin, weights):
    widths = [max(_width(token), 1) for token in source]
    yield f"{' ' * margin} {_line(source, widths)}".rstrip()
    for token, row in zip(target, weights, strict=True):
        cells = (_shade(weight) * width for weight, width in zip(row, widths, strict=True))
        yield f"{_padded(token, margin)} {_line(cells, widths)}".rstrip()


def _shade(weight):
    last = len(SHADES) - 1
    return SHADES[min(int(float(weight) * last + 0.8), last)]


def _line(cells, widths):
    return " ".join(_padded(cell, width) for cell, width in zip(cells, widths, strict=True))


def _padded(text, width):
    return text + " " * (width - _width(text))


def _width(text):
    """Columns that a terminal gives the text: two for each wide character."""
    return sum(map(_columns, text))


def _columns(c):
    if unicodedata.combining(c) or unicodedata.category(c) == "Cf":
        return 0
    return 2 if unicodedata.east_asian_width(c) in "WF" else 1
