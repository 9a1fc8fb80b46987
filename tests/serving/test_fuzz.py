"""Whatever is sent, the server answers it or says what is wrong with it, and goes on."""

import http.client
import json
import shutil
import socket
import tempfile
from types import SimpleNamespace

import grpc
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tensorflow_serving.apis.predict_pb2 import PredictRequest, PredictResponse

import zoo
from serving.export import export
from tests.serving import fuzz
from tests.serving.server_process import start

BLOCK = 100  # after so many requests, one that is known to be good
REFUSALS = {400, 404, 413, 501}
REFUSED = {
    grpc.StatusCode.INVALID_ARGUMENT,
    grpc.StatusCode.NOT_FOUND,
    grpc.StatusCode.FAILED_PRECONDITION,
    grpc.StatusCode.RESOURCE_EXHAUSTED,
    grpc.StatusCode.UNIMPLEMENTED,
}


class Target:
    """A server under test, and what its model says in this process: `[(text, score)]`."""

    def __init__(self, model, rest_port, grpc_port, expected):
        self.model, self.expected, self.rest_port = model, expected, rest_port
        self._http = http.client.HTTPConnection("127.0.0.1", rest_port, timeout=60)
        unbounded = [("grpc.max_receive_message_length", -1)]
        self._channel = grpc.insecure_channel(f"127.0.0.1:{grpc_port}", options=unbounded)

    def post(self, body):
        self._http.request("POST", f"/v1/models/{self.model}:predict", body)
        answer = self._http.getresponse()
        return answer.status, json.loads(answer.read())

    def call(self, method, data):
        """The answer's bytes, or the error."""
        try:
            return self._channel.unary_unary(f"/tensorflow.serving.{method}")(data, timeout=60)
        except grpc.RpcError as error:
            return error

    def request(self, texts):
        request = PredictRequest(model_spec={"name": self.model})
        request.inputs["text"].CopyFrom(fuzz.text_tensor(texts))
        return request.SerializeToString()

    def check_good(self):
        texts = [b"14 June 1904", "2013년".encode()]
        check_body(self, fuzz.Body(json.dumps({"instances": [t.decode() for t in texts]}), texts))
        check_texts(self, texts)


def check_body(target, body):
    code, answer = target.post(body.body)
    if body.texts is None:
        assert code == 200 or (code in REFUSALS and isinstance(answer["error"], str)), answer
        return
    assert code == 200, answer
    rows = answer.get("predictions") or [
        {"text": text, "score": score}
        for text, score in zip(*map(answer["outputs"].get, ("text", "score")), strict=True)
    ]
    check_answers(target, body.texts, [(row["text"], row["score"]) for row in rows])


def check_texts(target, texts):
    outputs = PredictResponse.FromString(
        target.call(fuzz.METHODS[0], target.request(texts))
    ).outputs
    answered = [text.decode("utf-8", "replace") for text in outputs["text"].string_val]
    check_answers(target, texts, list(zip(answered, outputs["score"].float_val, strict=True)))


def check_answers(target, texts, answers):
    expected = target.expected(texts)
    assert [text for text, _ in answers] == [t.decode("utf-8", "replace") for t, _ in expected]
    scores = [[score for _, score in pairs] for pairs in (answers, expected)]
    np.testing.assert_allclose(*scores, rtol=1e-4, atol=1e-4)


def check_call(target, call):
    answer = target.call(*call)
    if isinstance(answer, grpc.RpcError):
        assert answer.code() in REFUSED, (answer.code(), answer.details())
    elif call[0] == fuzz.METHODS[0]:
        request = PredictRequest.FromString(call[1])
        rows = {tf.make_ndarray(proto).shape[:1] for proto in request.inputs.values()}
        response = PredictResponse.FromString(answer)
        for name in response.outputs.keys() - {"count"}:
            assert tf.make_ndarray(response.outputs[name]).shape[:1] in rows


def check_path(target, path):
    """Over a bare socket: a client's library would not send it."""
    with socket.create_connection(("127.0.0.1", target.rest_port), timeout=60) as connection:
        body = b'{"instances": ["a"]}'
        head = f"POST {path} HTTP/1.1\r\nHost: a\r\nContent-Length: {len(body)}\r\n"
        connection.sendall(f"{head}Connection: close\r\n\r\n".encode() + body)
        status_line = connection.makefile("rb").readline()
    assert int(status_line.split()[1]) in {200} | REFUSALS, status_line


FAMILIES = {  # what is drawn for a model, how its answer is checked, and its share of all
    "texts-rest": (lambda model: fuzz.good_bodies(), check_body, 0.2),
    "texts-grpc": (lambda model: st.lists(fuzz.byte_strings, max_size=4), check_texts, 0.1),
    "bodies": (lambda model: fuzz.bad_bodies, check_body, 0.35),
    "calls": (fuzz.calls, check_call, 0.3),
    "paths": (lambda model: fuzz.paths, check_path, 0.05),
}


def ask_many(target, family, count):
    draw, check, share = FAMILIES[family]
    asked = 0

    @settings(
        max_examples=round(count * share),
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(draw(target.model))
    def ask(case):
        nonlocal asked
        asked += 1
        check(target, case)
        if asked % BLOCK == 0:
            target.check_good()

    ask()
    target.check_good()
    assert asked >= round(count * share)


def upper(texts):
    return [(text.upper(), len(text) / 10) for text in texts]


@pytest.mark.parametrize("family", FAMILIES)
def test_a_few_hundred(server, family):
    ask_many(Target("toy", server.rest_port, server.grpc_port, upper), family, 400)


@pytest.fixture(scope="module")
def process(tiny_model, saved_model, tmp_path_factory):
    """A server in a process of its own, the toy and a trained model, and what that answers here."""
    folder = tmp_path_factory.mktemp("served")
    (folder / "toy").symlink_to(saved_model.parent)
    dates = shutil.copytree(tiny_model, folder / "dates")
    decoding = {"beam_size": 2, "max_target_length": 8}
    export(dates, **decoding)
    translator = zoo.Translator.load(dates, **decoding)

    def translated(texts):
        answer = translator.translate(tf.constant(texts, tf.string, [len(texts)]))
        return list(zip(answer["text"].numpy(), answer["score"].numpy(), strict=True))

    with tempfile.TemporaryFile("w+") as errors:
        process, *ports = start(folder, stderr=errors)
        targets = [Target("toy", *ports, upper), Target("dates", *ports, translated)]
        yield SimpleNamespace(process=process, targets=targets)
        assert process.poll() is None
        process.terminate()
        assert process.wait(30) == 0
        errors.seek(0)
        assert "Traceback" not in errors.read()


@pytest.mark.slow
@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("model", [0, 1], ids=["toy", "dates"])
def test_ten_thousand(process, model, family):
    ask_many(process.targets[model], family, 5000)
    assert process.process.poll() is None
