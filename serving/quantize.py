"""A model's weights in fewer bits, which its graph turns back into numbers when it is asked.

    int8:     W ~ s q,  s = max |W| / 127 for each output channel,  q = round(W / s)
    float16:  W ~ float16(W)

It is the matrices that are stored so: vectors and biases are small, and stay as they are. What is
computed stays float32: the SavedModel gets smaller, not faster.
"""

import keras
import numpy as np
import tensorflow as tf

KINDS = ("int8", "float16")


def stored_as(kind, variables):
    """A model's variables in fewer bits.

    Args:
        kind: "int8" or "float16".
        variables: Keras variables.

    Returns:
        A function that reads them, a tensor for each; and the `tf.Variable`s they are stored in.

    Raises:
        ValueError: for another kind, or weights that float16 does not hold.
    """
    if kind not in KINDS:
        raise ValueError(f"`quantize` must be one of {', '.join(KINDS)}; got {kind!r}")
    stored = [_STORE[kind](v) if _is_matrix(v) else (v.value,) for v in variables]

    def read():
        return tuple(map(_read, variables, stored))

    return read, [part for parts in stored for part in parts]


def _is_matrix(variable):
    is_bias = variable.path.endswith("bias")  # a GRU's has two rows
    return len(variable.shape) > 1 and "float" in variable.dtype and not is_bias


def _as_float16(variable):
    values = keras.ops.convert_to_numpy(variable)
    if np.abs(values).max() > np.finfo("float16").max:
        raise ValueError(f"{variable.path} is too large for float16; use int8")
    return (tf.Variable(values.astype("float16"), trainable=False),)


def _as_int8(variable):
    values = keras.ops.convert_to_numpy(variable).astype("float32")
    # Of an embedding, which may be the output matrix too, an output is a row.
    output = 0 if variable.path.endswith("embeddings") else values.ndim - 1
    others = tuple(axis for axis in range(values.ndim) if axis != output)
    scale = np.abs(values).max(axis=others, keepdims=True) / 127
    steps = np.rint(values / np.where(scale == 0, 1, scale)).astype("int8")
    return tf.Variable(steps, trainable=False), tf.Variable(scale, trainable=False)


_STORE = {"float16": _as_float16, "int8": _as_int8}


def _read(variable, stored):
    values = tf.cast(stored[0], variable.dtype)
    return values if len(stored) == 1 else values * stored[1]


def size_of(weights):
    """Megabytes that variables take."""
    return sum(weight.dtype.size * int(np.prod(weight.shape)) for weight in weights) / 1e6


def change_in_quality(before, after, texts, references=None, batch_size=32):
    """A line on how much the translations changed, and by BLEU where there are references.

    Args:
        before, after: `tf.function`s from texts to translations, as they were and as they are now.
        texts: what to translate.
        references: right translations.
    """
    old, new = (_translations(function, texts, batch_size) for function in (before, after))
    told = f"quality: {_same(old, new):.1f} % of {len(texts)} texts translated as before"
    if references is not None:
        import sacrebleu

        bleus = (sacrebleu.corpus_bleu(found, [references]).score for found in (old, new))
        exact = (_same(found, references) for found in (old, new))
        told += ", BLEU {:.2f} -> {:.2f}".format(*bleus)
        told += ", exact match {:.2f} -> {:.2f} %".format(*exact)
    return told


def _translations(function, texts, batch_size):
    batches = (texts[i : i + batch_size] for i in range(0, len(texts), batch_size))
    found = [function(tf.constant(batch))["text"].numpy() for batch in batches]
    return [text.decode() for text in np.concatenate(found)]


def _same(some, others):
    return 100 * sum(map(str.__eq__, some, others)) / len(some)
