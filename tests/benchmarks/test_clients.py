"""Clients of the load benchmark: each request has an outcome, whatever the server does."""

import asyncio

import pytest

from benchmarks import clients

REQUEST = clients.Request(clients.rest_request("m", "text"), b"", b"answer")
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nanswer"


def asked(answer, times):
    """The codes of as many requests, one after the other, and how many connections they took."""
    connections = []

    async def serve(reader, writer):
        connections.append(writer)
        while await reader.read(len(REQUEST.rest)):
            writer.write(answer(writer))
        writer.close()

    async def ask():
        async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
            client = clients.Rest(server.sockets[0].getsockname()[1])
            codes = [(await client.ask(REQUEST))[0] for _ in range(times)]
            for writer in connections:
                writer.close()
        return codes, len(connections)

    return asyncio.run(ask())


@pytest.mark.parametrize("kept, connections", [(30, 1), (0, 3)])
def test_a_connection_is_used_again_while_it_is_young(kept, connections, monkeypatch):
    monkeypatch.setattr(clients, "KEPT", kept)
    assert asked(lambda writer: ANSWER, 3) == (["OK"] * 3, connections)


def test_a_connection_that_breaks_is_an_outcome():
    def breaks(writer):
        writer.transport.abort()
        return b""

    codes, connections = asked(breaks, 2)
    assert set(codes) <= {"ConnectionResetError", "IncompleteReadError"}
    assert connections == 2
