"""The `tatoeba_fra_eng` builder, on dummy data by TFDS's own test case and on what ships."""

from pathlib import Path
from typing import ClassVar

import pytest
import tensorflow_datasets as tfds

from training.datasets.corpus import read_corpus
from training.datasets.load import load_pairs
from training.datasets.splits import split_of
from training.datasets.tatoeba_fra_eng.tatoeba_fra_eng_dataset_builder import Builder

SIZES = {"train": 160_433, "validation": 3_411, "test": 3_286}


class TatoebaFraEngTest(tfds.testing.DatasetBuilderTestCase):
    DATASET_CLASS = Builder
    SPLITS: ClassVar = {"train": 3, "validation": 1, "test": 2}
    DL_EXTRACT_RESULT: ClassVar = {"fra-eng.tsv.gz": "fra-eng.tsv"}


@pytest.fixture(scope="module")
def pairs(data_dir):
    return {
        split: load_pairs("tatoeba_fra_eng", split, source="en", target="fr", data_dir=data_dir)
        for split in SIZES
    }


@pytest.mark.slow
def test_sizes(pairs):
    assert {split: len(p.sources) for split, p in pairs.items()} == SIZES
    assert sum(SIZES.values()) == 167_130


@pytest.mark.slow
def test_no_english_sentence_is_in_two_splits(pairs):
    train, validation, test = (set(p.sources) for p in pairs.values())
    assert not train & validation and not train & test and not validation & test


@pytest.mark.slow
def test_order_is_that_of_the_file(pairs):
    rows = read_corpus([Path(Builder.code_path).parent / "data" / "fra-eng.tsv.gz"])
    for split, loaded in pairs.items():
        expected = [pair for pair in rows if split_of(pair[0]) == split]
        assert list(zip(loaded.sources, loaded.targets, strict=True)) == expected
