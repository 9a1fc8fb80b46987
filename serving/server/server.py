"""Starts both protocols over one repository, and stops them without dropping a request."""

import signal
import threading
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Self

from serving import model_config
from serving.ports import check_apart, listen
from serving.server import batching
from serving.server.repository import Repository
from serving.server.rest import rest_app, rest_served
from serving.server.rpc import bind, grpc_served
from serving.server_options import ServerOptions

DEFAULTS = ServerOptions()


class LocalServer:
    """Serves a folder of saved models as TensorFlow Serving does.

    >>> with LocalServer("saved_models", rest_port=0, grpc_port=0) as server:
    ...     print(server.rest_port, server.grpc_port)

    Args:
        folder: Holds ``<name>/<integer version>/saved_model.pb``; new ones are found as they come.
        host: The address to listen on.
        rest_port: The port for REST; 0 picks a free one.
        grpc_port: The port for gRPC; 0 picks a free one.
        model_config_file: A ``models.config`` that takes the place of the folder: models, their
            base paths, versions and labels. It is read again at each poll.
        poll_seconds: The time between two looks for new versions.
        options: Batching and more.
    """

    def __init__(
        self,
        folder: str | Path,
        *,
        host: str = "127.0.0.1",
        rest_port: int = 8501,
        grpc_port: int = 8500,
        model_config_file: str | Path | None = None,
        poll_seconds: float = 1.0,
        options: ServerOptions = DEFAULTS,
    ) -> None:
        check_apart(rest_port, grpc_port)
        self.host = host
        self.rest_port = rest_port
        self.grpc_port = grpc_port
        self._poll_seconds = poll_seconds
        self.repository = Repository(
            partial(model_config.read, model_config_file)
            if model_config_file
            else partial(model_config.scan, folder),
            batching.read(options.batching_parameters_file or batching.DEFAULTS)
            if options.batching
            else None,
        )

    def __enter__(self) -> Self:
        """Takes the ports, loads the models, then answers; all undone if a step fails."""
        with ExitStack() as stack:
            listener = stack.enter_context(listen(self.host, self.rest_port))
            self.rest_port = listener.getsockname()[1]
            grpc_server, self.grpc_port = bind(self.repository, self.host, self.grpc_port)
            self.repository.poll()
            stack.enter_context(rest_served(rest_app(self.repository), listener))
            stack.enter_context(grpc_served(grpc_server))
            stack.enter_context(self.repository.watched(self._poll_seconds))
            self._running = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._running.close()

    def serve_forever(self, greeting: str) -> None:
        """Waits for ctrl-C or SIGTERM; call it in the main thread, inside the `with` block.

        Args:
            greeting: Printed once a signal ends the server gracefully: others may wait for it.
        """
        stop = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stop.set())
        print(greeting, flush=True)
        stop.wait()
