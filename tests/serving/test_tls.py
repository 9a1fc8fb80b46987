"""Both ports behind a certificate made for the test, asked by curl's and gRPC's own TLS."""

import shutil
import subprocess

import grpc
import pytest
import requests
from google.protobuf import text_format
from tensorflow_serving.apis.get_model_status_pb2 import GetModelStatusRequest
from tensorflow_serving.apis.model_service_pb2_grpc import ModelServiceStub

from attention_zoo.cli import main
from serving.client import GrpcClient, RestClient, ServerError, Tls
from serving.config_messages import SSLConfig
from serving.server import LocalServer, tls
from serving.server_options import ServerOptions

pytestmark = pytest.mark.skipif(not shutil.which("openssl"), reason="openssl makes the keys")


def certificate(folder, name):
    """A key and a certificate that it signed itself, for localhost."""
    key, certificate = folder / f"{name}.key", folder / f"{name}.crt"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
            *("-subj", f"/CN={name}", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"),
            *("-keyout", key, "-out", certificate),
        ],
        check=True,
        capture_output=True,
    )
    return key, certificate


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    folder = tmp_path_factory.mktemp("keys")
    return {name: certificate(folder, name) for name in ("server", "client", "stranger")}


def write(path, **fields):
    path.write_text(text_format.MessageToString(SSLConfig(**fields)))
    return path


@pytest.fixture(scope="module")
def secure(saved_model, keys, tmp_path_factory):
    """A server that asks its clients, too, for a certificate."""
    key, certificate = (path.read_text() for path in keys["server"])
    path = write(
        tmp_path_factory.mktemp("config") / "ssl.config",
        server_key=key,
        server_cert=certificate,
        custom_ca=keys["client"][1].read_text(),
        client_verify=True,
    )
    options = ServerOptions(ssl_config_file=path)
    with LocalServer(saved_model.parents[1], rest_port=0, grpc_port=0, options=options) as server:
        yield server


def ask_rest(server, keys, client):
    key, certificate = keys[client]
    url = f"https://localhost:{server.rest_port}/v1/models/toy"
    return requests.get(url, verify=str(keys["server"][1]), cert=(certificate, key), timeout=10)


def ask_grpc(server, keys, client):
    key, certificate = (path.read_bytes() for path in keys[client])
    secret = grpc.ssl_channel_credentials(keys["server"][1].read_bytes(), key, certificate)
    request = GetModelStatusRequest(model_spec={"name": "toy"})
    with grpc.secure_channel(f"localhost:{server.grpc_port}", secret) as channel:
        return ModelServiceStub(channel).GetModelStatus(request, timeout=10)


def test_who_has_the_right_certificate_is_answered(secure, keys):
    assert ask_rest(secure, keys, "client").status_code == 200
    assert len(ask_grpc(secure, keys, "client").model_version_status) == 1


def test_a_stranger_is_not(secure, keys):
    with pytest.raises(requests.ConnectionError):
        ask_rest(secure, keys, "stranger")
    with pytest.raises(grpc.RpcError) as error:
        ask_grpc(secure, keys, "stranger")
    assert error.value.code() is grpc.StatusCode.UNAVAILABLE


def test_nor_is_who_speaks_in_the_clear(secure):
    with pytest.raises(requests.ConnectionError):
        requests.get(f"http://127.0.0.1:{secure.rest_port}/v1/models/toy", timeout=10)


@pytest.fixture(scope="module")
def open_to_all(saved_model, keys, tmp_path_factory):
    """A server that asks its clients for nothing."""
    key, certificate = (path.read_text() for path in keys["server"])
    path = tmp_path_factory.mktemp("config") / "ssl.config"
    write(path, server_key=key, server_cert=certificate)
    options = ServerOptions(ssl_config_file=path)
    with LocalServer(saved_model.parents[1], rest_port=0, grpc_port=0, options=options) as server:
        yield server


def client_of(kind, server, **options):
    port = server.rest_port if kind is RestClient else server.grpc_port
    return kind("localhost", port, timeout=10, **options)


both = pytest.mark.parametrize("kind", [RestClient, GrpcClient])


@both
def test_our_client_trusts_a_ca_file(kind, open_to_all, keys):
    client = client_of(kind, open_to_all, tls=Tls(ca=keys["server"][1]))
    assert client.translate("toy", ["a"])["text"].tolist() == ["A"]


@both
def test_our_client_trusts_whom_the_system_trusts(kind, open_to_all, keys, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(keys["server"][1]))  # OpenSSL's own variable
    client = client_of(kind, open_to_all, tls=Tls())
    assert client.translate("toy", ["a"])["text"].tolist() == ["A"]


@both
def test_our_client_shows_its_certificate(kind, secure, keys):
    key, certificate = keys["client"]
    tls = Tls(ca=keys["server"][1], certificate=certificate, key=key)
    assert client_of(kind, secure, tls=tls).translate("toy", ["a"])["text"].tolist() == ["A"]


@both
@pytest.mark.parametrize("authority", [None, "stranger"])
def test_our_client_trusts_no_other(kind, authority, open_to_all, keys):
    client = client_of(kind, open_to_all, tls=Tls(ca=authority and keys[authority][1]))
    with pytest.raises(ServerError, match=r"UNAVAILABLE: no TLS with localhost.*VERIFY_FAILED"):
        client.translate("toy", ["a"])


@both
def test_our_client_trusts_no_other_name(kind, open_to_all, keys):
    port = open_to_all.rest_port if kind is RestClient else open_to_all.grpc_port
    client = kind("127.0.0.2", port, tls=Tls(ca=keys["server"][1]), timeout=10)
    with pytest.raises(ServerError, match="UNAVAILABLE: no "):
        client.translate("toy", ["a"])


@both
def test_our_client_says_that_the_server_wants_tls(kind, open_to_all):
    with pytest.raises(ServerError, match=r"UNAVAILABLE: no .*speaks in TLS alone"):
        client_of(kind, open_to_all).translate("toy", ["a"])


@both
def test_our_client_says_that_the_server_wants_a_certificate(kind, secure, keys):
    client = client_of(kind, secure, tls=Tls(ca=keys["server"][1]))
    with pytest.raises(ServerError, match=r"UNAVAILABLE: no .*may want a client's certificate"):
        client.translate("toy", ["a"])


@both
def test_our_client_says_that_the_server_has_no_tls(kind, server, keys):
    with pytest.raises(ServerError, match=r"no TLS with localhost.*WRONG_VERSION_NUMBER"):
        client_of(kind, server, tls=Tls(ca=keys["server"][1])).translate("toy", ["a"])


def test_files_that_are_no_pem(keys, tmp_path):
    (tmp_path / "empty.pem").touch()
    for files, message in (
        ({"ca": tmp_path / "empty.pem"}, "no authority in PEM's format in .*empty.pem"),
        ({"ca": tmp_path / "nowhere.pem"}, "no authority .*nowhere.pem"),
        ({"certificate": keys["client"][1]}, "certificate and its key go together"),
        (
            {"certificate": keys["client"][1], "key": keys["stranger"][0]},
            "no certificate and key .*client.crt and .*stranger.key",
        ),
    ):
        with pytest.raises(ValueError, match=message) as error:
            Tls(**files)
        assert "\n" not in str(error.value)


@pytest.mark.parametrize("protocol", ["rest", "grpc"])
def test_the_command_line_asks_with_tls(protocol, secure, keys, capsys):
    key, certificate = map(str, keys["client"])
    port = secure.rest_port if protocol == "rest" else secure.grpc_port
    arguments = [
        *("translate", "toy", "a b", "--server", f"https://localhost:{port}"),
        *("--ca", str(keys["server"][1]), "--certificate", certificate, "--key", key),
        *(["--grpc"] if protocol == "grpc" else []),
    ]
    assert main(arguments) == 0
    assert capsys.readouterr().out == "A B\t0.3000\n"


@pytest.mark.skipif(not shutil.which("curl"), reason="asks with curl")
def test_curl_needs_the_certificate_of_the_server_alone(open_to_all, keys):
    command = [
        *("curl", "--silent", "--fail", "--noproxy", "*", "--cacert", keys["server"][1]),
        *("-d", '{"instances": ["a"]}'),
        f"https://localhost:{open_to_all.rest_port}/v1/models/toy:predict",
    ]
    answer = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30)
    assert '"text": "A"' in answer.stdout


def test_a_bad_config_is_one_line(keys, tmp_path):
    key, certificate = (path.read_text() for path in keys["server"])
    other = keys["stranger"][0].read_text()
    path = tmp_path / "ssl.config"
    for fields, message in (
        (
            {"server_key": "/etc/key.pem"},
            "server_key holds the PEM text itself; got '/etc/key.pem'",
        ),
        ({"server_key": key}, "server_cert holds the PEM text itself; got ''"),
        ({"server_key": other, "server_cert": certificate}, "do not go together"),
        *(
            (
                {"server_key": key, "server_cert": certificate, "custom_ca": authority},
                "ssl.config: custom_ca holds no certificates in PEM: ",
            )
            for authority in (
                "-----BEGIN CERTIFICATE-----\n?\n-----END CERTIFICATE-----\n",
                f"à {certificate}",
            )
        ),
        (
            {"server_key": key, "server_cert": certificate, "client_verify": True},
            "client_verify needs custom_ca",
        ),
    ):
        write(path, **fields)
        with pytest.raises(ValueError, match=message) as error:
            tls.read(path)
        assert "\n" not in str(error.value)
