"""The deployment files parse as what TensorFlow Serving and docker compose take."""

from pathlib import Path

import pytest
import yaml
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, text_format
from google.protobuf.wrappers_pb2 import Int64Value

import serving
from serving import model_config

DEPLOY = Path(serving.__file__).parent / "deploy"
Field = descriptor_pb2.FieldDescriptorProto


@pytest.fixture(scope="module")
def messages():
    """The two of TensorFlow Serving's messages that its Python package leaves out."""
    file = descriptor_pb2.FileDescriptorProto(
        name="deploy.proto", syntax="proto3", dependency=[Int64Value.DESCRIPTOR.file.name]
    )

    def add(message, number, name, kind, label=Field.LABEL_OPTIONAL, **type_name):
        message.field.add(name=name, number=number, type=kind, label=label, **type_name)

    batching = file.message_type.add(name="BatchingParameters")
    wrapped = "max_batch_size", "batch_timeout_micros", "max_enqueued_batches", "num_batch_threads"
    for number, name in enumerate(wrapped, start=1):
        add(batching, number, name, Field.TYPE_MESSAGE, type_name=".google.protobuf.Int64Value")
    add(batching, 6, "allowed_batch_sizes", Field.TYPE_INT64, label=Field.LABEL_REPEATED)
    prometheus = file.message_type.add(name="PrometheusConfig")
    add(prometheus, 1, "enable", Field.TYPE_BOOL)
    add(prometheus, 2, "path", Field.TYPE_STRING)
    monitoring = file.message_type.add(name="MonitoringConfig")
    add(monitoring, 1, "prometheus_config", Field.TYPE_MESSAGE, type_name=".PrometheusConfig")

    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(Int64Value.DESCRIPTOR.file.serialized_pb)
    pool.Add(file)
    return message_factory.GetMessageClassesForFiles(["deploy.proto"], pool)


def parse(name, message):
    return text_format.Parse((DEPLOY / name).read_text("utf-8"), message())


def test_models():
    (model,) = model_config.read(DEPLOY / "models.config").model_config_list.config
    assert model.base_path == f"/models/{model.name}"


def test_the_labels_commented_in_the_example_parse():
    text = (DEPLOY / "models.config").read_text("utf-8")
    for start in ("model_version_policy", "version_labels"):
        text = text.replace(f"# {start} {{", f"{start} {{")
    config = text_format.Parse(text, model_config.ModelServerConfig())
    (model,) = config.model_config_list.config
    assert dict(model.version_labels) == {"stable": 1, "canary": 2}
    assert set(model.model_version_policy.specific.versions) == {1, 2}


def test_batching(messages):
    batching = parse("batching.config", messages["BatchingParameters"])
    sizes = list(batching.allowed_batch_sizes)
    assert sizes == sorted(set(sizes))
    assert sizes[-1] == batching.max_batch_size.value
    assert batching.num_batch_threads.value >= 1
    assert batching.max_enqueued_batches.value > 0


def test_monitoring(messages):
    prometheus = parse("monitoring.config", messages["MonitoringConfig"]).prometheus_config
    assert prometheus.enable
    assert prometheus.path == "/monitoring/prometheus/metrics"


def test_compose():
    services = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))["services"]
    assert {name: service["image"] for name, service in services.items()} == {
        "cpu": "tensorflow/serving:latest",
        "gpu": "tensorflow/serving:latest-gpu",
    }
    for name, service in services.items():
        assert service["profiles"] == [name]
        assert all(port.startswith("127.0.0.1:") for port in service["ports"])
        for argument in service["command"]:
            _, _, path = argument.partition("=/config/")
            assert not path or (DEPLOY / path).is_file()
