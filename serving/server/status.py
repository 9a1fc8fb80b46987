"""The one error of the server: a canonical code and a message, as in every gRPC service."""

import logging
import re

import tensorflow as tf
from grpc import StatusCode
from tensorflow_serving.apis.status_pb2 import StatusProto

log = logging.getLogger(__name__)
_BY_NUMBER = {code.value[0]: code for code in StatusCode}


class StatusError(Exception):
    """A request, or the loading of a version, that failed."""

    def __init__(self, code: StatusCode, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message

    def to_proto(self) -> StatusProto:
        return StatusProto(error_code=self.code.value[0], error_message=self.message)


def invalid(message: str) -> StatusError:
    """INVALID_ARGUMENT, the error that most checks end in."""
    return StatusError(StatusCode.INVALID_ARGUMENT, message)


def logged_status_of(error: Exception) -> StatusError:
    """`status_of` for a request: an unforeseen error is a bug, and leaves its traceback."""
    if not isinstance(error, StatusError | tf.errors.OpError | OSError):
        log.error("Unforeseen error", exc_info=error)
    return status_of(error)


def status_of(error: Exception) -> StatusError:
    """Gives any exception its canonical code, so that nothing leaves the server without one."""
    if isinstance(error, StatusError):
        return error
    if isinstance(error, tf.errors.OpError):
        words = re.sub(r" \[Op:\w+\]$", "", error.message)  # of an op that ran outside a graph
        return StatusError(_BY_NUMBER[error.error_code], words)
    if isinstance(error, OSError):
        return StatusError(StatusCode.NOT_FOUND, str(error))
    return StatusError(StatusCode.UNKNOWN, f"{type(error).__name__}: {error}")
