"""Requests that arrive together run together, in TensorFlow's own batching op.

The parameters are TensorFlow Serving's, in its text format: one file for the server, and one for
each version that wants its own, ``<version>/batching_params.pbtxt``.

A request runs alone where joining it to others could change its answer: through a signature whose
tensors are not all rows (`can_batch`), with no row or more than `max_batch_size`, or after a batch
failed, whichever request of it was at fault. Inputs are never padded to a common length, so
``pad_variable_length_inputs`` changes nothing here: with inputs of unknown length, requests run
alone. As many requests run alone at once as batches do, and the others wait.
"""

import os
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tensorflow as tf
from grpc import StatusCode
from tensorflow.core.protobuf.meta_graph_pb2 import SignatureDef, TensorInfo

from serving.config_messages import BatchingParameters, read_message
from serving.server.status import StatusError, invalid

VERSION_FILE = "batching_params.pbtxt"
DEFAULTS = Path(__file__).parents[1] / "deploy" / "config" / "batching.config"
Arrays = dict[str, np.ndarray]
Call = Callable[[Arrays], Arrays]
# As TensorFlow Serving counts them: those that the process may run on, of what the machine has.
CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
_QUEUE_IS_FULL = re.compile("The batch scheduling queue .* is full.*")


@dataclass(frozen=True)
class Batching:
    """How to form batches; what a file leaves out is as TensorFlow Serving has it.

    Attributes:
        max_batch_size: The most rows of a batch.
        batch_timeout_micros: How long a batch waits for more rows.
        max_enqueued_batches: The length of the queue, beyond which requests are refused.
        num_batch_threads: How many batches run at once.
        allowed_batch_sizes: The sizes that batches are filled up to; none: any.
    """

    max_batch_size: int = 1000
    batch_timeout_micros: int = 0
    max_enqueued_batches: int = 10
    num_batch_threads: int = CORES
    allowed_batch_sizes: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        for name in ("max_batch_size", "max_enqueued_batches", "num_batch_threads"):
            if not 1 <= getattr(self, name) < 2**31:
                raise ValueError(f"{name} is at least 1; got {getattr(self, name)}")
        if not 0 <= self.batch_timeout_micros < 2**31:
            raise ValueError(f"batch_timeout_micros is 0 or more; got {self.batch_timeout_micros}")
        sizes = self.allowed_batch_sizes
        if list(sizes) != sorted(set(sizes)) or any(size < 1 for size in sizes):
            raise ValueError(f"allowed_batch_sizes must be positive and increase; got {sizes}")
        if sizes and sizes[-1] != self.max_batch_size:
            raise ValueError(
                "Last entry in allowed_batch_sizes must match max_batch_size; last entry was "
                f"{sizes[-1]}; expected {self.max_batch_size}"
            )


def read(path: str | Path = DEFAULTS) -> Batching:
    """Reads a file of `BatchingParameters`.

    Raises:
        ValueError: In one line, what is wrong with it.
    """
    message = read_message(path, BatchingParameters)
    names = [name for name in Batching.__dataclass_fields__ if name != "allowed_batch_sizes"]
    given = {name: getattr(message, name).value for name in names if message.HasField(name)}
    if message.enable_large_batch_splitting.value and message.HasField("max_execution_batch_size"):
        given["max_batch_size"] = message.max_execution_batch_size.value
    try:
        return Batching(allowed_batch_sizes=tuple(message.allowed_batch_sizes), **given)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def of_version(folder: Path, default: Batching | None) -> Batching | None:
    """The version's own parameters, if it brings any; `None` for a server that does not batch."""
    path = folder / VERSION_FILE
    if not default or not path.exists():
        return default
    try:
        return read(path)
    except ValueError as error:
        raise invalid(str(error)) from error


def can_batch(signature: SignatureDef) -> bool:
    """Whether all tensors are rows along the first axis, and the rows of an input all alike."""
    inputs, outputs = signature.inputs.values(), signature.outputs.values()
    return bool(inputs) and all(map(_is_rows, [*inputs, *outputs])) and all(map(_is_even, inputs))


def batched(alone: Call, together: Call, batching: Batching) -> Call:
    """A signature for requests from several threads, which run together where they can.

    Args:
        alone: The signature: arrays by name in, arrays by name out.
        together: The same through a queue in which calls form batches.
        batching: How they do.
    """

    def call(arrays: Arrays) -> Arrays:
        sizes = {len(array) for array in arrays.values()}
        if len(sizes) > 1 or not 1 <= max(sizes) <= batching.max_batch_size:
            return alone(arrays)
        try:
            return together(arrays)
        except tf.errors.OpError as error:
            if full := _QUEUE_IS_FULL.search(error.message):
                raise StatusError(StatusCode.UNAVAILABLE, full[0]) from error
            return alone(arrays)  # the fault may be another's in the batch

    return call


def limited(call: Call, places: threading.BoundedSemaphore) -> Call:
    """The same, of which as many run at once as there are places; the others wait."""

    def run(arrays: Arrays) -> Arrays:
        with places:
            return call(arrays)

    return run


def _is_rows(info: TensorInfo) -> bool:
    shape = info.tensor_shape
    return not shape.unknown_rank and len(shape.dim) >= 1 and shape.dim[0].size == -1


def _is_even(info: TensorInfo) -> bool:
    return all(dim.size >= 0 for dim in info.tensor_shape.dim[1:])
