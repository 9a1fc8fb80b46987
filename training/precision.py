"""In which precision a model computes. Its weights are float32 in all of them."""

import contextlib

import keras


@contextlib.contextmanager
def computing_in(precision):
    """Models made in this block compute so; their files, and what is exported, do not.

    Args:
        precision: "float32", "mixed_float16" or "mixed_bfloat16".

    Reference:
        Micikevicius et al. 2018, "Mixed Precision Training", section 3.1.
    """
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(precision)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)
