"""TensorFlow Serving's configuration messages that its Python package leaves out.

The fields are those of ``session_bundle_config.proto``, ``monitoring_config.proto`` and
``ssl_config.proto``; ``reserved`` fields of theirs are left out.
"""

from pathlib import Path

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, text_format
from google.protobuf.message import Message
from google.protobuf.wrappers_pb2 import Int64Value

_Field = descriptor_pb2.FieldDescriptorProto
_KINDS = {
    "bool": {"type": _Field.TYPE_BOOL},
    "string": {"type": _Field.TYPE_STRING},
    "repeated int64": {"type": _Field.TYPE_INT64, "label": _Field.LABEL_REPEATED},
}
_WRAPPERS = {"Int64Value", "StringValue", "BoolValue"}
_MESSAGES = {
    "BatchingParameters": {
        "max_batch_size": (1, "Int64Value"),
        "batch_timeout_micros": (2, "Int64Value"),
        "max_enqueued_batches": (3, "Int64Value"),
        "num_batch_threads": (4, "Int64Value"),
        "thread_pool_name": (5, "StringValue"),
        "allowed_batch_sizes": (6, "repeated int64"),
        "pad_variable_length_inputs": (7, "bool"),
        "enable_large_batch_splitting": (8, "BoolValue"),
        "max_execution_batch_size": (9, "Int64Value"),
    },
    "PrometheusConfig": {"enable": (1, "bool"), "path": (2, "string")},
    "MonitoringConfig": {"prometheus_config": (1, "PrometheusConfig")},
    "SSLConfig": {
        "server_key": (1, "string"),
        "server_cert": (2, "string"),
        "custom_ca": (3, "string"),
        "client_verify": (4, "bool"),
    },
}


def read_message(path: str | Path, kind: type[Message]) -> Message:
    """Reads a message from its text format.

    Raises:
        ValueError: In one line, what is wrong with the file.
    """
    try:
        return text_format.Parse(Path(path).read_text("utf-8"), kind())
    except (OSError, UnicodeDecodeError, text_format.ParseError) as error:
        raise ValueError(f"Cannot read {kind.DESCRIPTOR.name} from {path}: {error}") from error


def _classes() -> dict[str, type[Message]]:
    wrappers = Int64Value.DESCRIPTOR.file
    package = "tensorflow.serving"
    file = descriptor_pb2.FileDescriptorProto(
        name="config_messages.proto", package=package, syntax="proto3", dependency=[wrappers.name]
    )
    for message, fields in _MESSAGES.items():
        descriptor = file.message_type.add(name=message)
        for name, (number, kind) in fields.items():
            descriptor.field.add(name=name, number=number, **(_KINDS.get(kind) or _typed(kind)))
    pool = descriptor_pool.DescriptorPool()  # of our own: the package may add them one day
    pool.AddSerializedFile(wrappers.serialized_pb)
    pool.Add(file)
    classes = message_factory.GetMessageClassesForFiles([file.name], pool)
    return {name.removeprefix(f"{package}."): kind for name, kind in classes.items()}


def _typed(kind: str) -> dict:
    package = "google.protobuf" if kind in _WRAPPERS else "tensorflow.serving"
    return {"type": _Field.TYPE_MESSAGE, "type_name": f".{package}.{kind}"}


_CLASSES = _classes()
BatchingParameters = _CLASSES["BatchingParameters"]
MonitoringConfig = _CLASSES["MonitoringConfig"]
SSLConfig = _CLASSES["SSLConfig"]
