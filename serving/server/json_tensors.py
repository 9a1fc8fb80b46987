"""JSON <-> tensors, by the rules of TensorFlow Serving's REST API.

Rows: ``{"instances": [...]}`` -> ``{"predictions": [...]}``, a value or an object of all inputs
for each example. Columns: ``{"inputs": ...}`` -> ``{"outputs": ...}``, a whole tensor for each
name. Bytes travel as ``{"b64": "..."}``.
"""

import base64
import json
from collections.abc import Mapping

import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf.meta_graph_pb2 import TensorInfo

from serving.server.json_values import convert, show
from serving.server.signatures import check_rows
from serving.server.status import StatusError, invalid


def parse(body: bytes) -> dict:
    """The request's object. Like rapidjson there: takes NaN, stops at the end of the object.

    Bytes that are no UTF-8 pass through to the model as they came, as surrogate escapes.
    """
    text = body.decode("utf-8", "surrogateescape").lstrip(" \t\r\n")
    if not text:
        raise invalid("JSON Parse error: The document is empty")
    try:
        document, _ = json.JSONDecoder().raw_decode(text)
    except json.JSONDecodeError as error:
        raise invalid(f"JSON Parse error: {error.msg} at offset: {error.pos}") from error
    except (RecursionError, ValueError) as error:  # nested, or a number, beyond Python's limits
        raise invalid(f"JSON Parse error: {error}") from error
    if not isinstance(document, dict):
        raise invalid(f"JSON Value: {show(document)} Is not object")
    return document


def read_inputs(
    document: dict, infos: Mapping[str, TensorInfo], max_rows: int
) -> dict[str, np.ndarray]:
    """The tensors of a request, for the inputs of its signature."""
    if not infos:
        raise invalid("The signature has no inputs")
    if "instances" in document and "inputs" in document:
        raise invalid(
            f"JSON Value: {show(document)} Not formatted correctly expecting only one of "
            "'inputs' or 'instances' keys to exist "
        )
    if "instances" in document:
        return _read_rows(document["instances"], infos, max_rows)
    if "inputs" in document:
        return _read_columns(document["inputs"], infos, max_rows)
    raise invalid("Missing 'inputs' or 'instances' key")


def write_outputs(outputs: Mapping[str, np.ndarray], *, rows: bool) -> dict:
    """The response's object, in the form that the request had."""
    columns = {name: _write(name, array) for name, array in outputs.items()}
    if not rows:
        return {"outputs": columns if len(columns) > 1 else next(iter(columns.values()))}
    sizes = {}
    for name, array in outputs.items():
        if array.ndim == 0:
            raise invalid(f"Tensor name: {name} has no shape information ")
        sizes[name] = len(array)
    if len(set(sizes.values())) > 1:
        raise invalid(f"Tensors have inconsistent batch sizes: {sizes}")
    if len(columns) == 1:
        return {"predictions": next(iter(columns.values()))}
    rows_of_values = zip(*columns.values(), strict=True)
    return {"predictions": [dict(zip(columns, row, strict=True)) for row in rows_of_values]}


def _read_rows(
    instances: object, infos: Mapping[str, TensorInfo], max_rows: int
) -> dict[str, np.ndarray]:
    if not isinstance(instances, list):
        raise invalid(f"JSON Value: {show(instances)} Expecting 'instances' to be an list/array")
    if not instances:
        raise invalid("JSON Value: [] No values in 'instances' array")
    check_rows(next(iter(infos)), len(instances), max_rows)  # converting them takes long
    named = _is_named(instances[0])
    if not named and len(infos) > 1:
        raise invalid(
            "instances is a plain list, but expecting list of objects as multiple input tensors "
            "required as per tensorinfo_map"
        )
    columns: dict[str, list[np.ndarray]] = {name: [] for name in infos}
    for position, element in enumerate(instances):
        if _is_named(element) != named:
            kind, other = ("object", "list") if named else ("value/list", "object")
            raise invalid(f"Expecting {kind} but got {other} at item {position} of input list")
        _read_row(element if named else {next(iter(infos)): element}, position, infos, columns)
    return {name: np.stack(arrays) for name, arrays in columns.items()}


def _read_row(
    row: dict, position: int, infos: Mapping[str, TensorInfo], columns: dict[str, list[np.ndarray]]
) -> None:
    for name, value in row.items():
        try:
            if name not in infos:
                raise invalid(f"JSON object: does not have named input: {name}")
            array = convert(value, infos[name].dtype)
            shape = columns[name][0].shape if columns[name] else array.shape
            if array.shape != shape:
                raise invalid(f"Expecting shape {list(shape)} but got: {list(array.shape)}")
        except StatusError as error:
            raise invalid(
                f"Failed to process element: {position} key: {name} of 'instances' list. "
                f"Error: {error.code.name}: {error.message}"
            ) from error
        columns[name].append(array)
    if row.keys() != infos.keys():
        raise invalid(
            f"Failed to process element: {position} of 'instances' list. JSON object: "
            f"{show(row)} keys must be equal to: {','.join(sorted(infos))}"
        )


def _read_columns(
    value: object, infos: Mapping[str, TensorInfo], max_rows: int
) -> dict[str, np.ndarray]:
    if not _is_named(value):
        if len(infos) > 1:
            raise invalid(
                "inputs is a plain value/list, but expecting an object as multiple input tensors "
                "required as per tensorinfo_map"
            )
        value = {next(iter(infos)): value}
    for name in infos:
        if name not in value:
            raise invalid(f"Missing named input: {name} in 'inputs' object.")
        if isinstance(value[name], list):
            check_rows(name, len(value[name]), max_rows)
    return {name: convert(value[name], info.dtype) for name, info in infos.items()}


def _is_named(value: object) -> bool:
    """An object of inputs by name; not a value that is itself an object, base64."""
    return isinstance(value, dict) and not (
        value.keys() == {"b64"} and isinstance(value["b64"], str)
    )


def _write(name: str, array: np.ndarray):
    dtype = tf.as_dtype(array.dtype)
    if dtype == tf.string:
        write = _base64 if name.endswith("_bytes") else _text
        return np.asarray(np.frompyfunc(write, 1, 1)(array), dtype=object).tolist()
    if dtype == tf.float32:  # the shortest decimal that reads back as the same float32
        return array.astype(str).astype(float).tolist()
    if dtype != tf.bool and dtype != tf.float64 and not dtype.is_integer:
        raise invalid(f"Failed to write JSON value for tensor type: {dtype.name}")
    return array.tolist()


def _base64(value: bytes) -> dict[str, str]:
    return {"b64": base64.b64encode(value).decode("ascii")}


def _text(value: bytes) -> str:
    return value.decode("utf-8", "replace")
