"""Calls without a proper message: the client's error, which gRPC would make the server's own."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import grpc
from google.protobuf.message import DecodeError, Message

from serving.server import request_body


class MalformedRequests(grpc.ServerInterceptor):
    """Answers bytes that are no protobuf, and no bytes at all.

    The former are INVALID_ARGUMENT, where gRPC has INTERNAL and a traceback in the log. A call
    whose message does not come is cancelled: gRPC would have it hold a thread without end.
    """

    def __init__(self) -> None:
        self._arrivals = _Arrivals()

    def intercept_service(self, continuation, details):
        handler = continuation(details)
        if handler is None:  # no such method
            return None
        return grpc.stream_unary_rpc_method_handler(  # a stream hands over the wait for a message
            partial(self._parse_and_handle, handler),
            response_serializer=handler.response_serializer,
        )

    def _parse_and_handle(
        self, handler: grpc.RpcMethodHandler, messages: Iterator[bytes], context
    ) -> Message:
        with self._arrivals.awaited(context):
            data = next(messages, None)
        if data is None:
            return context.abort(grpc.StatusCode.UNIMPLEMENTED, "The call has no message")
        try:
            request = handler.request_deserializer(data)
        except DecodeError as error:
            return context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
        return handler.unary_unary(request, context)


class _Arrivals:
    """The calls whose messages are awaited; one timer at a time looks for those that are late."""

    def __init__(self) -> None:
        self._began: dict[grpc.ServicerContext, float] = {}  # the oldest first
        self._lock = threading.Lock()
        self._has_timer = False

    @contextmanager
    def awaited(self, context: grpc.ServicerContext) -> Iterator[None]:
        """Cancels the call unless the block ends in time."""
        with self._lock:
            self._began[context] = time.monotonic()
            if not self._has_timer:
                self._start_timer()
        try:
            yield
        finally:
            with self._lock:
                self._began.pop(context, None)

    def _start_timer(self) -> None:
        """For the oldest."""
        waited = time.monotonic() - next(iter(self._began.values()))
        timer = threading.Timer(request_body.ARRIVAL_SECONDS - waited, self._cancel_late)
        timer.daemon = True
        timer.start()
        self._has_timer = True

    def _cancel_late(self) -> None:
        with self._lock:
            late = time.monotonic() - request_body.ARRIVAL_SECONDS
            for context in [c for c, began in self._began.items() if began <= late]:
                del self._began[context]
                context.cancel()
            self._has_timer = False
            if self._began:
                self._start_timer()
