"""The HTTP server under REST: an open socket in, uvicorn on it, for as long as a block runs."""

import asyncio
import json
import re
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
_UPGRADE = re.compile(rb"(?i)(\A|\n)upgrade:")  # at the beginning of a line, or of a packet


class BoundedRequests(HttpToolsProtocol):
    """uvicorn's, which would take a request line, headers and trailers without end and at any pace.

    What follows a request that is answered before all of it came is thrown away, for a while. An
    offer of another protocol, as Java's client and curl make of HTTP/2, is not read, since with it
    httptools reads no body.
    """

    def connection_made(self, transport: asyncio.Transport) -> None:
        super().connection_made(transport)
        self._part = None  # of a request that is coming: its "head" or its "body"
        self._read = 0  # bytes since a head, a message or a piece of a body ended
        self._timer = None  # on that part
        self._wait_for_next()

    def data_received(self, data: bytes) -> None:
        self._read += len(data)
        if self._part != "body":
            head, end, rest = data.partition(b"\r\n\r\n")
            data = _UPGRADE.sub(rb"\1not-taken:", head) + end + rest
        super().data_received(data)
        if self._read > MAX_HEAD_BYTES:
            self._refuse(431, f"Request line and headers are larger than {MAX_HEAD_BYTES} bytes")
        elif self._part == "head" and not self._timer:
            self._time(self._refuse_late)
        elif not self._part and not self._answering():
            self._wait_for_next()

    def eof_received(self) -> bool | None:
        """Whoever has sent a whole request and will send no more gets the answer."""
        if self._part or not self._answering() or not self.transport.can_write_eof():
            return None
        self.cycle.keep_alive = False
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._time(None)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._part = "head"

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._part == "head":  # trailers are dropped, as RFC 9110 (6.5.1) lets a server do
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        super().on_headers_complete()
        self._part, self._read = "body", 0
        self._time(None)

    def on_body(self, body: bytes) -> None:
        super().on_body(body)
        self._read = 0

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._part, self._read = None, 0
        self._time(None)

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self._part == "body" and not self._answering():
            self._time(self.transport.close)

    def _answering(self) -> bool:
        """Whether the last request whose head has come is still to be answered."""
        return bool(self.cycle) and not self.cycle.response_complete

    def _wait_for_next(self) -> None:
        if not self.timeout_keep_alive_task:
            self.timeout_keep_alive_task = self.loop.call_later(
                KEEP_ALIVE_SECONDS, self.timeout_keep_alive_handler
            )

    def _time(self, then: Callable[[], None] | None) -> None:
        """Has a part of a request come within a while; None where it has."""
        if self._timer:
            self._timer.cancel()
        self._timer = then and self.loop.call_later(request_body.ARRIVAL_SECONDS, then)

    def _refuse_late(self) -> None:
        seconds = request_body.ARRIVAL_SECONDS
        self._refuse(408, f"Request line and headers did not come within {seconds:g} s")

    def _refuse(self, code: int, message: str) -> None:
        """In the application's stead, where it has not begun to answer."""
        if self.transport.is_closing():
            return
        if self._part == "head" and self._answering():  # the answer to the one before comes first
            self.cycle.keep_alive = False
            self.flow.pause_reading()
        elif self._part == "body" and self.cycle.response_started:
            self.transport.close()
        else:
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
        http=BoundedRequests,
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
