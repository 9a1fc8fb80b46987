"""The running server: ports, bad folders, hot loading under requests, many at once, shutdown."""

import signal
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from serving.client import GrpcClient, RestClient
from serving.ports import listen
from serving.server import LocalServer
from tests.serving.server_process import begin


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("nonsense {", "Cannot read the model list"),
        ("", "lists no model"),
        ('model_config_list { config { name: "a" base_path: "b" } }', "to have an absolute path"),
        (
            'model_config_list { config { name: "a" base_path: "/b" }'
            ' config { name: "a" base_path: "/c" } }',
            "more than once",
        ),
    ],
)
def test_bad_models_config(tmp_path, text, message):
    path = tmp_path / "models.config"
    path.write_text(text)
    with pytest.raises(ValueError, match=message):
        LocalServer(tmp_path, rest_port=0, grpc_port=0, model_config_file=path).__enter__()


def test_folder_without_models(tmp_path):
    with pytest.raises(ValueError, match="No servable model in"):
        LocalServer(tmp_path, rest_port=0, grpc_port=0).__enter__()
    with pytest.raises(ValueError, match="No folder"):
        LocalServer(tmp_path / "none", rest_port=0, grpc_port=0).__enter__()


@pytest.mark.parametrize("protocol", ["rest_port", "grpc_port"])
def test_port_in_use_is_one_line_before_anything_is_loaded(folder, protocol):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ports = {"rest_port": 0, "grpc_port": 0, protocol: taken.getsockname()[1]}
        server = LocalServer(folder, **ports)
        with pytest.raises(OSError, match=r"^Cannot listen on 127.0.0.1:\d+: .*port\.$"):
            server.__enter__()
        assert server.repository.served() == []


def test_one_port_for_both(tmp_path):
    with pytest.raises(ValueError, match="REST and gRPC need a port each; got 9000 for both"):
        LocalServer(tmp_path, rest_port=9000, grpc_port=9000)


def test_a_port_in_use_is_told_once(folder, capfd):
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(OSError):
        LocalServer(folder, rest_port=0, grpc_port=taken.getsockname()[1]).__enter__()
    assert "add_port" not in capfd.readouterr().err


def test_ipv6(folder):
    try:
        listen("::1", 0).close()
    except OSError:
        pytest.skip("this machine has no IPv6")
    with LocalServer(folder, host="::1", rest_port=0, grpc_port=0) as server:
        for client in (RestClient("::1", server.rest_port), GrpcClient("[::1]", server.grpc_port)):
            assert client.translate("toy", ["a"])["text"].tolist() == ["A"]


def test_a_stopped_server_frees_its_ports(folder):
    with LocalServer(folder, rest_port=0, grpc_port=0) as first:
        ports = {"rest_port": first.rest_port, "grpc_port": first.grpc_port}
    with LocalServer(folder, **ports) as second:
        assert RestClient(port=second.rest_port).status("toy")[0]["state"] == "AVAILABLE"


def test_new_version_drops_no_request(folder, add_version):
    with LocalServer(folder, rest_port=0, grpc_port=0, poll_seconds=0.05) as server:
        begun = threading.Barrier(5, timeout=60)

        def ask(kind, port):
            client, end = kind(port=port), time.monotonic() + 60
            answers = [client.translate("toy", ["a"])["text"][0]]
            begun.wait()
            while answers[-1] != "two A" and time.monotonic() < end:
                answers.append(client.translate("toy", ["a"])["text"][0])
            return answers

        with ThreadPoolExecutor(4) as pool:
            rest = [pool.submit(ask, RestClient, server.rest_port) for _ in range(2)]
            grpc = [pool.submit(ask, GrpcClient, server.grpc_port) for _ in range(2)]
            begun.wait()
            add_version(2, "two ")
        for answers in (future.result() for future in rest + grpc):
            assert set(answers) == {"A", "two A"}


def test_a_label_rolls_back(folder, tmp_path, add_version):
    """The same request gets another version's answer when the list says so, and back."""
    add_version(2, "two ")
    path = tmp_path / "models.config"

    def point(stable):
        path.write_text(
            f'model_config_list {{ config {{ name: "toy" base_path: "{folder}/toy"'
            " model_version_policy { specific { versions: 1 versions: 2 } }"
            f' version_labels {{ key: "stable" value: {stable} }} }} }}'
        )

    point(1)
    with LocalServer(
        folder, rest_port=0, grpc_port=0, model_config_file=path, poll_seconds=1000
    ) as server:
        clients = RestClient(port=server.rest_port), GrpcClient(port=server.grpc_port)
        for stable, expected in ((1, "A"), (2, "two A"), (1, "A")):
            point(stable)
            server.repository.poll()
            for client in clients:
                answer = client.translate("toy", ["a"], label="stable")["text"]
                assert answer.tolist() == [expected]


def test_concurrent_requests_get_their_own_answers(server):
    rest, grpc = RestClient(port=server.rest_port), GrpcClient(port=server.grpc_port)

    def ask(number):
        client = rest if number % 2 else grpc
        return client.translate("toy", [f"a{number}"] * (number % 5 + 1))["text"].tolist()

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(ask, range(80)))
    assert answers == [[f"A{number}"] * (number % 5 + 1) for number in range(80)]


def test_a_folder_of_broken_versions_is_served_and_says_so(folder):
    (folder / "toy" / "1" / "saved_model.pb").write_bytes(b"garbage")
    process = begin(folder)
    greeting = process.stdout.readline()
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=20)
    nothing = f"nothing yet: no version in {folder} could be loaded, see above; REST on 127.0.0.1:"
    assert greeting.startswith(f"The local server serves {nothing}")
    assert errors.count("toy/1 is not served: ") == 1
    assert "Traceback" not in errors


def test_sigterm_ends_the_command_gracefully(folder):
    process = begin(folder)
    assert process.stdout.readline().startswith("The local server serves toy/1: REST on 127.0.0.1:")
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=20)
    assert process.returncode == 0
