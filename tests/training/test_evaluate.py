import shutil

import pytest

import zoo
from training.evaluate import evaluate
from zoo import card


@pytest.fixture
def folder(tiny_model, tmp_path):
    return shutil.copytree(tiny_model, tmp_path / "dates")


def test_measures_a_corpus_and_notes_it_on_the_card(folder, tmp_path):
    texts = [f"{day} June 1904" for day in range(1, 29)] * 12
    answers = zoo.Translator.load(folder).translate_all(texts)
    lines = [f"{text}\t{answer or 'none'}" for text, answer in zip(texts, answers, strict=True)]
    (tmp_path / "own.tsv").write_text("\n".join(lines), encoding="utf-8")
    scores = evaluate(folder, corpus=[str(tmp_path / "own.tsv")])
    assert scores == {"exact_match": 100, "examples": len(texts)}
    assert card.read(folder)["scores"] == {"own.tsv": scores}


def test_measures_the_test_split_by_default(folder, data_dir):
    scores = evaluate(folder, data_dir=data_dir)
    assert scores["examples"] == 2000
    assert 0 <= scores["exact_match"] <= 100
    assert card.read(folder)["scores"]["test"] == scores
    assert zoo.Translator.load(folder).known["scores"]["test"] == scores


def test_an_unknown_split_is_answered_with_those_there_are(folder, data_dir):
    with pytest.raises(ValueError, match=r"'dev' is no split of dates; there is: .*validation"):
        evaluate(folder, split="dev", data_dir=data_dir)


def test_data_files_without_the_dataset_s_are_refused(folder, tmp_path):
    with pytest.raises(ValueError, match=r"none of the files of dates, which are: test\.tsv\.gz"):
        evaluate(folder, data_dir=str(tmp_path / "data"), data_files=str(tmp_path))
