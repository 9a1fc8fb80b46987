"""The `multi30k` builder, on invented lines by TFDS's own test case and on a user's files."""

import gzip
import os
from pathlib import Path
from typing import ClassVar

import pytest
import tensorflow_datasets as tfds

from training.datasets.builders import find_builder
from training.datasets.download import prepare
from training.datasets.load import load_examples, load_pairs
from training.datasets.multi30k.multi30k_dataset_builder import Builder

SIZES = {"train": 29_000, "validation": 1_014, "test": 1_000, "test_2017": 1_000}
FILES = {
    "train": "train",
    "validation": "val",
    "test": "test_2016_flickr",
    "test_2017": "test_2017_flickr",
}


def dummy(form, *languages):
    """What the downloads are replaced by."""
    return {
        split: [form.format(name, language) for language in languages]
        for split, name in FILES.items()
    }


class Multi30kTest(tfds.testing.DatasetBuilderTestCase):
    DATASET_CLASS = Builder
    BUILDER_CONFIG_NAMES_TO_TEST: ClassVar = ["en-de"]
    SPLITS: ClassVar = {"train": 3, "validation": 2, "test": 2, "test_2017": 1}
    DL_EXTRACT_RESULT: ClassVar = dummy("{}.{}", "en", "de")


class Multi30kTokTest(Multi30kTest):
    BUILDER_CONFIG_NAMES_TO_TEST: ClassVar = ["en-fr-tok"]
    DL_EXTRACT_RESULT: ClassVar = dummy("{}.lc.norm.tok.{}", "en", "fr")


class Urls:
    """A download manager that only keeps what it is asked for."""

    def __init__(self):
        self.wanted = []

    def download(self, pairs):
        self.wanted.extend(url for pair in pairs.values() for url in pair)
        return {}


def test_each_configuration_downloads_what_it_has_the_checksum_of():
    urls = Urls()
    for config in Builder.builder_configs:
        find_builder(f"multi30k/{config}")._split_generators(urls)
    assert set(urls.wanted) == set(Builder.url_infos)
    assert all("/a3d2e0d26b56" in url for url in urls.wanted)


def test_nothing_of_it_ships():
    folder = Path(Builder.code_path).parent
    assert not list(folder.rglob("*.gz")) and not (folder / "data").exists()


def test_a_folder_without_its_files_is_refused(tmp_path):
    (tmp_path / "train.en").write_text("A velvet teapot.\n")
    builder = find_builder("multi30k/en-de", tmp_path / "prepared")
    with pytest.raises(ValueError, match=r"has none of the files .*train\.en\.gz") as error:
        prepare(builder, tmp_path)
    assert "\n" not in str(error.value)
    with pytest.raises(FileNotFoundError, match=r"no folder .*nowhere"):
        prepare(builder, tmp_path / "nowhere")


def test_a_file_of_other_content_is_refused(tmp_path):
    for name in Builder.url_infos.values():
        (tmp_path / name.filename).write_bytes(gzip.compress(b"A velvet teapot.\n"))
    builder = find_builder("multi30k/en-de", tmp_path / "prepared")
    with pytest.raises(ValueError, match=r"is not what it should be .*\.gz") as error:
        prepare(builder, tmp_path)
    assert "\n" not in str(error.value)
    assert not builder.data_path.exists()


@pytest.fixture
def real_files():
    if not (folder := os.environ.get("ATTENTION_ZOO_DATA")):
        pytest.skip("ATTENTION_ZOO_DATA names no folder of data")
    return Path(folder) / "multi30k"


@pytest.mark.parametrize("language", ["de", "fr"])
def test_the_users_own_files(real_files, tmp_path, language):
    prepare(find_builder(f"multi30k/en-{language}", tmp_path), real_files / "raw")
    for split, size in SIZES.items():
        pairs = load_pairs(
            f"multi30k/en-{language}", split, source="en", target=language, data_dir=tmp_path
        )
        assert len(pairs.sources) == len(pairs.targets) == size
        for side, texts in (("en", pairs.sources), (language, pairs.targets)):
            file = real_files / "raw" / f"{FILES[split]}.{side}.gz"
            content = gzip.decompress(file.read_bytes()).decode()
            assert content.removesuffix("\n").split("\n") == texts
    assert "non-commercial" in pairs.licence


def test_the_tokenised_files(real_files, tmp_path):
    for file in (real_files / "tok").glob("*.gz"):
        (tmp_path / file.stem).write_bytes(gzip.decompress(file.read_bytes()))
    prepare(find_builder("multi30k/en-de-tok", tmp_path), tmp_path)
    examples = load_examples("multi30k/en-de-tok", "test", data_dir=tmp_path)
    assert len(examples["de"]) == 1_000
    assert all(text == text.lower() for text in examples["en"])
