"""What the table tokenizers do to text before they look for pieces."""

import tensorflow as tf

# Exactly the characters for which Python's `str.isspace` is true, as an RE2 class.
_WHITESPACE = r"[\t-\r\x1c-\x20\x{85}\p{Z}]+"


def normalize(texts, lower=False):
    """Makes any bytes clean text: string `[batch]` -> string `[batch]`.

    Invalid UTF-8 and NUL become U+FFFD, runs of Unicode whitespace become one space, and both ends
    are stripped. Other control characters stay. `lower` lower-cases. There is no Unicode
    composition (NFC, NFKC), for core TensorFlow has no op for it: compose beforehand, or use
    SentencePiece, whose models carry NFKC.
    """
    texts = tf.convert_to_tensor(texts, tf.string)
    texts = tf.strings.unicode_transcode(texts, "UTF-8", "UTF-8", errors="replace")
    texts = tf.strings.regex_replace(texts, r"\x00", "\ufffd")  # Lower-casing would end at a NUL.
    if lower:
        texts = tf.strings.lower(texts, encoding="utf-8")
    return tf.strings.strip(tf.strings.regex_replace(texts, _WHITESPACE, " "))
