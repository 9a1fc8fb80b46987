"""A request's tensors held against the signature it names, before anything runs."""

from collections.abc import Mapping, Sequence

import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf.meta_graph_pb2 import SignatureDef, TensorInfo

from serving.server.status import invalid


def check_inputs(signature: SignatureDef, inputs: Mapping[str, np.ndarray], max_rows: int) -> None:
    """Raises INVALID_ARGUMENT that names the input at fault: its name, dtype, shape or rows."""
    _check_names(signature, inputs)
    for alias, array in inputs.items():
        _check_tensor(alias, signature.inputs[alias], array)
        for rows in array.shape[:1]:
            _check_rows(alias, rows, max_rows)


def check_output_filter(signature: SignatureDef, output_filter: Sequence[str]) -> None:
    for position, alias in enumerate(output_filter):
        if alias not in signature.outputs:
            raise invalid(
                f"output tensor alias not found in signature: {alias} Outputs expected to be in "
                f"the set {_names(signature.outputs)}."
            )
        if alias in output_filter[:position]:
            raise invalid(f"duplicate output tensor alias: {alias}")


def _check_names(signature: SignatureDef, inputs: Mapping[str, np.ndarray]) -> None:
    extra = inputs.keys() - signature.inputs.keys()
    missing = signature.inputs.keys() - inputs.keys() - signature.defaults.keys()
    if not extra and not missing:
        return
    if len(inputs) == len(signature.inputs):
        raise invalid(
            f"Signature input alias: {min(missing)} not found in request and no default value "
            f"provided. Request inputs: {_names(inputs)}, expected: {_names(signature.inputs)}"
        )
    raise invalid(
        f"input size does not match signature: {len(inputs)}!={len(signature.inputs)} "
        f"len({_names(inputs)}) != len({_names(signature.inputs)}). "
        f"Sent extra: {_names(extra)}. Missing but required: {_names(missing)}."
    )


def _check_tensor(alias: str, info: TensorInfo, array: np.ndarray) -> None:
    given, expected = tf.as_dtype(array.dtype), tf.as_dtype(info.dtype)
    if given != expected:
        raise invalid(f"input {alias} has type {given.name}, expected {expected.name}")
    shape = tf.TensorShape(info.tensor_shape)
    if not shape.is_compatible_with(array.shape):
        raise invalid(f"input {alias} has shape {list(array.shape)}, expected {shape}")


def _check_rows(alias: str, rows: int, max_rows: int) -> None:
    if rows > max_rows:
        raise invalid(
            f"input {alias} has {rows} rows; expected {max_rows} at most: send several requests"
        )


def _names(aliases) -> str:
    return "{" + ",".join(sorted(aliases)) + "}"
