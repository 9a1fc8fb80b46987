"""Starts both protocols over one repository, and stops them without dropping a request."""

import logging
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Self

from serving import model_config
from serving.ports import check_apart, listen
from serving.server import batching, loaded_graph, monitoring, tls
from serving.server.http_server import rest_served
from serving.server.metrics import Metrics
from serving.server.pending import Pending
from serving.server.repository import Repository
from serving.server.rest import RestApi
from serving.server.rpc import QUESTIONS, bind, grpc_served, make_server
from serving.server_options import ServerOptions

log = logging.getLogger(__name__)
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
        options: Batching, bounds, metrics, TLS and sessions, whose number of threads an operation
            TensorFlow takes from the first one of the process.
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
        self._options = options
        self._tls = tls.read(options.ssl_config_file) if options.ssl_config_file else None
        self._metrics_path = monitoring.metrics_path(options.monitoring_config_file)
        self.pending = Pending(options.max_pending)
        self.repository = Repository(
            partial(model_config.read, model_config_file)
            if model_config_file
            else partial(model_config.scan, folder),
            batching.read(options.batching_parameters_file or batching.DEFAULTS)
            if options.batching
            else None,
            options.max_rows,
            loaded_graph.read_config(
                options.tensorflow_session_config_file or loaded_graph.DEFAULTS
            ),
        )

    def __enter__(self) -> Self:
        """Takes the ports, loads the models, then answers; all undone if a step fails."""
        options, metrics = self._options, Metrics()
        # Each request holds one while it waits for company in a batch, and a gRPC call even before
        # its message has come, which is to keep nobody from REST; the rest answer questions.
        rest_threads = ThreadPoolExecutor(options.max_pending, "rest-requests")
        grpc_threads = ThreadPoolExecutor(options.max_pending + QUESTIONS, "grpc-requests")
        shared = self.repository, metrics, self.pending
        bounds = options.max_request_bytes, options.max_rows
        rest = RestApi(*shared, rest_threads, *bounds, self._metrics_path)
        grpc_server = make_server(*shared, grpc_threads, options.max_request_bytes)
        with ExitStack() as stack:
            for threads in (rest_threads, grpc_threads):
                stack.callback(threads.shutdown, wait=False)
            listener = stack.enter_context(listen(self.host, self.rest_port))
            self.rest_port = listener.getsockname()[1]
            secret = tls.credentials(self._tls) if self._tls else None
            self.grpc_port = bind(grpc_server, self.host, self.grpc_port, secret)
            self.repository.poll()
            secret = tls.context(self._tls) if self._tls else None
            stop_rest = stack.enter_context(
                rest_served(rest, listener, secret, options.grace_seconds)
            )
            stack.enter_context(grpc_served(grpc_server, options.grace_seconds))
            stack.enter_context(self.repository.watched(self._poll_seconds, options.grace_seconds))
            stack.callback(grpc_server.stop, options.grace_seconds)
            stack.callback(stop_rest)  # both at once: neither accepts while the other finishes
            self._running = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._running.close()
        if self.pending.count:
            seconds = self._options.grace_seconds
            log.warning("Requests cut off after %g s: %d", seconds, self.pending.count)

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
