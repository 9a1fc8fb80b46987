"""Names, splits and features: what loads, and what is refused. Contents: the datasets' tests."""

import os
from pathlib import Path

import numpy as np
import pytest
import tensorflow_datasets as tfds

from training.datasets.corpus import read_corpus, read_table
from training.datasets.load import Pairs, load_corpus, load_examples, load_pairs


class ToyTranslation(tfds.core.GeneratorBasedBuilder):
    """A stranger to this package, with a number beside its text."""

    VERSION = tfds.core.Version("1.0.0")

    def _info(self):
        features = {"no": tfds.features.Scalar(np.int64)}
        features |= {language: tfds.features.Text() for language in ("en", "fr")}
        return tfds.core.DatasetInfo(builder=self, features=tfds.features.FeaturesDict(features))

    def _split_generators(self, dl_manager):
        return {"train": self._generate_examples()}

    def _generate_examples(self):
        for number in range(3):
            yield number, {"no": number, "en": f"one and {number}", "fr": f"un et {number}"}


def test_dates(data_dir):
    pairs = load_pairs("dates", "test", source="text", target="iso", data_dir=data_dir)
    assert pairs.name == "dates"
    assert pairs.sources[:2] == ["Sat, Apr 7, 1934", "1989년 1월 19일"]
    assert pairs.targets[:2] == ["1934-04-07", "1989-01-19"]
    assert pairs.licence == "Apache-2.0; month and day names from CLDR (Unicode-3.0)"


def test_a_dataset_prepared_before_is_the_same_by_name_and_version(data_dir):
    first, again = (
        load_pairs(name, "test", source="text", target="iso", data_dir=data_dir)
        for name in ("dates", "dates:1.0.0")
    )
    assert first.fingerprint == again.fingerprint


def test_preparing_is_quiet(tmp_path, capsys):
    load_examples("dates", "test", data_dir=tmp_path)
    assert capsys.readouterr() == ("", "")


def test_any_dataset_of_tfds(data_dir):
    examples = load_examples("toy_translation", "train", data_dir=data_dir)
    assert list(examples) == ["en", "fr"]
    assert sorted(examples["fr"]) == ["un et 0", "un et 1", "un et 2"]
    assert [fr.replace("un et", "one and") for fr in examples["fr"]] == examples["en"]


@pytest.mark.parametrize(
    ("dataset", "split", "feature", "message"),
    [
        (
            "datez",
            "test",
            "text",
            r"no dataset of this package \(dates, .*tatoeba_.*there is: dates,",
        ),
        ("owner:dates", "test", "text", "no dataset of this package"),
        ("", "test", "text", "no dataset of this package"),
        ("dates/en", "test", "text", "no configuration or version of dates; there is: dates$"),
        ("dates:2.0.0", "test", "text", "no configuration or version of dates; there is: dates$"),
        ("wmt14_translate/de-ko", "test", "de", "there is: wmt14_translate/de-en, "),
        ("dates", "test", "txt", "no text feature of dates; there is: text, "),
        ("dates", "dev", "text", "no split of dates; there is: .*validation"),
        ("toy_translation", "train", "no", "no text feature of toy_translation; there is: .*en"),
        ("wmt14_translate/de-en", "test", "fr", "no text feature of .*; there is: "),
    ],
)
def test_unknown_names(data_dir, dataset, split, feature, message):
    with pytest.raises(ValueError, match=message) as error:
        load_examples(dataset, split, features=[feature], data_dir=data_dir)
    assert "\n" not in str(error.value)


def test_fingerprint():
    pairs = Pairs("name", ["a", "b"], ["c", "d"])
    assert len(pairs.fingerprint) == 16
    assert pairs.fingerprint == Pairs("another name", ["a", "b"], ["c", "d"]).fingerprint
    for sources, targets in [
        (["b", "a"], ["d", "c"]),
        (["a", "b"], ["d", "c"]),
        (["c", "d"], ["a", "b"]),
        (["a"], ["c"]),
        (["ac", "b"], ["", "d"]),
    ]:
        assert pairs.fingerprint != Pairs("name", sources, targets).fingerprint


def test_corpus(tmp_path):
    corpus = tmp_path / "corpus.tsv"
    corpus.write_text("".join(f"Sentence {n}.\tPhrase {n}.\n" for n in range(1, 201)))
    splits = [load_corpus([corpus], split) for split in ("train", "validation", "test")]
    assert sum(len(pairs.sources) for pairs in splits) == 200
    assert "Sentence 10." in splits[1].sources and "Phrase 146." in splits[2].targets
    assert {pairs.name for pairs in splits} == {"corpus.tsv"}


def test_corpus_too_small_for_a_split(tmp_path):
    corpus = tmp_path / "corpus.tsv"
    corpus.write_text("Sentence 1.\tPhrase 1.\n")
    with pytest.raises(ValueError, match=r"validation split \(1 train, 0 validation, 0 test\)"):
        load_corpus([corpus], "validation")
    with pytest.raises(ValueError, match=r"'dev' is no split of corpus\.tsv"):
        load_corpus([corpus], "dev")


@pytest.fixture
def real_data():
    if not (folder := os.environ.get("ATTENTION_ZOO_DATA")):
        pytest.skip("ATTENTION_ZOO_DATA names no folder of data")
    return Path(folder)


def test_shipped_dates_are_those_of_the_data_folder(real_data, data_dir):
    rows = read_table(real_data / "dates" / "test.tsv.gz")
    examples = load_examples("dates", "test", data_dir=data_dir)
    columns = ("locale", "text", "iso", "spans")
    assert rows == [list(row) for row in zip(*(examples[c] for c in columns), strict=True)]


@pytest.mark.parametrize(
    ("files", "size"),
    [
        (["tatoeba_kor_eng/tatoeba_kor-eng.tsv.gz"], 3_723),
        (["multi30k/raw/val.en.gz", "multi30k/raw/val.de.gz"], 1_014),
    ],
)
def test_corpora_of_the_data_folder(real_data, files, size):
    assert len(read_corpus([real_data / file for file in files])) == size
