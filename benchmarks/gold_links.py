"""The gold alignment of a written date, from the spans that `dates` carries.

    text   Sat, Apr 7, 1934
    iso    1934-04-07
    spans  W:0-3,M:5-8,D:9-10,Y:12-16

The units of the source are the spans, and each character outside of them; a link joins a place in
the ISO date to a unit. Sure: the eight digits, each with the span of its field. Possible: these,
and a mark that touches the span, such as the year sign of a Korean date or a full stop, which says
which field it is about. Within a span no character is more right than another: no digit of 04 is
any one letter of Apr. Hyphens and END have no gold link and are left out.
"""

FIELDS = {0: "Y", 1: "Y", 2: "Y", 3: "Y", 5: "M", 6: "M", 8: "D", 9: "D"}
WEEKDAY = "W"


def parse(spans):
    """`"Y:0-4,M:5-6"` -> `{"Y": range(0, 4), "M": range(5, 6)}`."""
    fields = (part.split(":") for part in spans.split(","))
    return {name: range(*map(int, where.split("-"))) for name, where in fields}


def gold(text, spans):
    """The sure and the possible links, sets of `(place in the ISO date, unit)`.

    Args:
        text: the written date.
        spans: what `parse` gave.
    """
    units, sure, possible = units_of(len(text), spans), set(), set()
    for place, field in FIELDS.items():
        span = spans[field]
        sure.add((place, field))
        for mark in {span.start - 1, span.stop} & set(range(len(text))):
            if units[mark] == mark and not text[mark].isspace():
                possible.add((place, mark))
    return sure, sure | possible


def found(weights, spans):
    """A: each digit of the ISO date with the unit of the source character that weighs the most.

    Args:
        weights: `(10 or more, source characters)`.
    """
    units = units_of(weights.shape[1], spans)
    return {(place, units[int(weights[place].argmax())]) for place in FIELDS}


def on_weekday(weights, spans):
    """The mean weight of the weekday, from which no digit comes; None where there is none."""
    if WEEKDAY not in spans:
        return None
    span = spans[WEEKDAY]
    return float(weights[list(FIELDS), span.start : span.stop].sum(axis=1).mean())


def units_of(length, spans):
    """The unit of each source character: its span's name, or, outside of them, its own place."""
    names = {place: name for name, span in spans.items() for place in span}
    return [names.get(place, place) for place in range(length)]
