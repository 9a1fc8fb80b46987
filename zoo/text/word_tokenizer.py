import tensorflow as tf

from zoo.text.normalization import normalize
from zoo.text.table_tokenizer import TableTokenizer
from zoo.text.vocabulary import SPECIAL_PIECES, UNKNOWN, is_text

# A run of letters, marks and digits, or any other single character; ▁ where a blank came before.
_PIECE = r"▁?(?:[\pL\pM\pN]+|[^\pL\pM\pN▁])"
_UNKNOWN_PIECE = SPECIAL_PIECES[UNKNOWN]


class WordTokenizer(TableTokenizer):
    """Words and punctuation, reversible: `L'homme est là.` -> `▁L ' homme ▁est ▁là .`

    As in SentencePiece, `▁` (U+2581) marks the pieces before which the text has a blank, so
    decoding gives back the text with its whitespace folded; a `▁` of the text itself is read as
    `_`. Letters are never parted, so scripts that write no blanks (Chinese, Japanese, Thai) come
    out as whole clauses: use SentencePiece or characters for them. An unknown piece reads `<unk>`
    and is set off as a word, whether or not it began one.
    """

    kind = "words"

    def pieces(self, texts):
        """The words of strings `[batch]` as they are, known or not: ragged `[batch, (length)]`."""
        return self._split(normalize(texts, self.lower))

    def decode_reading(self, ids, readings):
        """As `decode`, with UNKNOWN read as the piece in the same place of `readings`.

        A word is set off, whether or not its piece began one where it was read.

        Args:
            ids: int `[..., length]`.
            readings: strings `[..., length]`, "" for none.
        """
        known = self._pieces.lookup(ids)
        words = tf.strings.regex_replace(readings, r"^[\pL\pM\pN]", r"▁\0")
        pieces = tf.where((ids == UNKNOWN) & (readings != ""), words, known)
        leading, rows = tf.shape(ids)[:-1], [-1, tf.shape(ids)[-1]]
        ids, pieces = tf.reshape(ids, rows), tf.reshape(pieces, rows)
        texts = self._join_pieces(tf.ragged.boolean_mask(pieces, is_text(ids)))
        return tf.reshape(texts, leading)

    @staticmethod
    def _split(texts):
        texts = tf.strings.regex_replace(texts, "▁", "_")
        texts = tf.strings.regex_replace(texts, "(?:^| )(.)", r"▁\1")
        return tf.strings.split(tf.strings.regex_replace(texts, _PIECE, r"\0 "))

    @staticmethod
    def _join_pieces(pieces):
        values = pieces.flat_values
        values = tf.where(values == _UNKNOWN_PIECE, f"▁{_UNKNOWN_PIECE}", values)
        texts = tf.strings.reduce_join(pieces.with_flat_values(values), axis=-1)
        return tf.strings.strip(tf.strings.regex_replace(texts, "▁", " "))
