"""A model that is trained a little, once for all tests that need one on disk."""

import dataclasses
import os
import shutil

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import pytest

from training.recipes import RECIPES

TEXTS = ["2013년 2월 9일 토요일", "Tuesday, 14 June 1904", "1981年5月3日(日)", ""]


def pytest_addoption(parser):
    parser.addoption("--screenshot", metavar="FILE", help="where the page's picture goes")


@pytest.fixture(scope="session")
def data_dir(tmp_path_factory):
    """Where TFDS keeps what it prepared."""
    return str(tmp_path_factory.mktemp("datasets"))


@pytest.fixture(scope="session")
def tiny_recipe():
    """A recipe of seconds."""
    return dataclasses.replace(
        RECIPES["dates"],
        overrides={"units": 16, "embedding_dim": 8},
        max_examples=256,
        batch_size=32,
        epochs=2,
        validation_examples=20,
    )


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory, tiny_recipe, data_dir):
    """The folder of a model of `tiny_recipe`, not exported. Copy it before writing to it."""
    from training.train import train

    folder = tmp_path_factory.mktemp("tiny")
    train(
        tiny_recipe,
        "dates",
        runs=folder / "runs",
        saved_models=folder / "saved_models",
        data_dir=data_dir,
    )
    return folder / "saved_models" / "dates"


@pytest.fixture(scope="session")
def saved_models(tiny_model, tmp_path_factory):
    """A folder with the tiny model, exported; not to be changed."""
    from serving.export import export

    folder = tmp_path_factory.mktemp("saved_models")
    shutil.copytree(tiny_model, folder / "dates")
    export(folder / "dates")
    return folder
