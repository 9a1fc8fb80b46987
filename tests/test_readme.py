"""The README's code does what it says; its commands and those of the page on serving exist."""

import re
import shlex
from pathlib import Path

import numpy as np
import pytest

import zoo.layers
from attention_zoo.cli import _parser
from zoo.models.loading import SHIPPED

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_python_in_it_builds_a_model_that_runs():
    (code,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    names = {}
    exec(code, names)
    ids = np.array([[5, 6, 7, 0]])
    assert names["model"]((ids, ids[:, :2])).shape == (1, 2, 9000)


def test_every_public_layer_is_named():
    assert not [name for name in zoo.layers.__all__ if f"`{name}`" not in README]


@pytest.mark.parametrize("page", ["README.md", "docs/serving.md"])
def test_every_command_is_one_with_its_flags(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    lines = re.findall(r"^(attention-zoo .*)", text, re.MULTILINE)
    commands = [shlex.split(line, comments=True)[1:] for line in lines]
    assert {name for name, *_ in commands} >= {"export", "serve", "translate", "explain"}
    for command in commands:
        _parser().parse_args(command)


@pytest.mark.parametrize("page", ["README.md", "docs/explain.md"])
def test_what_is_explained_here_ships(page):
    """A fresh clone has no other model."""
    text = (ROOT / page).read_text(encoding="utf-8")
    lines = re.findall(r"^attention-zoo (explain .*)", text, re.MULTILINE)
    commands = [_parser().parse_args(shlex.split(line, comments=True)) for line in lines]
    models = {command.model for command in commands if not command.server}
    assert models
    assert not [model for model in models if not (SHIPPED / model / "card.json").is_file()]


@pytest.mark.parametrize("page", ["README.md", "docs/explain.md", "docs/serving.md"])
def test_what_is_linked_or_named_is_there(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text)
    paths = [(ROOT / page).parent / link for link in links]
    paths += [ROOT / path for path in re.findall(r" -[kf] (serving/\S+)", text)]
    assert not [path for path in paths if not path.exists()]
