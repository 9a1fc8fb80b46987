"""One JSON value -> one dense tensor of a given dtype."""

import base64
import json
import sys
from typing import Any

import numpy as np
import tensorflow as tf
from grpc import StatusCode
from tensorflow.core.framework import types_pb2

from serving.server.status import StatusError, invalid

MAX_RANK = 16  # more than any model takes, less than NumPy can hold


def convert(value: Any, data_type: int) -> np.ndarray:
    """Nested lists of equal lengths -> an array; anything ragged or of another type raises.

    Goes level by level, not by recursion: a request chooses how deep its lists are nested.
    """
    shape, leaves = _shape(value), [value]
    if len(shape) > MAX_RANK:
        raise invalid(f"JSON Value: lists nested {len(shape)} deep; expected {MAX_RANK} at most")
    for level, size in enumerate(shape):
        for leaf in leaves:
            _check_list(leaf, level, size, len(shape))
        leaves = [item for leaf in leaves for item in leaf]
    for leaf in leaves:
        if isinstance(leaf, list):
            raise invalid(f"Encountered list at unexpected level: {len(shape)}")
    dtype = tf.as_dtype(data_type).as_numpy_dtype
    with np.errstate(over="ignore"):  # 1e300 as a float32 is infinity
        array = np.array([_scalar(leaf, data_type) for leaf in leaves], dtype=dtype)
    return array.reshape(shape)


def show(value: Any) -> str:
    """A value as an error quotes it: cut, and in ASCII, whatever it holds."""
    try:
        text = json.dumps(value)
    except RecursionError:
        text = "(too deeply nested to show)"
    return text if len(text) <= 256 else text[:256] + "..."


def _shape(value: Any) -> list[int]:
    shape = []
    while isinstance(value, list):
        shape.append(len(value))
        value = value[0] if value else None
    return shape


def _check_list(value: Any, level: int, size: int, rank: int) -> None:
    if not isinstance(value, list):
        raise invalid(
            f"JSON Value: {show(value)} found at incorrect level: {level + 1} in the JSON DOM. "
            f"Expected at level: {rank}"
        )
    if len(value) != size:
        raise invalid(
            f"Encountered list at unexpected size: {len(value)} at level: {level} "
            f"expected size: {size}"
        )


def _scalar(value: Any, data_type: int) -> Any:
    dtype = tf.as_dtype(data_type)
    if dtype == tf.string and isinstance(value, str):
        return _encode(value)
    if dtype == tf.string and isinstance(value, dict):
        return _decode_base64(value)
    if dtype == tf.bool and isinstance(value, bool):
        return value
    if dtype in (tf.float32, tf.float64) and _is_float(value):
        return float(value)
    if dtype.is_integer and type(value) is int and dtype.min <= value <= dtype.max:
        return value
    name = types_pb2.DataType.Name(data_type).removeprefix("DT_").lower()
    if dtype in (tf.float16, tf.bfloat16):
        message = f"Conversion of JSON Value: {show(value)} to type: {name}"
        raise StatusError(StatusCode.UNIMPLEMENTED, message)
    raise invalid(
        f"JSON Value: {show(value)} Type: {_json_type(value)} is not of expected type: {name}"
    )


def _is_float(value: Any) -> bool:
    """A whole number may be too large for one."""
    largest = sys.float_info.max
    return type(value) is float or (type(value) is int and -largest <= value <= largest)


def _encode(text: str) -> bytes:
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError as error:
        raise invalid(f"JSON Value: {show(text)} holds half of a surrogate pair") from error


def _decode_base64(value: dict) -> bytes:
    text = value.get("b64")
    if len(value) != 1 or not isinstance(text, str):
        raise invalid(f"JSON Value: {show(value)} not formatted correctly for base64 data")
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except ValueError as error:
        raise invalid("Unable to base64 decode") from error


def _json_type(value: Any) -> str:
    names = {type(None): "Null", dict: "Object", list: "Array", str: "String"}
    return str(value) if isinstance(value, bool) else names.get(type(value), "Number")
