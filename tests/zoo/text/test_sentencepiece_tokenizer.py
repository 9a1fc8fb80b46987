import re
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zoo.text import SentencePieceTokenizer

TEXTS = ["Le chat noir est assis.", "Der Hund läuft.", "고양이가 앉아 있다.", "the cat sat"] * 5


@pytest.fixture(scope="module")
def tokenizer():
    pytest.importorskip("tensorflow_text")
    return SentencePieceTokenizer.train(TEXTS, size=330)


@pytest.fixture(scope="module")
def reference(tokenizer, tmp_path_factory):
    import sentencepiece

    folder = tmp_path_factory.mktemp("model")
    tokenizer.save(folder, "words")
    return sentencepiece.SentencePieceProcessor(model_file=str(folder / "words.model"))


def test_special_pieces_have_our_ids(tokenizer):
    assert tokenizer.vocabulary[:5] == ["<pad>", "<unk>", "<s>", "</s>", "<0x00>"]
    assert tokenizer.vocabulary_size == 330


@settings(max_examples=50, deadline=None)
@given(texts=st.lists(st.text().map(str.encode) | st.binary(), min_size=1))
def test_ids_and_text_are_those_of_the_sentencepiece_package(tokenizer, reference, texts):
    ids = tokenizer.encode(texts)
    assert ids.to_list() == [reference.encode(text) for text in texts]
    decoded = tokenizer.decode(ids.to_tensor()).numpy()
    assert [text.decode() for text in decoded] == reference.decode(ids.to_list())


def test_training_is_deterministic_and_silent(tokenizer, capfd):
    again = SentencePieceTokenizer.train(TEXTS, size=330)
    assert again.vocabulary == tokenizer.vocabulary
    assert capfd.readouterr() == ("", "")


def test_the_model_can_fold_case():
    pytest.importorskip("tensorflow_text")
    tokenizer = SentencePieceTokenizer.train(TEXTS, size=330, lower=True)
    assert tokenizer.encode(["LE CHAT"]).to_list() == tokenizer.encode(["le chat"]).to_list()


def test_incomplete_bytes_decode_to_valid_utf8(tokenizer):
    euro = [tokenizer.vocabulary.index(f"<0x{byte:02X}>") for byte in "€".encode()]
    decoded = tokenizer.decode([euro, [*euro[:2], 0]]).numpy()
    assert [text.decode() for text in decoded] == ["€", "\ufffd\ufffd"]


@pytest.mark.parametrize(
    ("size", "reason", "step"),
    [
        (100_000, r"these texts allow (\d+) at most; lower `vocabulary_size`", 1),
        (200, r"bytes and characters alone take (\d+); raise `vocabulary_size`", -1),
    ],
    ids=["too many", "too few"],
)
def test_a_size_that_the_texts_do_not_allow_is_answered_with_one_that_they_do(
    tokenizer, size, reason, step
):
    with pytest.raises(ValueError, match=f"no SentencePiece vocabulary of {size} pieces") as error:
        SentencePieceTokenizer.train(TEXTS, size=size)
    possible = int(re.search(reason, str(error.value))[1])
    assert SentencePieceTokenizer.train(TEXTS, size=possible).vocabulary_size == possible
    with pytest.raises(ValueError, match="no SentencePiece vocabulary"):
        SentencePieceTokenizer.train(TEXTS, size=possible + step)


@pytest.mark.parametrize("module", ["sentencepiece", "tensorflow_text"])
def test_a_missing_extra_is_named(tokenizer, monkeypatch, module):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ImportError, match=rf"{module}: pip install attention-zoo\[text\]"):
        SentencePieceTokenizer.train(TEXTS, size=330)
