"""The trained models that ship."""

import pytest
import tensorflow as tf

import zoo
from serving.session import ask
from zoo import card
from zoo.models.loading import SHIPPED

NAMES = (
    "dates-luong",
    "dates-bahdanau",
    "dates-transformer",
    "tatoeba-en-fr-transformer",
    "tatoeba-fr-en-transformer",
    "python-docs-en-ko-transformer",
)
MOST_BYTES = 15e6  # of each file

models = pytest.mark.parametrize("name", NAMES)


@models
def test_it_is_small_and_says_what_it_is(name):
    files = [path for path in (SHIPPED / name).rglob("*") if path.is_file()]
    assert {SHIPPED / name / "model.keras", SHIPPED / name / "1" / "saved_model.pb"} < set(files)
    assert all(0 < path.stat().st_size < MOST_BYTES for path in files)
    told = card.facts(SHIPPED / name, card.read(SHIPPED / name))
    assert "not stated" not in told["Data"]
    assert "test: " in told["Scores"]


# Two others of its kind are asked always.
@pytest.mark.parametrize(
    "name",
    [
        pytest.param(n, marks=pytest.mark.slow if n == "tatoeba-fr-en-transformer" else ())
        for n in NAMES
    ],
)
def test_the_version_that_ships_says_what_the_model_does(name):
    translator = zoo.Translator.load(name)
    texts = [translator.known["recipe"]["example"], ""]
    (served,) = ask(SHIPPED / name / "1", [("serving_default", {"text": texts})])
    assert (
        served["text"].tolist() == translator.translate(tf.constant(texts))["text"].numpy().tolist()
    )
