"""The translator of the tiny model, for tests that leave it as it is."""

import pytest

import zoo


@pytest.fixture(scope="module")
def translator(tiny_model):
    return zoo.Translator.load(tiny_model)
