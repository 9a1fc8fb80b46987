"""Both clients: the same answers, the same errors."""

import socket
import subprocess
import sys
import threading
from contextlib import contextmanager

import numpy as np
import pytest
import tensorflow as tf

from attention_zoo.cli import main
from serving.client import GrpcClient, RestClient, ServerError
from serving.server import LocalServer
from tests.serving.conftest import Toy


@pytest.fixture(params=["rest", "grpc"])
def client(request, server):
    if request.param == "rest":
        return RestClient(port=server.rest_port)
    return GrpcClient(port=server.grpc_port)


def test_translate(client):
    answer = client.translate("toy", ["a b", "é", ""])
    assert answer["text"].tolist() == ["A B", "é", ""]
    assert answer["score"] == pytest.approx([0.3, 0.2, 0])


def test_translate_bytes_that_are_no_utf8(client):
    assert client.translate("toy", [b"a\xff", "b"])["text"].tolist() == ["A\ufffd", "B"]


def test_inputs_of_every_kind(client):
    answer = client.predict(
        "toy", {"x": [[1.5, 2], [0, -1]], "n": np.array([2, 3])}, signature="arithmetic"
    )
    np.testing.assert_allclose(answer["quotient"], [[0.75, 1], [0, -1 / 3]], rtol=1e-6)


def test_inputs_that_are_no_numbers(client):
    answer = client.predict("toy", {"x": [[np.nan, np.inf]], "n": [1]}, signature="arithmetic")
    np.testing.assert_array_equal(answer["quotient"], [[np.nan, np.inf]])


def test_both_close(client):
    client.translate("toy", ["a"])
    client.close()


def test_other_signatures(client):
    answer = client.translate("toy", ["a b", "c"], signature="align")
    assert answer["source_tokens"].tolist() == [["a", "b"], ["c", ""]]
    assert answer["alignment"].shape == (2, 2, 2)
    assert client.translate("toy", ["a b"], signature="size")["size"].tolist() == [3]


def test_a_single_string_is_no_list_of_texts(client):
    with pytest.raises(TypeError, match="expected a list of strings"):
        client.translate("toy", "abc")


def test_no_texts(server):
    assert GrpcClient(port=server.grpc_port).translate("toy", [])["text"].tolist() == []
    assert RestClient(port=server.rest_port).translate("toy", [])["text"].tolist() == []


def test_status(client):
    (entry,) = client.status("toy")
    assert (entry["version"], entry["state"]) == ("1", "AVAILABLE")


def test_metadata_is_the_same_over_both(server):
    rest, grpc = RestClient(port=server.rest_port), GrpcClient(port=server.grpc_port)
    assert rest.metadata("toy") == grpc.metadata("toy")
    assert rest.metadata("toy")["model_spec"]["version"] == "1"


def test_version_and_label(client):
    assert client.translate("toy", ["a"], version=1)["text"].tolist() == ["A"]
    with pytest.raises(ServerError, match=r"NOT_FOUND: Servable.*Specific\(toy, 9\)"):
        client.translate("toy", ["a"], version=9)
    with pytest.raises(ServerError, match=r"INVALID_ARGUMENT: Unrecognized.*label: canary"):
        client.translate("toy", ["a"], label="canary")


def test_unknown_model(client):
    for ask in (client.status, client.metadata, lambda name: client.translate(name, ["a"])):
        with pytest.raises(ServerError) as error:
            ask("none/such:name")
        assert error.value.code == "NOT_FOUND"


@pytest.mark.parametrize("kind", [RestClient, GrpcClient])
def test_no_server(kind):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(ServerError) as error:
        kind(port=port).translate("toy", ["a"])
    assert error.value.code == "UNAVAILABLE"
    expected = f"no server on 127.0.0.1:{port}; start one with: attention-zoo serve saved_models"
    assert error.value.message == expected


def test_the_other_protocols_port(server):
    hint = "gRPC is spoken on 8500, REST on 8501"
    with pytest.raises(ServerError, match=f"no REST from .*; {hint}"):
        RestClient(port=server.grpc_port).translate("toy", ["a"])
    with pytest.raises(ServerError, match=f"no gRPC from .*; {hint}"):
        GrpcClient(port=server.rest_port).translate("toy", ["a"])


@pytest.mark.parametrize("kind", [RestClient, GrpcClient])
@pytest.mark.parametrize("host", ["http://localhost:8501", "http://localhost", "localhost:8501"])
def test_a_host_is_no_url(kind, host):
    with pytest.raises(ValueError, match=r"^a host is .*, such as localhost, without http://.*got"):
        kind(host)


@pytest.mark.parametrize("kind", [RestClient, GrpcClient])
def test_server_that_does_not_answer(kind):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = kind(port=listener.getsockname()[1], timeout=0.2)
        with pytest.raises(ServerError) as error:
            client.status("toy")
    assert error.value.code in ("DEADLINE_EXCEEDED", "UNAVAILABLE")


@contextmanager
def program(answer, seconds=0):
    """A port on which one connection gets these bytes, whatever it asks, and stays a while."""
    leave = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def run():
            connection, _ = listener.accept()
            with connection:
                connection.recv(2**16)
                connection.sendall(answer)
                leave.wait(seconds)

        thread = threading.Thread(target=run)
        thread.start()
        yield listener.getsockname()[1]
        leave.set()
        thread.join()


CUT_OFF = [b"Transfer-Encoding: chunked\r\n\r\n9\r\n{", b"Content-Length: 9\r\n\r\n{"]


@pytest.mark.parametrize("fields", CUT_OFF)
def test_an_answer_that_is_cut_off(fields):
    with (
        program(b"HTTP/1.1 200 OK\r\n" + fields) as port,
        pytest.raises(ServerError, match=r"UNAVAILABLE: the answer from .* was cut off"),
    ):
        RestClient(port=port).status("toy")


@pytest.mark.parametrize("fields", CUT_OFF)
def test_an_answer_that_stops_in_the_middle(fields):
    with (
        program(b"HTTP/1.1 200 OK\r\n" + fields, seconds=60) as port,
        pytest.raises(ServerError, match=r"DEADLINE_EXCEEDED: no answer from .* within 0\.5 s"),
    ):
        RestClient(port=port, timeout=0.5).status("toy")


@pytest.mark.parametrize("code", [b"200 OK", b"404 Not Found"])
@pytest.mark.parametrize("body", [b"<html>", b"[]", b'{"detail": "Not Found"}'])
def test_another_program(code, body):
    head = b"HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n" % (code, len(body))
    with (
        program(head + body) as port,
        pytest.raises(ServerError, match=r"UNAVAILABLE: no answer of .*: is another program there"),
    ):
        RestClient(port=port).status("toy")


def test_a_model_that_does_not_translate_is_one_line(tmp_path, capsys):
    toy = Toy("")
    tf.saved_model.save(toy, str(tmp_path / "sizes" / "1"), {"serving_default": toy.size})
    with LocalServer(tmp_path, rest_port=0, grpc_port=0) as server:
        address = f"127.0.0.1:{server.rest_port}"
        assert main(["translate", "sizes", "a", "--server", address]) == 2
    assert capsys.readouterr().err == (
        "attention-zoo translate: sizes does not translate: its serving_default gives size; "
        "expected text and score\n"
    )


def test_rest_needs_no_tensorflow(server):
    code = (
        "import sys; from serving.client import RestClient; "
        f"print(RestClient(port={server.rest_port}).translate('toy', ['a'])['text'][0]); "
        "assert not {'tensorflow', 'grpc', 'keras'} & sys.modules.keys()"
    )
    paths = [path for path in sys.path if path]
    setup = f"import sys; sys.path[:0] = {paths!r}; "
    result = subprocess.run(
        [sys.executable, "-c", setup + code], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "A"
