"""What is too much is refused, over both protocols, before it fills the memory."""

import http.client
import socket
import threading
import time

import grpc
import pytest
import requests
import tensorflow as tf
from tensorflow_serving.apis.predict_pb2 import PredictRequest
from tensorflow_serving.apis.prediction_service_pb2_grpc import PredictionServiceStub

from serving.client import GrpcClient, RestClient, ServerError
from serving.server import LocalServer, request_body
from serving.server.rpc import QUESTIONS
from serving.server_options import BOUNDS, ServerOptions

LIMIT = 100_000


@pytest.fixture(scope="module")
def small(saved_model):
    options = ServerOptions(max_pending=1, max_request_bytes=LIMIT, max_rows=40)
    with LocalServer(saved_model.parents[1], rest_port=0, grpc_port=0, options=options) as server:
        yield server


@pytest.fixture(scope="module")
def url(small):
    return f"http://127.0.0.1:{small.rest_port}/v1/models/toy"


def chunks(count):
    yield b'{"instances": ["'
    for _ in range(count):
        yield b"a" * 10_000
    yield b'"]}'


@pytest.mark.parametrize("body", [lambda n: b"".join(chunks(n)), chunks])
def test_a_large_body_is_413_in_one_piece_or_in_many(url, body):
    answer = requests.post(f"{url}:predict", data=body(20), timeout=30)
    assert answer.status_code == 413
    assert answer.json() == {"error": f"The request is larger than {LIMIT} bytes, the limit here"}
    assert requests.post(f"{url}:predict", data=body(9), timeout=30).status_code == 200


def test_a_body_announced_as_large_is_not_awaited(small):
    connection = http.client.HTTPConnection("127.0.0.1", small.rest_port, timeout=30)
    connection.putrequest("POST", "/v1/models/toy:predict")
    connection.putheader("Content-Length", str(10**12))
    connection.endheaders()
    assert connection.getresponse().status == 413
    connection.close()


def test_the_connection_is_good_for_the_next_request(url):
    with requests.Session() as session:
        for size, code in ((20, 413), (1, 200)):
            body = b"".join(chunks(size))
            assert session.post(f"{url}:predict", data=body, timeout=30).status_code == code


def test_a_large_message_is_resource_exhausted(small):
    request = PredictRequest(model_spec={"name": "toy"})
    request.inputs["text"].CopyFrom(tf.make_tensor_proto(["a" * 2 * LIMIT]))
    with (
        grpc.insecure_channel(f"127.0.0.1:{small.grpc_port}") as channel,
        pytest.raises(grpc.RpcError) as error,
    ):
        PredictionServiceStub(channel).Predict(request)
    assert error.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED


def test_more_rows_than_the_limit_are_invalid(small):
    for client in (RestClient(port=small.rest_port), GrpcClient(port=small.grpc_port)):
        assert client.translate("toy", ["a"] * 40)["text"].tolist() == ["A"] * 40
        with pytest.raises(ServerError, match="input text has 41 rows; expected 40 at most"):
            client.translate("toy", ["a"] * 41)


@pytest.mark.parametrize("form", ["instances", "inputs"])
def test_rows_are_counted_before_any_is_converted(url, form):
    answer = requests.post(f"{url}:predict", json={form: ["a"] * 40 + [1]}, timeout=30)
    assert answer.status_code == 400
    message = "input text has 41 rows; expected 40 at most: send several requests"
    assert answer.json() == {"error": message}


def test_a_shape_that_repeats_one_value_is_held_to_the_limit(small):
    """A few bytes that stand for a million texts."""
    request = PredictRequest(model_spec={"name": "toy"})
    request.inputs["text"].CopyFrom(tf.make_tensor_proto(["a"]))
    request.inputs["text"].tensor_shape.dim[0].size = 2**20
    with (
        grpc.insecure_channel(f"127.0.0.1:{small.grpc_port}") as channel,
        pytest.raises(grpc.RpcError, match="input text has 1048576 rows; expected 40 at most"),
    ):
        PredictionServiceStub(channel).Predict(request)


def test_a_request_too_many_is_refused_while_the_status_is_still_told(small, url, gate):
    def ask(paths):
        body = {"signature_name": "gated", "inputs": {"path": paths}}
        return requests.post(f"{url}:predict", json=body, timeout=60)

    message = "Busy with as many requests as allowed, 1; try later"
    with gate.holds(ask) as first:
        refused = ask(["/dev/null"])
        assert (refused.status_code, refused.json()) == (503, {"error": message})
        assert RestClient(port=small.rest_port).status("toy")[0]["state"] == "AVAILABLE"
        with pytest.raises(ServerError, match=f"^UNAVAILABLE: {message}"):
            GrpcClient(port=small.grpc_port).translate("toy", ["a"])
    assert first.result().status_code == 200
    assert small.pending.count == 0


def test_more_calls_than_the_limit_are_unavailable_and_questions_answered(small, gate):
    request = PredictRequest(model_spec={"name": "toy", "signature_name": "gated"})
    request.inputs["path"].CopyFrom(tf.make_tensor_proto(gate.paths))
    with grpc.insecure_channel(f"127.0.0.1:{small.grpc_port}") as channel:
        stub = PredictionServiceStub(channel)
        with gate.holds(lambda _: stub.Predict(request)) as first:
            with pytest.raises(grpc.RpcError) as error:
                stub.Predict(request)
            assert error.value.code() is grpc.StatusCode.UNAVAILABLE
            assert GrpcClient(port=small.grpc_port).status("toy")[0]["state"] == "AVAILABLE"
        assert len(first.result().outputs["path"].string_val) == 2


def test_a_client_that_leaves_in_the_middle_of_its_body_frees_its_place(small, url, capfd):
    connection = http.client.HTTPConnection("127.0.0.1", small.rest_port, timeout=30)
    connection.putrequest("POST", "/v1/models/toy:predict")
    connection.putheader("Content-Length", "100")
    connection.endheaders(b'{"instances"')
    connection.close()
    body = {"instances": ["a"]}
    while requests.post(f"{url}:predict", json=body, timeout=30).status_code == 503:
        pass  # the one place is still taken
    assert "Traceback" not in capfd.readouterr().err


@pytest.fixture
def impatient(saved_model, monkeypatch):
    """A server of its own, which waits for no request longer than this."""
    monkeypatch.setattr(request_body, "ARRIVAL_SECONDS", 1)
    options = ServerOptions(max_pending=1)
    with LocalServer(saved_model.parents[1], rest_port=0, grpc_port=0, options=options) as server:
        yield server


def test_a_body_that_does_not_come_frees_its_place(impatient):
    with socket.create_connection(("127.0.0.1", impatient.rest_port), timeout=30) as connection:
        head = b"POST /v1/models/toy:predict HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n"
        connection.sendall(head + b'{"instances"')
        answer = connection.makefile("rb").read()  # until the server closes
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert answer.endswith(b'{"error": "The request did not come within 1 s"}')
    assert impatient.pending.count == 0
    assert RestClient(port=impatient.rest_port).translate("toy", ["a"])["text"].tolist() == ["A"]


@pytest.fixture
def open_call(impatient):
    """Begins a call whose message comes with an event: the call, and the event."""
    request = PredictRequest(model_spec={"name": "toy"})
    request.inputs["text"].CopyFrom(tf.make_tensor_proto(["a"]))
    events = []

    def messages(event):
        event.wait()
        yield request.SerializeToString()

    def begin():
        events.append(threading.Event())
        return call.future(messages(events[-1]), timeout=60), events[-1]

    with grpc.insecure_channel(f"127.0.0.1:{impatient.grpc_port}") as channel:
        call = channel.stream_unary("/tensorflow.serving.PredictionService/Predict")
        yield begin
        for event in events:
            event.set()


def test_calls_without_a_message_end_and_never_stop_rest(impatient, open_call):
    calls = [open_call()[0] for _ in range(impatient.pending.limit + QUESTIONS)]  # all threads
    assert RestClient(port=impatient.rest_port).translate("toy", ["a"])["text"].tolist() == ["A"]
    for call in calls:
        assert call.exception(timeout=30).code() is grpc.StatusCode.CANCELLED
    client = GrpcClient(port=impatient.grpc_port)
    while True:
        try:
            assert client.translate("toy", ["a"])["text"].tolist() == ["A"]
            return
        except ServerError as error:  # the last thread is not free yet
            assert error.code == "RESOURCE_EXHAUSTED"


def test_a_call_that_is_late_takes_no_time_from_the_next(open_call):
    late, _ = open_call()
    time.sleep(0.5)
    call, event = open_call()
    assert late.exception().code() is grpc.StatusCode.CANCELLED
    event.set()
    assert call.exception() is None


def test_a_call_that_ends_without_a_message(small):
    with grpc.insecure_channel(f"127.0.0.1:{small.grpc_port}") as channel:
        call = channel.stream_unary("/tensorflow.serving.PredictionService/Predict")
        with pytest.raises(grpc.RpcError, match="The call has no message") as error:
            call(iter(()), timeout=30)
    assert error.value.code() is grpc.StatusCode.UNIMPLEMENTED


@pytest.mark.parametrize("name", BOUNDS)
def test_bounds_that_cannot_be(name):
    with pytest.raises(ValueError, match=f"--{name.replace('_', '-')} is . to .*; got -1"):
        ServerOptions(**{name: -1})
