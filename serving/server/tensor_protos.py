"""TensorProto <-> NumPy."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np
import tensorflow as tf
from tensorflow.core.framework.tensor_pb2 import TensorProto

from serving.server.json_values import MAX_RANK
from serving.server.status import invalid

MAX_FILLED = 2**20  # more values than a client sends by repeating one, less than hurts

# The typed fields, as TensorFlow Serving fills them. `tf.make_tensor_proto` packs
# `tensor_content` instead, where clients that read `outputs["score"].float_val` find nothing.
_FIELDS = {
    tf.float32: "float_val",
    tf.float64: "double_val",
    tf.int8: "int_val",
    tf.int16: "int_val",
    tf.int32: "int_val",
    tf.int64: "int64_val",
    tf.uint8: "int_val",
    tf.uint32: "uint32_val",
    tf.uint64: "uint64_val",
    tf.bool: "bool_val",
    tf.string: "string_val",
}


class Stated(NamedTuple):
    """What a message says of its tensor, which may be far larger than the message."""

    dtype: tf.DType
    shape: tuple[int, ...]


def to_proto(array: np.ndarray) -> TensorProto:
    dtype = tf.as_dtype(array.dtype)
    if dtype not in _FIELDS:
        return tf.make_tensor_proto(array)
    proto = TensorProto(
        dtype=dtype.as_datatype_enum, tensor_shape=tf.TensorShape(array.shape).as_proto()
    )
    getattr(proto, _FIELDS[dtype]).extend(array.ravel().tolist())
    return proto


def stated(alias: str, proto: TensorProto) -> Stated:
    """The dtype and shape of a request's tensor, of which nothing is built."""
    with _parsing(alias):
        return Stated(tf.as_dtype(proto.dtype), tuple(_checked_shape(proto)))


def from_proto(alias: str, proto: TensorProto) -> np.ndarray:
    """The tensor of a request; as in TensorFlow, its last value repeats until the shape is full."""
    with _parsing(alias):
        _checked_shape(proto)
        return np.asarray(tf.make_ndarray(proto))


@contextmanager
def _parsing(alias: str) -> Iterator[None]:
    try:
        yield
    except (TypeError, ValueError, KeyError, OverflowError) as error:
        raise invalid(f"tensor parsing error: {alias}: {error}") from error


def _checked_shape(proto: TensorProto) -> list[int]:
    sizes = [dim.size for dim in proto.tensor_shape.dim]
    if len(sizes) > MAX_RANK:
        raise ValueError(f"shape of {len(sizes)} dimensions; expected {MAX_RANK} at most")
    if min(sizes, default=0) < 0:
        raise ValueError(f"shape {sizes}; expected sizes of 0 or more")
    if math.prod(sizes) > max(MAX_FILLED, proto.ByteSize()):  # a value takes a byte or more
        raise ValueError(f"shape {sizes} is larger than the values sent; send each of them")
    return sizes
