"""`docs/layers.md` is what its script makes of the docstrings, and what it shows is so."""

import importlib
import re
from pathlib import Path

import keras
import numpy as np
import pytest

from zoo import layers

DOCS = Path(__file__).parent.parent / "docs"
PAGE = (DOCS / "layers.md").read_text(encoding="utf-8")
SNIPPETS = re.findall(r"^### (.+?)\n.*?^```python\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)


def test_it_is_not_stale(monkeypatch):
    monkeypatch.syspath_prepend(DOCS)
    if importlib.import_module("make_layers").page() != PAGE:
        pytest.fail("docs/layers.md is not what the docstrings make: `make docs`", pytrace=False)


def test_every_public_layer_is_on_it():
    assert not [name for name in layers.__all__ if f"layers.{name}" not in PAGE]


def test_every_mechanism_has_its_lines_and_a_paper():
    for entry in PAGE.split("\n### ")[1:]:
        assert re.search(r"```\n.+\n```\n\n\*.*\d{4}.*\*\n\n```python\n", entry, re.DOTALL), entry


@pytest.mark.parametrize("code", [code for _, code in SNIPPETS], ids=[name for name, _ in SNIPPETS])
def test_the_lines_make_a_model_that_runs(code):
    names = {"keras": keras, "layers": layers}
    exec(code, names)
    given = [np.ones((2, 3, *tensor.shape[2:]), tensor.dtype) for tensor in names["model"].inputs]
    given = given if len(given) > 1 else given[0]
    for answer in keras.tree.flatten(names["model"](given)):
        assert np.all(np.isfinite(answer))


def test_pictures_and_page_name_each_other():
    shown = set(re.findall(r"\]\((pictures/.+?\.png)\)", PAGE))
    assert shown == {f"pictures/{path.name}" for path in (DOCS / "pictures").glob("*.png")}


def test_every_link_of_the_contents_leads_somewhere(monkeypatch):
    monkeypatch.syspath_prepend(DOCS)
    anchor = importlib.import_module("make_layers").anchor
    headings = [anchor(heading) for heading in re.findall(r"^### (.+)$", PAGE, re.MULTILINE)]
    assert re.findall(r"\]\(#(.+?)\)", PAGE) == headings
    assert len(set(headings)) == len(headings)
