"""Compiling a step with XLA: where it is done, and what is said where it can't be."""

import contextlib

import keras


def jit(recipe):
    """Whether a recipe's steps are compiled: always on JAX, where others are many times slower."""
    return recipe.jit or keras.backend.backend() == "jax"


def op_by_op(recipe):
    """Whether a recipe's steps are computed by TensorFlow's own kernels on a CPU."""
    return (
        keras.backend.backend() == "tensorflow"
        and not jit(recipe)
        and keras.distribution.list_devices()[0].startswith("cpu")
    )


@contextlib.contextmanager
def compilable(recipe):
    """One line in place of XLA's pages about a step that TensorFlow can't compile with it."""
    try:
        yield
    except Exception as error:
        # By name: TensorFlow need not be here.
        if recipe.jit and type(error).__name__ in ("InvalidArgumentError", "UnimplementedError"):
            raise ValueError(
                f"XLA can't compile a step of {recipe.preset} here; train it without --jit"
            ) from error
        raise
