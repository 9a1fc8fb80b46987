"""Whatever happens on disk, the version that is served goes on, and the status says what failed."""

import shutil
from concurrent.futures import ThreadPoolExecutor

import pytest
import tensorflow as tf
from tensorflow_serving.apis.prediction_log_pb2 import PredictionLog

from serving.client import GrpcClient, RestClient
from serving.server import LocalServer


@pytest.fixture
def running(folder):
    """Polled by the test alone, so that it knows when the server has looked."""
    with LocalServer(folder, rest_port=0, grpc_port=0, poll_seconds=1000) as server:
        yield server


def unfinished(version):
    (version / "saved_model.pb").unlink()


def cut_variables(version):
    path = version / "variables" / "variables.data-00000-of-00001"
    path.write_bytes(path.read_bytes()[:-1])


def flip_variables(version):
    path = version / "variables" / "variables.data-00000-of-00001"
    path.write_bytes(bytes(255 - byte for byte in path.read_bytes()))


def no_variables(version):
    shutil.rmtree(version / "variables")


def failing_warmup(version):
    log = PredictionLog()
    log.predict_log.request.inputs["none"].CopyFrom(tf.make_tensor_proto(["a"]))
    path = version / "assets.extra" / "tf_serving_warmup_requests"
    path.parent.mkdir()
    with tf.io.TFRecordWriter(str(path)) as writer:
        writer.write(log.SerializeToString())


def cut_warmup(version):
    failing_warmup(version)
    path = version / "assets.extra" / "tf_serving_warmup_requests"
    path.write_bytes(path.read_bytes()[:-3])


def bad_batching(version):
    (version / "batching_params.pbtxt").write_text("max_batch_size: many")


FAULTS = [
    unfinished,
    cut_variables,
    flip_variables,
    no_variables,
    failing_warmup,
    cut_warmup,
    bad_batching,
]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_a_version_that_does_not_load_leaves_the_old_one(folder, running, add_version, fault):
    rest, grpc = RestClient(port=running.rest_port), GrpcClient(port=running.grpc_port)
    add_version(2, "two ")
    fault(folder / "toy" / "2")
    with ThreadPoolExecutor(2) as pool:
        poll = pool.submit(running.repository.poll)
        for client in (rest, grpc):  # during the attempt
            assert client.translate("toy", ["a"])["text"].tolist() == ["A"]
        poll.result()
    for client in (rest, grpc):  # and after it
        assert client.translate("toy", ["a"])["text"].tolist() == ["A"]
        newest, oldest = client.status("toy")
        assert (newest["state"], oldest["state"]) == ("END", "AVAILABLE")
        assert newest["status"]["error_message"]


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
