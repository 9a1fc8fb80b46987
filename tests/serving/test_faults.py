"""Whatever happens on disk, the version that is served goes on, and the status says what failed."""

import shutil
import signal
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import tensorflow as tf
from tensorflow.core.protobuf.saved_model_pb2 import SavedModel
from tensorflow_serving.apis.prediction_log_pb2 import PredictionLog

from serving.client import GrpcClient, RestClient
from serving.server import LocalServer
from tests.serving.server_process import start


@pytest.fixture
def running(folder):
    """Polled by the test alone, so that it knows when the server has looked."""
    with LocalServer(folder, rest_port=0, grpc_port=0, poll_seconds=1000) as server:
        yield server


def unfinished(version):
    (version / "saved_model.pb").unlink()


def lost_function(version):
    """The error about it quotes the whole library of functions."""
    path = version / "saved_model.pb"
    saved = SavedModel.FromString(path.read_bytes())
    for function in saved.meta_graphs[0].graph_def.library.function:
        if "traced_save" in function.signature.name:
            function.signature.name += "s"
    path.write_bytes(saved.SerializeToString())


def cut_variables(version):
    path = version / "variables" / "variables.data-00000-of-00001"
    path.write_bytes(path.read_bytes()[:-1])


def flip_variables(version):
    path = version / "variables" / "variables.data-00000-of-00001"
    path.write_bytes(bytes(255 - byte for byte in path.read_bytes()))


def no_variables(version):
    shutil.rmtree(version / "variables")


def no_end_of_links(version):
    path = version / "variables" / "variables.index"
    path.unlink()
    path.symlink_to("gone")


def write_warmup(version, signature, **inputs):
    log = PredictionLog()
    request = log.predict_log.request
    request.model_spec.signature_name = signature
    for alias, value in inputs.items():
        request.inputs[alias].CopyFrom(tf.make_tensor_proto(value))
    path = version / "assets.extra" / "tf_serving_warmup_requests"
    path.parent.mkdir()
    with tf.io.TFRecordWriter(str(path)) as writer:
        writer.write(log.SerializeToString())


def failing_warmup(version):
    write_warmup(version, "serving_default", none=["a"])


def cut_warmup(version):
    failing_warmup(version)
    path = version / "assets.extra" / "tf_serving_warmup_requests"
    path.write_bytes(path.read_bytes()[:-3])


def bad_batching(version):
    (version / "batching_params.pbtxt").write_text("max_batch_size: many")


FAULTS = [
    unfinished,
    lost_function,
    cut_variables,
    flip_variables,
    no_variables,
    no_end_of_links,
    failing_warmup,
    cut_warmup,
    bad_batching,
]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_a_version_that_does_not_load_leaves_the_old_one(folder, running, add_version, fault):
    rest, grpc = RestClient(port=running.rest_port), GrpcClient(port=running.grpc_port)
    add_version(2, "two ")
    fault(folder / "toy" / "2")
    began = time.monotonic()
    with ThreadPoolExecutor(2) as pool:
        poll = pool.submit(running.repository.poll)
        for client in (rest, grpc):  # during the attempt
            assert client.translate("toy", ["a"])["text"].tolist() == ["A"]
        poll.result()
    assert time.monotonic() - began < 30
    for client in (rest, grpc):  # and after it
        assert client.translate("toy", ["a"])["text"].tolist() == ["A"]
        newest, oldest = client.status("toy")
        assert (newest["state"], oldest["state"]) == ("END", "AVAILABLE")
        assert 1 < len(newest["status"]["error_message"]) < 1100


def test_a_version_deleted_while_it_answers(folder, running, add_version, gate):
    """The request ends as it began; the next ones get the version that is left."""
    client = GrpcClient(port=running.grpc_port)

    def ask(paths):
        from tensorflow_serving.apis.predict_pb2 import PredictRequest

        request = PredictRequest(model_spec={"name": "toy", "signature_name": "gated"})
        request.inputs["path"].CopyFrom(tf.make_tensor_proto(paths))
        return client._ask(client._predictions.Predict, request)

    add_version(2, "two ")
    running.repository.poll()
    with gate.holds(ask) as answer:
        shutil.rmtree(folder / "toy" / "2")
        running.repository.poll()
        assert client.translate("toy", ["a"])["text"].tolist() == ["A"]
    assert answer.result().model_spec.version.value == 2
    newest, oldest = client.status("toy")
    assert (newest["state"], oldest["state"]) == ("END", "AVAILABLE")


@pytest.mark.parametrize(
    "number", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.slow)]
)
def test_a_version_that_loads_for_ever_does_not_hold_a_server_that_stops(
    folder, add_version, gate, number
):
    process, *_ = start(folder, grace_seconds=1)
    add_version("loading")
    loading = folder / "toy" / "loading"
    write_warmup(loading, "gated", path=gate.paths)
    try:
        with gate.holds_for_ever(lambda _: loading.rename(folder / "toy" / "2")):
            process.send_signal(number)
            process.communicate(timeout=30)
        assert process.returncode == 0
    finally:
        process.kill()
