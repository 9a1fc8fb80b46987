"""Requests that run together answer as they do alone; a full queue says so."""

from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import ExitStack

import numpy as np
import pytest
import requests
import tensorflow as tf

from serving.client import GrpcClient, RestClient, ServerError
from serving.server import LocalServer, batching
from serving.server.status import StatusError
from serving.server.versions import LoadedVersion
from serving.server_options import ServerOptions
from tests.serving.conftest import Gate

ONE_AT_A_TIME = """
max_batch_size { value: 2 } num_batch_threads { value: 1 } max_enqueued_batches { value: 1 }
allowed_batch_sizes: 2
"""


def texts(*values):
    return {"text": np.array(values, object)}


@pytest.fixture(scope="module")
def toy(saved_model):
    slow = batching.Batching(8, 20_000, 100, 2, allowed_batch_sizes=(4, 8))
    return LoadedVersion("toy", 1, saved_model, slow)


def test_rows_of_strings_are_batched_and_what_is_no_rows_is_not(toy):
    signatures = toy.signatures.signature_def
    assert batching.can_batch(signatures["align"])
    assert batching.can_batch(signatures["serving_default"])
    assert not batching.can_batch(signatures["arithmetic"])  # its count is one for all


@pytest.mark.parametrize(
    ("input_shape", "output_shape", "expected"),
    [
        ([None], [None, None], True),
        ([None, 3], [None], True),
        ([None, None], [None], False),  # rows of unknown lengths, which only padding would join
        ([], [None], False),
        ([None], [], False),
        ([None], [7], False),
        (None, [None], False),
    ],
)
def test_which_signatures_can_be_batched(input_shape, output_shape, expected):
    from tensorflow.core.protobuf.meta_graph_pb2 import SignatureDef, TensorInfo

    def info(shape):
        return TensorInfo(tensor_shape=tf.TensorShape(shape).as_proto())

    signature = SignatureDef(inputs={"a": info(input_shape)}, outputs={"b": info(output_shape)})
    assert batching.can_batch(signature) is expected


@pytest.mark.parametrize("signature", ["serving_default", "align"])
def test_many_at_once_get_what_each_gets_alone(saved_model, toy, signature):
    alone = LoadedVersion("toy", 1, saved_model)
    asked = [texts(*["a b " * (n % 4) + str(n)] * (n % 3 + 1)) for n in range(48)]
    with ThreadPoolExecutor(16) as pool:
        together = list(pool.map(lambda inputs: toy.predict(signature, inputs), asked))
    for inputs, outputs in zip(asked, together, strict=True):
        expected = alone.predict(signature, inputs)
        for name in ("text", "score", "raw_bytes"):
            if name in expected:
                np.testing.assert_array_equal(outputs[name], expected[name])
        if signature == "align":  # as wide as the longest of its batch, the rest empty
            width = expected["source_tokens"].shape[1]
            np.testing.assert_array_equal(
                outputs["source_tokens"][:, :width], expected["source_tokens"]
            )
            assert set(outputs["source_tokens"][:, width:].ravel()) <= {b""}


def test_requests_do_run_together(saved_model):
    """Only in one batch are both as wide as the wider."""
    batch_of_two = batching.Batching(2, 60_000_000, 100, 1, allowed_batch_sizes=(2,))
    loaded = LoadedVersion("toy", 1, saved_model, batch_of_two)
    with ThreadPoolExecutor(2) as pool:  # either waits for a minute for the other
        answers = list(pool.map(lambda t: loaded.predict("align", texts(t)), ["a", "a b c"]))
    assert [answer["source_tokens"].shape for answer in answers] == [(1, 3), (1, 3)]


@pytest.mark.parametrize("count", [0, 9])
def test_no_row_and_more_rows_than_a_batch_holds_run_alone(toy, count):
    answer = toy.predict("serving_default", texts(*["a"] * count))
    assert answer["text"].tolist() == [b"A"] * count


@pytest.mark.parametrize("parameters", [None, batching.Batching(1, 0, 10, batching.CORES)])
def test_as_many_run_alone_at_once_as_batches_do(saved_model, tmp_path, parameters):
    loaded = LoadedVersion("toy", 1, saved_model, parameters)
    with ThreadPoolExecutor(1) as pool:
        with ExitStack() as gates:
            for number in range(batching.CORES):
                (folder := tmp_path / str(number)).mkdir()
                gate = Gate(folder)
                gates.enter_context(
                    gate.holds(
                        lambda paths: loaded.predict("gated", {"path": texts(*paths)["text"]})
                    )
                )
            waiting = pool.submit(loaded.predict, "serving_default", texts("a", "b"))
            with pytest.raises(TimeoutError):
                waiting.result(timeout=0.5)
        assert waiting.result()["text"].tolist() == [b"A", b"B"]


def test_a_bad_request_spoils_no_other(saved_model):
    batch_of_two = batching.Batching(2, 60_000_000, 100, 1, allowed_batch_sizes=(2,))
    loaded = LoadedVersion("toy", 1, saved_model, batch_of_two)
    with ThreadPoolExecutor(2) as pool:
        bad, good = (pool.submit(loaded.predict, "number", texts(t)) for t in ("bad", "1.5"))
    assert good.result()["number"].tolist() == [1.5]
    with pytest.raises(StatusError, match=r"^StringToNumberOp could not .* string: bad"):
        bad.result()


@pytest.fixture
def tight(folder, tmp_path):
    """A server of one thread and one batch of two rows in its queue."""
    path = tmp_path / "batching_params.pbtxt"
    path.write_text(ONE_AT_A_TIME)
    options = ServerOptions(batching_parameters_file=path)
    with LocalServer(folder, rest_port=0, grpc_port=0, options=options) as server:
        yield server


def test_a_full_queue_is_503_and_unavailable(tight, gate):
    url = f"http://127.0.0.1:{tight.rest_port}/v1/models/toy:predict"
    client = GrpcClient(port=tight.grpc_port)

    def ask(paths):
        body = {"signature_name": "gated", "inputs": {"path": paths}}
        return requests.post(url, json=body, timeout=60)

    with ThreadPoolExecutor(8) as pool, gate.holds(ask):  # the one batch thread is busy
        rest = [pool.submit(ask, ["/dev/null"] * 2) for _ in range(8)]
        next(as_completed(rest))  # until the gate opens nothing is answered but refusals
    answers = [future.result() for future in rest]
    assert {answer.status_code for answer in answers} == {200, 503}
    refused = next(answer for answer in answers if answer.status_code == 503)
    message = "The batch scheduling queue to which this task was submitted is full"
    assert refused.json()["error"].startswith(message)
    assert client.translate("toy", ["a"])["text"].tolist() == ["A"]  # and it goes on


def test_a_version_with_parameters_of_its_own(folder, add_version):
    with LocalServer(folder, rest_port=0, grpc_port=0, poll_seconds=1000) as server:
        add_version(2)
        (folder / "toy" / "2" / batching.VERSION_FILE).write_text("max_batch_size { value: 0 }")
        server.repository.poll()
        newest, oldest = RestClient(port=server.rest_port).status("toy")
    assert newest["state"] == "END"
    assert "max_batch_size is at least 1; got 0" in newest["status"]["error_message"]
    assert oldest["state"] == "AVAILABLE"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("max_batch_size: 3", "Cannot read BatchingParameters from"),
        ("nonsense {", "Cannot read BatchingParameters from"),
        ("num_batch_threads { value: 0 }", "num_batch_threads is at least 1; got 0"),
        ("batch_timeout_micros { value: -1 }", "batch_timeout_micros is 0 or more; got -1"),
        ("allowed_batch_sizes: 2", "last entry was 2; expected 1000"),
        ("allowed_batch_sizes: 2 allowed_batch_sizes: 1", "must be positive and increase"),
    ],
)
def test_bad_parameters_are_one_line(tmp_path, text, message):
    path = tmp_path / "batching.config"
    path.write_text(text)
    with pytest.raises(ValueError, match=message) as error:
        batching.read(path)
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)


def test_the_example_is_the_default():
    default = batching.read()
    assert default.allowed_batch_sizes[-1] == default.max_batch_size


def test_what_a_file_leaves_out_is_tensorflow_servings(tmp_path):
    path = tmp_path / "batching.config"
    path.write_text("batch_timeout_micros { value: 5 }")
    read = batching.read(path)
    assert (read.max_batch_size, read.batch_timeout_micros, read.max_enqueued_batches) == (
        1000,
        5,
        10,
    )


def test_batching_off_and_a_file_for_it():
    with pytest.raises(ValueError, match="leave one out"):
        ServerOptions(batching=False, batching_parameters_file="x")


def test_grpc_has_the_same_code(tight, gate):
    grpc = GrpcClient(port=tight.grpc_port)

    def ask(paths):
        from tensorflow_serving.apis.predict_pb2 import PredictRequest

        request = PredictRequest()
        request.model_spec.name, request.model_spec.signature_name = "toy", "gated"
        request.inputs["path"].CopyFrom(tf.make_tensor_proto(paths))
        try:
            grpc._ask(grpc._predictions.Predict, request)
        except ServerError as error:
            return error.code
        return "OK"

    with ThreadPoolExecutor(3) as pool, gate.holds(ask) as running:
        others = [pool.submit(ask, ["/dev/null"] * 2) for _ in range(3)]
        next(as_completed(others))  # one fits into the queue, two are refused
    assert running.result() == "OK"
    assert "UNAVAILABLE" in {other.result() for other in others}
