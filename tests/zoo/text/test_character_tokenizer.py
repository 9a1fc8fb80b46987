import pytest

from zoo.text import CharacterTokenizer

SPECIALS = ["<pad>", "<unk>", "<s>", "</s>"]


def test_vocabulary_goes_by_frequency_then_code_point():
    tokenizer = CharacterTokenizer.train(["bba", "c 年a"], size=20)
    assert tokenizer.vocabulary == [*SPECIALS, "a", "b", " ", "c", "年"]


def test_vocabulary_is_at_most_the_size_asked_for():
    tokenizer = CharacterTokenizer.train(["bbbaac"], size=6)
    assert tokenizer.vocabulary == [*SPECIALS, "b", "a"]
    assert tokenizer.vocabulary_size == 6


def test_ids_are_places_in_the_vocabulary():
    tokenizer = CharacterTokenizer.train(["bba"], size=20)
    assert tokenizer.encode(["ab", "", "axb"]).to_list() == [[5, 4], [], [5, 1, 4]]


def test_decoding_joins_and_shows_the_unknown():
    tokenizer = CharacterTokenizer([*SPECIALS, "é", " "])
    assert tokenizer.decode([[4, 5, 1, 4]]).numpy()[0].decode() == "é <unk>é"


def test_lower_casing_holds_in_training_and_encoding():
    tokenizer = CharacterTokenizer.train(["aA"], size=20, lower=True)
    assert tokenizer.vocabulary == [*SPECIALS, "a"]
    assert tokenizer.encode(["A"]).to_list() == [[4]]


def test_a_size_without_room_for_text_is_refused():
    with pytest.raises(ValueError, match=r"vocabulary of 4 pieces has no room .* 5 or more"):
        CharacterTokenizer.train(["a"], size=4)
