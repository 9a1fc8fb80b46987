"""A request's tensors held against the signature it names, before anything runs."""

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf.meta_graph_pb2 import SignatureDef, TensorInfo

from serving.server.status import invalid


class Tensor(Protocol):
    """What is looked at: an array's, or what a message states before an array is made of it."""

    dtype: np.dtype | tf.DType
    shape: tuple[int, ...]


def check_inputs(signature: SignatureDef, inputs: Mapping[str, Tensor], max_rows: float) -> None:
    """Raises INVALID_ARGUMENT that names the input at fault: its name, dtype, shape or rows."""
    _check_names(signature, inputs)
    for alias, tensor in inputs.items():
        _check_tensor(alias, signature.inputs[alias], tensor)
        for rows in tensor.shape[:1]:
            check_rows(alias, rows, max_rows)


def check_rows(alias: str, rows: int, max_rows: float) -> None:
    """Raises INVALID_ARGUMENT for too many."""
    if rows > max_rows:
        raise invalid(
            f"input {alias} has {rows} rows; expected {max_rows} at most: send several requests"
        )


def check_output_filter(signature: SignatureDef, output_filter: Sequence[str]) -> None:
    for position, alias in enumerate(output_filter):
        if alias not in signature.outputs:
            raise invalid(
                f"output tensor alias not found in signature: {alias} Outputs expected to be in "
                f"the set {_names(signature.outputs)}."
            )
        if alias in output_filter[:position]:
            raise invalid(f"duplicate output tensor alias: {alias}")


def _check_names(signature: SignatureDef, inputs: Mapping[str, Tensor]) -> None:
    extra = inputs.keys() - signature.inputs.keys()
    missing = signature.inputs.keys() - inputs.keys() - signature.defaults.keys()
    if not extra and not missing:
        return
    if missing and len(inputs) == len(signature.inputs):
        raise invalid(
            f"Signature input alias: {min(missing)} not found in request and no default value "
            f"provided. Request inputs: {_names(inputs)}, expected: {_names(signature.inputs)}"
        )
    raise invalid(
        f"input size does not match signature: {len(inputs)}!={len(signature.inputs)} "
        f"len({_names(inputs)}) != len({_names(signature.inputs)}). "
        f"Sent extra: {_names(extra)}. Missing but required: {_names(missing)}."
    )


def _check_tensor(alias: str, info: TensorInfo, tensor: Tensor) -> None:
    given, expected = tf.as_dtype(tensor.dtype), tf.as_dtype(info.dtype)
    if given != expected:
        raise invalid(f"input {alias} has type {given.name}, expected {expected.name}")
    shape = tf.TensorShape(info.tensor_shape)
    if not shape.is_compatible_with(tensor.shape):
        raise invalid(f"input {alias} has shape {list(tensor.shape)}, expected {shape}")


def _names(aliases) -> str:
    return "{" + ",".join(sorted(aliases)) + "}"
