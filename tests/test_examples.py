"""The whole example, shrunk, in a folder of its own."""

import dataclasses
import importlib.util
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parent.parent / "examples" / "dates.py"


@pytest.fixture
def dates():
    spec = importlib.util.spec_from_file_location("dates_example", EXAMPLE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_main_job(dates, tiny_recipe, tmp_path, capsys):
    dates.main(dataclasses.replace(tiny_recipe, epochs=1), tmp_path)
    printed = capsys.readouterr().out
    assert "Served as in process: 2000 of 2000" in printed
    assert "2013년 2월 9일 토요일  ->  " in printed
    assert (tmp_path / "alignment.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "saved_models" / "dates" / "1" / "saved_model.pb").is_file()
