"""The `dates` builder, on dummy data by TFDS's own test case and on the dates that ship."""

import re
from pathlib import Path
from typing import ClassVar

import pytest
import tensorflow_datasets as tfds

from training.datasets.corpus import read_table
from training.datasets.dates.dates_dataset_builder import Builder
from training.datasets.load import load_examples

SIZES = {"train": 30_000, "validation": 2_000, "test": 2_000}


class DatesTest(tfds.testing.DatasetBuilderTestCase):
    DATASET_CLASS = Builder
    SPLITS: ClassVar = {"train": 3, "validation": 2, "test": 1}
    DL_EXTRACT_RESULT: ClassVar = {
        "train.tsv.gz": "train.tsv",
        "valid.tsv.gz": "valid.tsv",
        "test.tsv.gz": "test.tsv",
    }


@pytest.fixture(scope="module")
def dates(data_dir):
    return {split: load_examples("dates", split, data_dir=data_dir) for split in SIZES}


def test_sizes(dates):
    assert {split: len(examples["iso"]) for split, examples in dates.items()} == SIZES


def test_no_date_is_in_two_splits(dates):
    train, validation, test = (set(examples["iso"]) for examples in dates.values())
    assert not train & validation and not train & test and not validation & test


def test_year_and_day_of_the_spans_are_those_of_the_target(dates):
    for text, iso, spans in zip(*(dates["test"][c] for c in ("text", "iso", "spans")), strict=True):
        found = {
            part: text[int(a) : int(b)] for part, a, b in re.findall(r"(\w):(\d+)-(\d+)", spans)
        }
        assert found["Y"][-2:] == iso[2:4], (text, iso, spans)
        assert int(found["D"]) == int(iso[8:]), (text, iso, spans)


def test_order_is_that_of_the_file(dates):
    rows = read_table(Path(Builder.code_path).parent / "data" / "train.tsv.gz")
    assert dates["train"]["text"] == [text for _, text, _, _ in rows]


@pytest.mark.parametrize("damage", ["cut", "removed"])
def test_a_damaged_file_is_refused_in_one_line(damage, tmp_path, monkeypatch):
    intact = Builder(data_dir=tmp_path).data_folder
    for name in Builder.FILES:
        (tmp_path / name).write_bytes((intact / name).read_bytes())
    if damage == "cut":
        (tmp_path / "valid.tsv.gz").write_bytes((intact / "valid.tsv.gz").read_bytes()[:-1])
    else:
        (tmp_path / "valid.tsv.gz").unlink()
    monkeypatch.setattr(Builder, "data_folder", tmp_path)
    builder = Builder(data_dir=tmp_path)
    with pytest.raises(ValueError, match=r"^dates: .*valid\.tsv\.gz.*install the package again$"):
        builder.download_and_prepare()
    assert not builder.data_path.exists()
