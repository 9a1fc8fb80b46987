"""The `python_docs` builder, on dummy data by TFDS's own test case and on what ships."""

from pathlib import Path
from typing import ClassVar

import pytest
import tensorflow_datasets as tfds

from training.datasets.corpus import read_table
from training.datasets.load import load_examples
from training.datasets.python_docs.python_docs_dataset_builder import Builder

SIZES = {
    "ko": {"train": 28_671, "validation": 933, "test": 917},
    "fr": {"train": 20_045, "validation": 707, "test": 669},
}


class PythonDocsTest(tfds.testing.DatasetBuilderTestCase):
    DATASET_CLASS = Builder
    SPLITS: ClassVar = {"train": 3, "validation": 2, "test": 1}
    DL_EXTRACT_RESULT: ClassVar = {
        "pydocs.en-ko.tsv.gz": "pydocs.en-ko.tsv",
        "pydocs.en-fr.tsv.gz": "pydocs.en-fr.tsv",
    }


@pytest.fixture(scope="module", params=SIZES)
def language(request):
    return request.param


@pytest.fixture(scope="module")
def examples(language, data_dir):
    name = f"python_docs/en-{language}"
    return {split: load_examples(name, split, data_dir=data_dir) for split in SIZES[language]}


def test_sizes(language, examples):
    assert {split: len(columns["en"]) for split, columns in examples.items()} == SIZES[language]


def test_no_english_text_is_in_two_splits(examples):
    train, validation, test = (set(columns["en"]) for columns in examples.values())
    assert not train & validation and not train & test and not validation & test


def test_rows_are_those_of_the_file_in_their_order(language, examples):
    data = Path(Builder.code_path).parent / "data"
    rows = read_table(data / f"pydocs.en-{language}.tsv.gz")
    valid = [row[1:] for row in rows if row[0] == "valid"]
    columns = (examples["validation"][name] for name in ("file", "en", language))
    assert [list(row) for row in zip(*columns, strict=True)] == valid


def test_the_licence_ships_beside_the_data():
    licence = (Path(Builder.code_path).parent / "LICENSE.txt").read_text(encoding="utf-8")
    assert licence.startswith("PYTHON SOFTWARE FOUNDATION LICENSE VERSION 2")
    assert "Python Software Foundation; All Rights Reserved" in licence
