import pytest
import tensorflow as tf

from zoo.text import WordTokenizer

SPECIALS = ["<pad>", "<unk>", "<s>", "</s>"]


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("L'homme est là.", "▁L ' homme ▁est ▁là ."),
        ("  (14 June,1904) ", "▁( 14 ▁June , 1904 )"),
        ("2013년 2월", "▁2013년 ▁2월"),
        ("a... - b", "▁a . . . ▁- ▁b"),
        ("हिन्दी é", "▁हिन्दी ▁é"),  # combining marks stay in their word
        ("▁a▁ b", "▁_ a _ ▁b"),
        ("😀👍", "▁😀 👍"),
    ],
)
def test_words_and_punctuation_are_pieces(text, pieces):
    tokenizer = WordTokenizer.train([text], size=50)
    tokens = tokenizer.tokens(tokenizer.encode([text]).to_tensor())[0]
    assert tf.strings.reduce_join(tokens, separator=" ").numpy().decode() == pieces


def test_the_same_word_has_one_piece_where_it_begins_and_one_where_it_goes_on():
    tokenizer = WordTokenizer.train(["b b 'b"], size=50)
    assert tokenizer.vocabulary == [*SPECIALS, "▁b", "b", "▁'"]


def test_an_unknown_word_is_set_off_as_a_word():
    tokenizer = WordTokenizer([*SPECIALS, "▁a", ".", "b"])
    assert tokenizer.encode(["a what."]).to_list() == [[4, 1, 5]]
    decoded = tokenizer.decode([[4, 1, 5], [1, 6, 1]]).numpy().tolist()
    assert decoded == [b"a <unk>.", b"<unk>b <unk>"]


def test_text_that_spells_a_special_piece_is_text():
    tokenizer = WordTokenizer.train(["<unk> </s>"], size=50)
    ids = tokenizer.encode(["<unk> </s>"])
    assert min(ids.to_list()[0]) > 3
    assert tokenizer.decode(ids.to_tensor()).numpy() == [b"<unk> </s>"]
