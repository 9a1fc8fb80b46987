"""Both clients: the same answers, the same errors."""

import socket
import subprocess
import sys

import numpy as np
import pytest

from serving.client import GrpcClient, RestClient, ServerError


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
