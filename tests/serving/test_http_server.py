"""What goes over a connection to the REST port, byte by byte."""

import json
import re
import socket
import time
from contextlib import contextmanager

import pytest
import requests

from serving.server import LocalServer, http_server, request_body

STATUS = b"GET /v1/models/toy HTTP/1.1\r\nHost: a\r\n\r\n"
POST = b"POST /v1/models/toy:predict HTTP/1.1\r\nHost: a\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"
BODY = b'{"instances": ["a"]}'
CHUNK = b"%x\r\n%s\r\n" % (len(BODY), BODY)
WHOLE = POST + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY


@pytest.fixture(scope="module")
def server(saved_model):
    with LocalServer(saved_model.parents[1], rest_port=0, grpc_port=0) as server:
        yield server


@pytest.fixture
def impatient(monkeypatch):
    """Has the server wait for nothing longer than this."""
    monkeypatch.setattr(request_body, "ARRIVAL_SECONDS", 0.7)


@pytest.fixture
def connect(server):
    @contextmanager
    def connected():
        address = "127.0.0.1", server.rest_port
        with socket.create_connection(address, timeout=30) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            yield Connection(connection)

    return connected


class Connection:
    """Sends bytes, and reads answers."""

    def __init__(self, connection):
        self.socket = connection
        self.received = connection.makefile("rb")

    def send(self, *pieces):
        self.socket.sendall(b"".join(pieces))

    def send_apart(self, *pieces):
        for piece in pieces:
            self.send(piece)
            time.sleep(0.05)

    def answer(self):
        """The next one's code and what it holds."""
        head = b"".join(iter(self.received.readline, b"\r\n"))
        size = int(re.search(rb"content-length: (\d+)", head)[1])
        return int(head.split()[1]), json.loads(self.received.read(size))

    def codes(self):
        """Of all answers, until the server closes."""
        return [int(code) for code in re.findall(rb"HTTP/1.1 (\d+) ", self.received.read())]


@pytest.mark.parametrize("start", [b"GET /", b"GET / HTTP/1.1\r\nx: ", b"GET / HTTP/1.1\r\n"])
def test_a_head_without_end_is_431(connect, start):
    filler = b"x: y\r\n" if start.endswith(b"\n") else b"aaaaaa"
    size = http_server.MAX_HEAD_BYTES + 1
    with connect() as connection:
        connection.send((start + filler * size)[:size])
        message = "Request line and headers are larger than 65536 bytes"
        assert connection.answer() == (431, {"error": message})
        assert connection.codes() == []


def test_heads_below_the_limit_are_answered_one_after_the_other(connect):
    long = b"x: %s\r\n\r\n" % (b"a" * (http_server.MAX_HEAD_BYTES - 200))
    with connect() as connection:
        for _ in range(3):
            connection.send(STATUS[:-2] + long)
            assert connection.answer()[0] == 200
            connection.send_apart(CHUNKED[:-2] + long, CHUNK[:4], CHUNK[4:], b"0\r\n\r\n")
            assert connection.answer() == (200, {"predictions": [{"text": "A", "score": 0.1}]})


def test_a_head_that_does_not_come_is_408(connect, impatient):
    message = "Request line and headers did not come within 0.7 s"
    for before in (b"", WHOLE):
        with connect() as connection:
            connection.send(before + b"GET /v1/models/toy HTTP/1.1\r\nHost")
            if before:
                assert connection.answer()[0] == 200
            assert connection.answer() == (408, {"error": message})
            assert connection.codes() == []


@pytest.mark.parametrize("size", [1, http_server.MAX_HEAD_BYTES])
def test_a_bad_head_waits_for_the_answer_that_is_due(connect, impatient, gate, size):
    body = json.dumps({"signature_name": "gated", "inputs": {"path": gate.paths}}).encode()

    def ask(_):
        connection.send(POST + b"Content-Length: %d\r\n\r\n" % len(body) + body)
        return connection.answer(), connection.codes()

    with connect() as connection:
        with gate.holds(ask) as answered:
            connection.send(b"GET / HTTP/1.1\r\nx: ", b"a" * size)
            time.sleep(1)
        (code, content), more = answered.result()
    assert (code, content["outputs"], more) == (200, gate.paths, [])


def test_a_connection_that_asks_nothing_is_closed(connect, monkeypatch):
    monkeypatch.setattr(http_server, "KEEP_ALIVE_SECONDS", 0.5)
    with connect() as connection:
        assert connection.codes() == []


def test_a_connection_whose_rest_came_after_the_answer_is_closed(connect, monkeypatch):
    monkeypatch.setattr(http_server, "KEEP_ALIVE_SECONDS", 0.5)
    with connect() as connection:
        connection.send(STATUS[:-2] + b"Content-Length: 5\r\n\r\n")
        assert connection.answer()[0] == 200
        connection.send(b"hello")
        assert connection.codes() == []


def test_blank_lines_between_requests_are_nothing(connect, impatient):
    with connect() as connection:
        for _ in range(2):
            connection.send_apart(b"\r\n", WHOLE, b"\r\n")
            assert connection.answer()[0] == 200
            time.sleep(1)


@pytest.mark.parametrize("filler", [b"x: y\r\n", b"x: yyy"])
def test_trailers_without_end_are_431(connect, server, filler):
    with connect() as connection:
        connection.send(CHUNKED + CHUNK + b"0\r\n")
        connection.send(filler * (8 * http_server.MAX_HEAD_BYTES // len(filler)))
        assert connection.answer()[0] == 431
    began = time.monotonic()
    while server.pending.count and time.monotonic() < began + 5:
        time.sleep(0.01)
    assert not server.pending.count


def test_trailers_are_no_headers(connect):
    with connect() as connection:
        for _ in range(2):
            connection.send(CHUNKED + CHUNK + b"0\r\nExpect: 100-continue\r\n\r\n")
            assert connection.answer()[0] == 200


def test_a_body_in_many_small_chunks_is_no_long_head(server):
    body = b'{"instances": ["%s"]}' % (b"a" * 30_000)
    url = f"http://127.0.0.1:{server.rest_port}/v1/models/toy:predict"
    answer = requests.post(url, data=(bytes([x]) for x in body), timeout=60)
    assert answer.status_code == 200


@pytest.mark.parametrize("method", [b"GET", b"POST"])
def test_what_follows_an_answer_is_taken_for_a_while(connect, impatient, method):
    with connect() as connection, pytest.raises((ConnectionResetError, BrokenPipeError)):
        connection.send(CHUNKED.replace(b"POST", method) + b"ffffffff\r\n")
        for _ in range(3000):
            connection.send(b"a" * 2**20)
            time.sleep(0.01)


def test_what_follows_an_answer_does_not_end_the_next_request(connect, impatient):
    with connect() as connection:
        connection.send(STATUS[:-2] + b"Content-Length: 5\r\n\r\n")
        assert connection.answer()[0] == 200
        connection.send_apart(b"hello", STATUS)
        assert connection.answer()[0] == 200
        time.sleep(1)
        connection.send(WHOLE)
        assert connection.answer()[0] == 200


@pytest.mark.parametrize("send", [Connection.send, Connection.send_apart])
def test_an_offer_of_another_protocol_is_not_taken(connect, send):
    """As Java's client and `curl --http2` make it."""
    offer = b"Connection: Upgrade, HTTP2-Settings\r\n", b"Upgrade: h2c\r\nHTTP2-Settings: AAMA\r\n"
    head, body = WHOLE.split(b"\r\n\r\n")
    with connect() as connection:
        for _ in range(2):
            send(connection, head, b"\r\n", *offer, b"\r\n", body)
            assert connection.answer() == (200, {"predictions": [{"text": "A", "score": 0.1}]})


def test_a_client_that_will_send_no_more_gets_its_answers(connect):
    with connect() as connection:
        connection.send(STATUS + WHOLE)
        connection.socket.shutdown(socket.SHUT_WR)
        assert connection.codes() == [200, 200]


def test_a_client_that_ends_in_the_middle_gets_none(connect, server):
    with connect() as connection:
        connection.send(WHOLE[:-3])
        connection.socket.shutdown(socket.SHUT_WR)
        assert connection.codes() == []
