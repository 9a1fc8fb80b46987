"""The README's code does what it says."""

import re
from pathlib import Path

import numpy as np
import pytest

import zoo.layers
from attention_zoo.cli import main

README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")


def test_the_python_in_it_builds_a_model_that_runs():
    (code,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    names = {}
    exec(code, names)
    ids = np.array([[5, 6, 7, 0]])
    assert names["model"]((ids, ids[:, :2])).shape == (1, 2, 9000)


def test_every_public_layer_is_named():
    assert not [name for name in zoo.layers.__all__ if f"`{name}`" not in README]


def test_every_command_in_it_is_one():
    commands = set(re.findall(r"^attention-zoo (\w+)", README, re.MULTILINE))
    assert commands >= {"train", "export", "serve"}
    for command in commands:
        with pytest.raises(SystemExit) as stop:
            main([command, "--help"])
        assert stop.value.code == 0
