"""The HTTP server under REST: an open socket in, uvicorn on it, for as long as a block runs."""

import asyncio
import json
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from socket import socket

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from serving.server import request_body

MAX_HEAD_BYTES = 64 * 2**10
KEEP_ALIVE_SECONDS = 60


class BoundedHead(HttpToolsProtocol):
    """uvicorn's, which would take a request line, headers and trailers without end and at any pace.

    What follows a request that is answered before all of it came is thrown away, for a while.
    """

    def connection_made(self, transport: asyncio.Transport) -> None:
        super().connection_made(transport)
        self._in_head, self._late = True, None
        self._head_bytes = 0  # since the last piece of a body
        self.timeout_keep_alive_task = self.loop.call_later(
            KEEP_ALIVE_SECONDS, self.timeout_keep_alive_handler
        )

    def data_received(self, data: bytes) -> None:
        self._head_bytes += len(data)
        super().data_received(data)
        if self._head_bytes > MAX_HEAD_BYTES:
            self._refuse(431, f"Request line and headers are larger than {MAX_HEAD_BYTES} bytes")
        elif self._in_head and self._head_bytes and not self._late:
            self._late = self.loop.call_later(request_body.ARRIVAL_SECONDS, self._refuse_late)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._stop_waiting()

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._in_head:  # trailers are dropped, as RFC 9110 (6.5.1) lets a server do
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        super().on_headers_complete()
        self._in_head = False
        self._stop_waiting()

    def on_body(self, body: bytes) -> None:
        super().on_body(body)
        self._head_bytes = 0

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._in_head, self._head_bytes = True, 0
        self._stop_waiting()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if not self._in_head and self.cycle.response_complete:
            seconds = request_body.ARRIVAL_SECONDS
            self._late = self.loop.call_later(seconds, self.transport.close)

    def _stop_waiting(self) -> None:
        if self._late:
            self._late.cancel()
            self._late = None

    def _refuse_late(self) -> None:
        seconds = request_body.ARRIVAL_SECONDS
        self._refuse(408, f"Request line and headers did not come within {seconds:g} s")

    def _refuse(self, code: int, message: str) -> None:
        """In the application's stead, unless it has begun to answer."""
        if self.transport.is_closing():
            return
        if not self._in_head and self.cycle.response_started:
            self.transport.close()
            return
        body = json.dumps({"error": message}).encode()
        fields = f"content-type: application/json\r\ncontent-length: {len(body)}\r\n"
        head = STATUS_LINE[code] + fields.encode() + b"connection: close\r\n\r\n"
        self.transport.write(head + body)
        self.transport.close()


@contextmanager
def rest_served(
    app: ASGIApp, listener: socket, tls: ssl.SSLContext | None, grace_seconds: float
) -> Iterator[Callable[[], None]]:
    """Answers for as long as the block runs, then finishes what it has begun, within the grace.

    Yields:
        What has it accept no more, for a block that has more to do before it ends: the grace
        begins there.
    """
    config = uvicorn.Config(
        app,
        http=BoundedHead,
        lifespan="off",
        ws="none",
        log_config=None,  # uvicorn's would close the handlers that this process has already
        log_level="error",
        access_log=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
    )
    config.load()
    config.ssl = tls
    server = uvicorn.Server(config)
    deadline = None

    def stop() -> None:
        nonlocal deadline
        server.should_exit = True
        deadline = deadline or time.monotonic() + grace_seconds

    thread = threading.Thread(target=server.run, args=([listener],), name="rest", daemon=True)
    thread.start()
    try:
        yield stop
    finally:
        stop()
        thread.join(max(0, deadline - time.monotonic()))
