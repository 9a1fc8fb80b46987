"""The deployment files parse as what TensorFlow Serving and docker compose take."""

from pathlib import Path

import tensorflow as tf
import yaml
from google.protobuf import text_format

import serving
from serving import model_config
from serving.config_messages import BatchingParameters, MonitoringConfig
from serving.serve import binary_command
from serving.server_options import ServerOptions

DEPLOY = Path(serving.__file__).parent / "deploy"
CONFIG = DEPLOY / "config"


def parse(name, message):
    return text_format.Parse((CONFIG / name).read_text("utf-8"), message())


def test_models():
    (model,) = model_config.read(CONFIG / "models.config").model_config_list.config
    assert model.base_path == f"/models/{model.name}"


def test_the_labels_commented_in_the_example_parse():
    text = (CONFIG / "models.config").read_text("utf-8")
    for start in ("model_version_policy", "version_labels"):
        text = text.replace(f"# {start} {{", f"{start} {{")
    config = text_format.Parse(text, model_config.ModelServerConfig())
    (model,) = config.model_config_list.config
    assert dict(model.version_labels) == {"stable": 1, "canary": 2}
    assert set(model.model_version_policy.specific.versions) == {1, 2}


def test_batching():
    batching = parse("batching.config", BatchingParameters)
    sizes = list(batching.allowed_batch_sizes)
    assert sizes == sorted(set(sizes))
    assert batching.enable_large_batch_splitting.value
    assert sizes[-1] == batching.max_execution_batch_size.value <= batching.max_batch_size.value
    assert not batching.HasField("num_batch_threads")  # as many as cores
    assert batching.max_enqueued_batches.value > 0


def test_monitoring():
    prometheus = parse("monitoring.config", MonitoringConfig).prometheus_config
    assert prometheus.enable
    assert prometheus.path == "/monitoring/prometheus/metrics"


def test_session():
    session = parse("session.config", tf.compat.v1.ConfigProto)
    assert session.allow_soft_placement
    assert session.intra_op_parallelism_threads == 1


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
            assert not path or (CONFIG / path).is_file()


def test_the_server_of_the_path_gets_flags_that_it_has():
    options = ServerOptions(batching_parameters_file="b", ssl_config_file="s")
    lines = Path(__file__).with_name("tensorflow_serving_flags.txt").read_text().splitlines()
    for flag in binary_command(Path("models.config"), 8501, 8500, options)[1:]:
        assert flag.removeprefix("--").partition("=")[0] in lines
