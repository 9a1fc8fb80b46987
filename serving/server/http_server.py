"""The HTTP server under REST: an open socket in, uvicorn on it, for as long as a block runs."""

import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from socket import socket

import uvicorn
from starlette.types import ASGIApp


@contextmanager
def rest_served(
    app: ASGIApp, listener: socket, tls: ssl.SSLContext | None, grace_seconds: float
) -> Iterator[Callable[[], None]]:
    """Answers for as long as the block runs, then finishes what it has begun, within the grace.

    Yields:
        What has it accept no more, for a block that has more to do before it ends.
    """
    config = uvicorn.Config(
        app,
        lifespan="off",
        ws="none",
        log_config=None,  # uvicorn's would close the handlers that this process has already
        log_level="error",
        access_log=False,
        timeout_keep_alive=60,
    )
    config.load()
    config.ssl = tls
    server = uvicorn.Server(config)

    def stop() -> None:
        server.should_exit = True

    thread = threading.Thread(target=server.run, args=([listener],), name="rest", daemon=True)
    thread.start()
    try:
        yield stop
    finally:
        stop()
        thread.join(grace_seconds)
