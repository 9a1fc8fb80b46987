"""Write `layers.md`, the page of all layers, from their docstrings and the table of mechanisms.

make docs
"""

import inspect
import json
import re
from pathlib import Path

from mechanisms import FAMILIES, TEXT

from zoo import layers

FOLDER = Path(__file__).parent
PAGE = FOLDER / "layers.md"
HEAD = f"""\
# Layers

<!-- Made by `make docs` from the layers' docstrings and docs/mechanisms.py: edit those. -->

Each mechanism with its formula, its paper, the three lines that use it in a Keras model, and where
a trained model of it looks. Batch and lengths are free; 64 is a width.

```python
import keras
from zoo import layers
```

Every attention is called as
`layer(query, value, key=None, value_mask=None, return_attention_scores=False)`, and takes its mask
from Keras where it is given none. `help(layers.LuongAttention)` tells arguments, shapes and errors.

**The pictures** are of one date, `{TEXT}`, as models see it that write ISO dates: a row
for each character that is written (in self-attention, read), a column for each that is read, ␣ for
a blank, ⏎ for the end. The models are small (96 units, Transformers 64 wide) and trained briefly,
on 30,000 dates, seed 0. Below each picture stands what made it, a preset and what differs from it,
and in how many of 500 validation dates every character is then right: no ranking of mechanisms,
since some need longer.
`make pictures` trains and draws them again.
"""


def page():
    """The whole page."""
    captions = json.loads((FOLDER / "pictures" / "captions.json").read_text(encoding="utf-8"))
    parts = [HEAD, contents()]
    for family, mechanisms in FAMILIES.items():
        parts.append(f"## {family}")
        parts += [entry(mechanism, captions) for mechanism in mechanisms]
    return "\n\n".join(part.strip("\n") for part in parts) + "\n"


def contents():
    """A line of links for each family."""
    lines = []
    for family, mechanisms in FAMILIES.items():
        links = (f"[{m.heading}](#{anchor(m.heading)})" for m in mechanisms)
        lines.append(f"- **{family}**: {' · '.join(links)}")
    return "\n".join(lines)


def anchor(heading):
    """What GitHub makes of a heading."""
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


def entry(mechanism, captions):
    """One mechanism: what it is, formula, paper, lines, picture."""
    name = mechanism.layer or mechanism.make.partition("(")[0]
    what, formula, papers = read(inspect.getdoc(getattr(layers, name)), mechanism.labels)
    parts = [
        f"### {mechanism.heading}",
        f"`layers.{name}`. {what}",
        f"```\n{formula}\n```",
        f"*{' · '.join(papers)}*",
        f"```python\n{lines(mechanism)}\n```",
    ]
    if mechanism.picture:
        parts.append(f"![{mechanism.heading}](pictures/{mechanism.picture}.png)")
        parts.append(f"{captions[mechanism.picture]} {mechanism.remark}".strip())
    return "\n\n".join(parts)


def lines(mechanism):
    """The three lines: inputs, layer, model."""
    if mechanism.code:
        return mechanism.code.format(make=mechanism.make)
    names = ", ".join(mechanism.inputs)
    inputs = ", ".join(["keras.Input((None, 64))"] * len(mechanism.inputs))
    several = f"({names})" if len(mechanism.inputs) > 1 else names
    return (
        f"{names} = {inputs}\nlayer = layers.{mechanism.make}\n"
        f"model = keras.Model({several}, layer({names}))"
    )


def read(docstring, labels):
    """The first sentence of a docstring, its formula and its papers, so far as labels say.

    What has no label is for all. A line of the formula is labelled by `name:` before it, or by the
    paragraph before it, if that opens with `argument="name"`; a paper by `Name:` before it.
    """
    body, _, reference = docstring.partition("\nReference:\n")
    what, *paragraphs = re.split(r"\n\n(?=(?: {4})?\S)", re.split(r"\n(?=Args?:|Call )", body)[0])
    formula, label = [], ""
    for paragraph in paragraphs:
        if not paragraph.startswith("    "):
            opening = re.match(r'`\w+="(\w+)"`', paragraph)
            label = opening[1] if opening else ""
            continue
        for line in inspect.cleandoc(paragraph).split("\n"):
            own = re.match(r"([A-Za-z][\w -]*):\s", line)
            label = own[1] if own else label
            if not label or label.lower() in labels:
                formula.append(line)
    papers = re.split(r"\. (?=[A-Z])", " ".join(reference.split()).rstrip("."))
    papers = [re.fullmatch(r"(?:([A-Z][\w -]*): )?(.*)", paper).groups() for paper in papers]
    chosen = [paper for name, paper in papers if not name or name.lower() in labels]
    return " ".join(what.split()), "\n".join(formula), chosen


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(f"Wrote {PAGE}")
