"""Clients that load a server: many at once in one process, with requests made beforehand.

Imports no TensorFlow, and does no more for a request than to send bytes and look for bytes in the
answer: whatever clients compute, the server on the same machine lacks.
"""

import asyncio
import itertools
import json
import time
from typing import NamedTuple

import grpc.aio

PREDICT = "/tensorflow.serving.PredictionService/Predict"
KEPT = 30  # seconds that an idle connection is used again; the server closes it after 60


class Request(NamedTuple):
    """A text to translate, as either protocol has it, and what the answer holds if it is right."""

    rest: bytes
    grpc: bytes
    expected: bytes


class Answer(NamedTuple):
    """When it was asked, by `time.monotonic`, how long it took, and what came.

    That is `OK`, a code, or the name of the error by which the connection ended.
    """

    began: float
    seconds: float
    code: str
    right: bool


def rest_request(model, text):
    body = json.dumps({"instances": [text]}).encode()
    head = f"POST /v1/models/{model}:predict HTTP/1.1\r\nHost: a\r\nContent-Length: {len(body)}"
    return f"{head}\r\n\r\n".encode() + body


class Grpc:
    def __init__(self, port):
        self._call = grpc.aio.insecure_channel(f"127.0.0.1:{port}").unary_unary(PREDICT)

    async def ask(self, request):
        try:
            return "OK", await self._call(request.grpc)
        except grpc.aio.AioRpcError as error:
            return error.code().name, b""


class Rest:
    """As many connections as there are requests at once, each kept for the next."""

    def __init__(self, port):
        self._port, self._idle = port, []

    async def ask(self, request):
        try:
            reader, writer = await self._connection()
            writer.write(request.rest)
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            length = head.partition(b"content-length:")[2].partition(b"\r\n")[0]
            body = await reader.readexactly(int(length))
        except (OSError, EOFError) as error:
            return type(error).__name__, b""
        self._idle.append((time.monotonic(), reader, writer))
        code = head.split(b" ", 2)[1].decode()
        return ("OK" if code == "200" else code), body

    async def _connection(self):
        while self._idle:
            since, reader, writer = self._idle.pop()
            if time.monotonic() - since < KEPT and not reader.at_eof():
                return reader, writer
            writer.close()
        return await asyncio.open_connection("127.0.0.1", self._port)


KINDS = {"gRPC": Grpc, "REST": Rest}


def closed_loop(kind, port, requests, clients, seconds):
    """`clients` that each ask again as soon as they are answered: the answers."""
    return asyncio.run(_closed(kind, port, requests, clients, seconds))


def open_loop(ports, requests, rate, seconds, normal):
    """Requests that come at a rate, whatever became of those before, by either protocol in turn.

    Returns:
        Their answers, and how long after the last of them one was answered that took no longer
        than `normal` seconds.
    """
    return asyncio.run(_open(ports, requests, rate, seconds, normal))


async def _closed(kind, port, requests, clients, seconds):
    client, end = KINDS[kind](port), time.monotonic() + seconds
    answers = []

    async def work(first):
        for request in itertools.islice(itertools.cycle(requests), first, None):
            if time.monotonic() > end:
                return
            answers.append(await _asked(client, request))

    await asyncio.gather(*map(work, range(clients)))
    return answers


async def _open(ports, requests, rate, seconds, normal):
    clients = [KINDS[kind](port) for kind, port in ports.items()]
    began, waiting, answers = time.monotonic(), set(), []

    def keep(task):  # and no task, half a million of which would slow this process down
        waiting.discard(task)
        answers.append(task.result())

    for i, request in zip(range(round(rate * seconds)), itertools.cycle(requests)):
        await asyncio.sleep(max(0, began + i / rate - time.monotonic()))
        task = asyncio.create_task(_asked(clients[i % len(clients)], request))
        waiting.add(task)
        task.add_done_callback(keep)
    last = time.monotonic()
    for request in itertools.cycle(requests):
        answer = await _asked(clients[0], request)
        if answer.right and answer.seconds <= normal:
            break
    recovered = time.monotonic() - last
    await asyncio.gather(*waiting)
    return answers, recovered


async def _asked(client, request):
    began = time.monotonic()
    code, body = await client.ask(request)
    right = code == "OK" and request.expected in body
    return Answer(began, time.monotonic() - began, code, right)
