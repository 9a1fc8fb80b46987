"""Builders by name and by folder. Nothing here reaches a network."""

import re
import shutil

import pytest
import tensorflow as tf
import tensorflow_datasets as tfds

from training.datasets.builders import find_builder
from training.datasets.load import load_examples, load_pairs
from training.recipes import RECIPES

CODE = """
import tensorflow_datasets as tfds
from words import GREETINGS


class Builder(tfds.core.GeneratorBasedBuilder):
    VERSION = tfds.core.Version("1.0.0")
    BUILDER_CONFIGS = [tfds.core.BuilderConfig(name=name) for name in ("en-fr", "en-de")]

    def _info(self):
        languages = self.builder_config.name.split("-")
        return tfds.core.DatasetInfo(
            builder=self,
            features=tfds.features.Translation(languages=languages),
            license="CC0-1.0\\n(invented)",
        )

    def _split_generators(self, dl_manager):
        return {"train": self._generate_examples()}

    def _generate_examples(self):
        for number, words in enumerate(GREETINGS):
            yield number, {language: words[language] for language in self.info.features}
"""
WORDS = 'GREETINGS = [{"en": "Hello.", "fr": "Bonjour.", "de": "Guten Tag."}]\n'


@pytest.fixture
def folder(tmp_path):
    """The folder of a builder with two configurations, which imports a module beside it."""
    folder = tmp_path / "greetings"
    folder.mkdir()
    (folder / "greetings_dataset_builder.py").write_text(CODE)
    (folder / "words.py").write_text(WORDS)
    return folder


@pytest.mark.parametrize(
    ("name", "source", "target"),
    [("wmt14_translate/de-en", "en", "de"), ("ted_hrlr_translate/pt_to_en", "pt", "en")],
)
def test_translations_of_tfds_by_name(name, source, target, tmp_path):
    """As their builders would have prepared them, but for what the lines say."""
    builder = find_builder(name, tmp_path)
    lines = {language: [f"{language} {n}" for n in range(3)] for language in (source, target)}
    tfds.dataset_builders.store_as_tfds_dataset(
        name=builder.name,
        version=builder.version,
        config=builder.builder_config,
        features=builder.info.features,
        split_datasets={"train": tf.data.Dataset.from_tensor_slices(lines)},
        data_dir=tmp_path,
        disable_shuffling=True,
    )
    pairs = load_pairs(name, "train", source=source, target=target, data_dir=tmp_path)
    assert pairs.sources == [f"{source} 0", f"{source} 1", f"{source} 2"]
    assert pairs.targets == [f"{target} 0", f"{target} 1", f"{target} 2"]
    assert pairs.licence == ""


@pytest.mark.parametrize("recipe", [recipe for recipe in RECIPES.values() if recipe.dataset])
def test_recipes_name_features_of_a_dataset_that_states_its_licence(recipe, tmp_path):
    info = find_builder(recipe.dataset, tmp_path).info
    assert {recipe.source, recipe.target} <= set(info.features)
    assert info.redistribution_info.license


@pytest.mark.parametrize(("config", "target"), [("", "fr"), ("/en-fr", "fr"), ("/en-de", "de")])
def test_a_builder_of_one_s_own(folder, tmp_path, config, target):
    pairs = load_pairs(
        f"{folder}{config}", "train", source="en", target=target, data_dir=tmp_path / "prepared"
    )
    assert pairs.sources == ["Hello."]
    assert pairs.targets == {"fr": ["Bonjour."], "de": ["Guten Tag."]}[target]
    assert pairs.licence == "CC0-1.0 (invented)"


def test_two_folders_may_have_builders_of_one_name(folder, tmp_path):
    other = tmp_path / "other" / "greetings"
    shutil.copytree(folder, other)
    (other / "greetings_dataset_builder.py").write_text(CODE.replace('"1.0.0"', '"2.0.0"'))
    versions = [str(find_builder(str(path), tmp_path).version) for path in (folder, other, folder)]
    assert versions == ["1.0.0", "2.0.0", "1.0.0"]


def test_a_prepared_folder(folder, tmp_path):
    """It needs no code: what made it is gone."""
    load_examples(f"{folder}/en-de", "train", data_dir=tmp_path / "prepared")
    shutil.rmtree(folder)
    prepared = tmp_path / "prepared" / "greetings" / "en-de" / "1.0.0"
    pairs = load_pairs(str(prepared), "train", source="en", target="de")
    assert (pairs.sources, pairs.targets) == (["Hello."], ["Guten Tag."])
    assert pairs.licence == "CC0-1.0 (invented)"
    (prepared / "dataset_info.json").write_text("{")
    with pytest.raises(ValueError, match="damaged dataset"):
        find_builder(str(prepared))


def test_a_name_comes_before_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "dates").mkdir()
    assert find_builder("dates", tmp_path).name == "dates"
    with pytest.raises(ValueError, match=r"dates has no dataset_info\.json and 0 files"):
        find_builder("./dates", tmp_path)


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("import nowhere_to_be_found", r"can't be imported \(ModuleNotFoundError: "),
        ("def", r"can't be imported \(SyntaxError: "),
        ("", "defines 0 dataset builders"),
        (CODE + CODE.replace("class Builder", "class Another"), "defines 2 dataset builders"),
    ],
    ids=["no module", "no Python", "none", "two"],
)
def test_code_that_can_not_be_used(folder, code, message):
    (folder / "greetings_dataset_builder.py").write_text(code)
    with pytest.raises(ValueError, match=message) as error:
        find_builder(str(folder))
    assert "\n" not in str(error.value)


def test_unknown_configurations_and_folders(folder, tmp_path):
    with pytest.raises(ValueError, match=r"greetings/en-df' is no configuration.*greetings/en-d"):
        find_builder(f"{folder}/en-df", tmp_path)
    with pytest.raises(ValueError, match=re.escape(f"'{tmp_path}/none' is no folder")):
        find_builder(f"{tmp_path}/none")
