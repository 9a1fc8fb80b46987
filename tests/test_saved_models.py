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
# One of each preset and of each kind of weights; the others take their time.
QUICK = ("dates-luong", "dates-bahdanau", "tatoeba-en-fr-transformer")
MOST_BYTES = 15e6  # of the SavedModel, and of Keras's file

models = pytest.mark.parametrize("name", NAMES)


@models
def test_it_is_small_and_says_what_it_is(name):
    for part in (SHIPPED / name / "1").rglob("*"), [SHIPPED / name / "model.keras"]:
        assert 0 < sum(path.stat().st_size for path in part if path.is_file()) < MOST_BYTES
    told = card.facts(SHIPPED / name, card.read(SHIPPED / name))
    assert "not stated" not in told["Data"]
    assert "test: " in told["Scores"]


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=() if name in QUICK else pytest.mark.slow) for name in NAMES],
)
def test_the_version_that_ships_says_what_the_model_does(name):
    translator = zoo.Translator.load(name)
    texts = [translator.known["recipe"]["example"], ""]
    (served,) = ask(SHIPPED / name / "1", [("serving_default", {"text": texts})])
    assert (
        served["text"].tolist() == translator.translate(tf.constant(texts))["text"].numpy().tolist()
    )
