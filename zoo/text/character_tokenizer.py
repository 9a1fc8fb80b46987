import tensorflow as tf

from zoo.text.table_tokenizer import TableTokenizer


class CharacterTokenizer(TableTokenizer):
    """One piece for each Unicode character (code point).

    Whitespace is folded and stripped first, so the only blank piece is the space. Decoding joins
    the characters; an unknown one reads `<unk>`.
    """

    kind = "characters"

    @staticmethod
    def _split(texts):
        return tf.strings.unicode_split(texts, "UTF-8")

    @staticmethod
    def _join_pieces(pieces):
        return tf.strings.reduce_join(pieces, axis=-1)
