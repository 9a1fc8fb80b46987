import dataclasses

import numpy as np
import pytest

from training import prepare
from training.datasets.load import Pairs
from training.prepare import Preparation, tokenise, what_makes
from training.prepared import Prepared, fingerprint
from training.recipe import Recipe
from training.vocabularies import train_tokenizers
from zoo.text import END, START

RECIPE = Recipe(
    tokenizer="characters", vocabulary_size=20, max_source_length=4, max_target_length=3
)
# Of 2 and 1, 3 and 2, 4 and 2, 3 and 3, 5 and 4 characters; END is one more.
TRAIN = Pairs("own", ["ab", "abc", "abcd", "bcd", "abcde"], ["x", "xy", "xz", "xyz", "xyzx"])
VALIDATION = Pairs("own", ["ba", "dcba"], ["y", "zyx"])
SPLITS = {"train": TRAIN, "validation": VALIDATION}


@pytest.fixture(scope="module")
def tokenizers():
    return train_tokenizers(RECIPE, TRAIN)


def texts(rows, tokenizer):
    ids = np.split(rows.values, rows.offsets[1:-1])
    return [text.decode() for row in ids for text in tokenizer.decode(row[None]).numpy()]


def test_longer_pairs_are_dropped_and_counted_once(tokenizers):
    ids = tokenise(TRAIN, tokenizers, RECIPE, "drop")
    assert texts(ids.source, tokenizers[0]) == ["ab", "abc"]
    assert texts(ids.target, tokenizers[1]) == ["x", "xy"]
    assert ids.dropped == {"source longer than 4 tokens": 2, "target longer than 3 tokens": 1}
    assert ids.cut == 0


def test_or_cut(tokenizers):
    ids = tokenise(TRAIN, tokenizers, RECIPE, "cut")
    assert texts(ids.source, tokenizers[0]) == ["ab", "abc", "abc", "bcd", "abc"]
    assert texts(ids.target, tokenizers[1]) == ["x", "xy", "xz", "xy", "xy"]
    assert (ids.dropped, ids.cut) == ({}, 3)


def test_sequences_are_framed(tokenizers):
    ids = tokenise(TRAIN, tokenizers, RECIPE, "cut")
    assert (ids.source.values[ids.source.offsets[1:] - 1] == END).all()
    assert (ids.target.values[ids.target.offsets[1:] - 1] == END).all()
    assert (ids.target.values[ids.target.offsets[:-1]] == START).all()
    assert [max(side) for side in ids.lengths] == [4, 3]


def test_a_large_corpus_is_tokenised_in_parts(tokenizers, monkeypatch):
    whole = tokenise(TRAIN, tokenizers, RECIPE, "drop")
    monkeypatch.setattr(prepare, "CHUNK", 2)
    parts = tokenise(TRAIN, tokenizers, RECIPE, "drop")
    assert parts.dropped == whole.dropped
    for side in ("source", "target"):
        for array in ("values", "offsets"):
            one, other = (getattr(getattr(ids, side), array) for ids in (whole, parts))
            np.testing.assert_array_equal(one, other)


def test_validation_is_cut_and_never_dropped(tmp_path):
    prepared = Preparation(RECIPE, SPLITS, tmp_path / "data").finish()
    assert len(prepared.train) == 2
    assert len(prepared.validation) == 2
    assert prepared.validation.cut == 1


def test_what_is_kept_is_not_made_again(tmp_path, monkeypatch):
    first = Preparation.below(tmp_path, RECIPE, SPLITS)
    vocabularies = [tokenizer.vocabulary for tokenizer in first.tokenizers]
    made = first.finish()
    monkeypatch.setattr(prepare, "tokenise", None)
    monkeypatch.setattr(prepare, "train_tokenizers", None)
    again = Preparation.below(tmp_path, RECIPE, SPLITS)
    assert [tokenizer.vocabulary for tokenizer in again.tokenizers] == vocabularies
    assert again.finish().folder == made.folder
    np.testing.assert_array_equal(again.finish().train.source.values, made.train.source.values)


def test_nothing_is_written_before_the_end(tmp_path):
    assert Preparation.below(tmp_path / "runs", RECIPE, SPLITS).tokenizers
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "change",
    [
        {"dataset": "other"},
        {"target": "de"},
        {"max_examples": 2},
        {"tokenizer": "words"},
        {"vocabulary_size": 21},
        {"joint_vocabulary": True},
        {"lower": True},
        {"max_source_length": 5},
        {"max_target_length": 5},
        {"longer": "cut"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_another_setting_is_another_fingerprint(change):
    other = what_makes(dataclasses.replace(RECIPE, **change), SPLITS)
    assert fingerprint(other) != fingerprint(what_makes(RECIPE, SPLITS))


@pytest.mark.parametrize("split", SPLITS)
def test_another_pair_is_another_fingerprint(split):
    other = dataclasses.replace(SPLITS[split], sources=[*SPLITS[split].sources[:-1], "other"])
    changed = what_makes(RECIPE, {**SPLITS, split: other})
    assert fingerprint(changed) != fingerprint(what_makes(RECIPE, SPLITS))


@pytest.mark.parametrize("change", [{"seed": 1}, {"batch_size": 2}, {"learning_rate": 0.1}])
def test_what_the_ids_do_not_depend_on_leaves_it(change):
    other = what_makes(dataclasses.replace(RECIPE, **change), SPLITS)
    assert fingerprint(other) == fingerprint(what_makes(RECIPE, SPLITS))


def test_damaged_data_are_prepared_again(tmp_path, capsys):
    folder = Preparation.below(tmp_path, RECIPE, SPLITS).finish().folder
    (folder / "train.source.npy").write_bytes(b"")
    assert len(Preparation.below(tmp_path, RECIPE, SPLITS).finish().train) == 2
    assert capsys.readouterr().out.startswith(f"Preparing the data again: {folder} is damaged")
    assert len(Prepared.read(folder).train) == 2


def test_a_process_that_comes_second_takes_what_the_first_wrote(tmp_path):
    first, second = (Preparation.below(tmp_path, RECIPE, SPLITS) for _ in range(2))
    assert first.finish().folder == second.finish().folder
    assert [path.name for path in tmp_path.iterdir()] == [first.folder.name]


def test_a_folder_of_other_data_is_refused(tmp_path):
    Preparation(RECIPE, SPLITS, tmp_path / "data").finish()
    other = dataclasses.replace(RECIPE, max_source_length=5)
    with pytest.raises(ValueError, match=r"\(max_source_length was 4, is 5\)"):
        Preparation(other, SPLITS, tmp_path / "data")


def test_a_folder_of_one_s_own_is_refused_if_damaged_and_left_alone(tmp_path):
    Preparation(RECIPE, SPLITS, tmp_path / "data").finish()
    (tmp_path / "data" / "source.json").unlink()
    with pytest.raises(ValueError, match="is damaged"):
        Preparation(RECIPE, SPLITS, tmp_path / "data")
    assert (tmp_path / "data" / "train.source.npy").is_file()


def test_a_folder_of_anything_else_is_refused_and_left_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("all of it")
    with pytest.raises(ValueError, match="holds something else"):
        Preparation(RECIPE, SPLITS, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_if_no_pair_is_left_the_flags_are_named(tmp_path):
    short = dataclasses.replace(RECIPE, max_source_length=2)
    with pytest.raises(ValueError, match=r"no pair is left .* --max-source-length .* --longer cut"):
        Preparation(short, SPLITS, tmp_path / "data").finish()
    assert not list(tmp_path.iterdir())
