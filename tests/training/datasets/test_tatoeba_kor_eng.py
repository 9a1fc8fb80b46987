"""The `tatoeba_kor_eng` builder, on dummy data by TFDS's own test case and on what ships."""

from typing import ClassVar

import pytest
import tensorflow_datasets as tfds

from training.datasets.load import load_examples
from training.datasets.splits import split_of
from training.datasets.tatoeba_kor_eng.tatoeba_kor_eng_dataset_builder import Builder

SIZES = {"train": 3_602, "validation": 59, "test": 62}  # by sha256sum and bc


class TatoebaKorEngTest(tfds.testing.DatasetBuilderTestCase):
    DATASET_CLASS = Builder
    SPLITS: ClassVar = {"train": 3, "validation": 1, "test": 2}
    DL_EXTRACT_RESULT: ClassVar = {"kor-eng.tsv.gz": "kor-eng.tsv"}


@pytest.fixture(scope="module")
def examples(data_dir):
    return {split: load_examples("tatoeba_kor_eng", split, data_dir=data_dir) for split in SIZES}


def test_sizes(examples):
    assert {split: len(columns["ko"]) for split, columns in examples.items()} == SIZES
    assert sum(SIZES.values()) == 3_723


def test_the_split_goes_by_the_english(examples):
    for split, columns in examples.items():
        assert {split_of(english) for english in columns["en"]} == {split}


def test_every_pair_says_who_wrote_it(examples):
    for columns in examples.values():
        assert all("tatoeba.org #" in line for line in columns["attribution"])
