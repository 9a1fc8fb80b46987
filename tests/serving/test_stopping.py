"""SIGTERM and ctrl-C: nothing more is accepted, what has begun is finished, the exit is 0."""

import asyncio
import signal
import socket
import threading
import time
from functools import partial

import pytest
import requests

from serving.client import GrpcClient, ServerError
from serving.ports import listen
from serving.server.http_server import rest_served
from tests.serving.server_process import start


def ask_rest(port, paths):
    body = {"signature_name": "gated", "inputs": {"path": paths}}
    url = f"http://127.0.0.1:{port}/v1/models/toy:predict"
    return requests.post(url, json=body, timeout=60).json()["outputs"]


def ask_grpc(port, paths):
    import tensorflow as tf
    from tensorflow_serving.apis.predict_pb2 import PredictRequest

    request = PredictRequest(model_spec={"name": "toy", "signature_name": "gated"})
    request.inputs["path"].CopyFrom(tf.make_tensor_proto(paths))
    client = GrpcClient(port=port)
    response = client._ask(client._predictions.Predict, request)
    return [path.decode() for path in response.outputs["path"].string_val]


def wait_until_closed(port):
    """Until nobody listens there any more."""
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=10).close()
        except ConnectionRefusedError:
            return
        except ConnectionResetError:  # it closed just then
            continue


@pytest.mark.parametrize(
    ("number", "protocol"), [(signal.SIGTERM, "rest"), (signal.SIGINT, "grpc")]
)
def test_a_request_in_flight_is_answered(folder, gate, number, protocol):
    process, rest_port, grpc_port = start(folder, grace_seconds=60)
    ask = partial(ask_rest, rest_port) if protocol == "rest" else partial(ask_grpc, grpc_port)
    with gate.holds(ask) as answer:
        process.send_signal(number)
        wait_until_closed(rest_port)
        wait_until_closed(grpc_port)
        assert process.poll() is None  # it waits for the request
    assert answer.result() == gate.paths
    process.communicate(timeout=30)
    assert process.returncode == 0


@pytest.mark.parametrize("protocol", ["rest", "grpc"])
def test_a_request_without_end_holds_it_no_longer_than_the_grace(folder, gate, protocol):
    process, rest_port, grpc_port = start(folder, grace_seconds=1)
    ask = partial(ask_rest, rest_port) if protocol == "rest" else partial(ask_grpc, grpc_port)
    with gate.holds_for_ever(ask) as answer:
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=30)
        assert process.returncode == 0
        assert "Requests cut off after 1 s: 1" in errors
        with pytest.raises((requests.RequestException, ServerError, KeyError)):
            answer.result()


def test_the_grace_begins_when_nothing_more_is_accepted():
    began, leave = threading.Event(), threading.Event()

    async def app(scope, receive, send):
        began.set()
        await asyncio.to_thread(leave.wait)

    with listen("127.0.0.1", 0) as listener, socket.socket() as client:
        with rest_served(app, listener, None, grace_seconds=2) as stop:
            client.connect(listener.getsockname())
            client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            began.wait()
            stop()
            time.sleep(2)  # as the other protocol may, which ends first
            left = time.monotonic()
        assert time.monotonic() - left < 1
        leave.set()
