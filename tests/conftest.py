"""A model that is trained a little, once for all tests that need one on disk."""

import dataclasses
import fcntl
import os
import shutil

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import pytest

from training.recipes import RECIPES

TEXTS = ["2013년 2월 9일 토요일", "Tuesday, 14 June 1904", "1981年5月3日(日)", ""]


def pytest_addoption(parser):
    parser.addoption("--screenshot", metavar="FILE", help="where the page's picture goes")


@pytest.fixture(scope="session")
def made_once(tmp_path_factory, request):
    """The folder of a name as `make` filled it, for the first of pytest-xdist's workers to ask."""
    folder = tmp_path_factory.getbasetemp()
    common = folder.parent if hasattr(request.config, "workerinput") else folder

    def folder_of(name, make):
        made, unfinished = common / name, common / f"unfinished-{name}"
        with (common / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not made.exists():
                shutil.rmtree(unfinished, ignore_errors=True)  # of a worker that died
                unfinished.mkdir()
                make(unfinished)
                unfinished.rename(made)
        return made

    return folder_of


@pytest.fixture(scope="session")
def data_dir(made_once):
    """Where TFDS keeps the dates that it prepared."""
    from training.datasets.builders import find_builder
    from training.datasets.download import prepare

    return str(made_once("datasets", lambda folder: prepare(find_builder("dates", str(folder)))))


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
def tiny_model(made_once, tiny_recipe, data_dir):
    """The folder of a model of `tiny_recipe`, not exported. Copy it before writing to it."""
    from training.train import train

    def make(folder):
        places = {"runs": folder / "runs", "saved_models": folder / "saved_models"}
        train(tiny_recipe, "dates", **places, data_dir=data_dir)

    return made_once("tiny", make) / "saved_models" / "dates"


@pytest.fixture(scope="session")
def saved_models(made_once, tiny_model):
    """A folder with the tiny model, exported; not to be changed."""
    from serving.export import export

    def make(folder):
        shutil.copytree(tiny_model, folder / "dates")
        export(folder / "dates")

    return made_once("saved_models", make)
