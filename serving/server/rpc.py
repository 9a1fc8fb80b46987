"""gRPC: the servicers of tensorflow-serving-api over the repository."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import wraps

import grpc
from google.protobuf.message import Message
from tensorflow_serving.apis.get_model_metadata_pb2 import (
    GetModelMetadataRequest,
    GetModelMetadataResponse,
)
from tensorflow_serving.apis.get_model_status_pb2 import (
    GetModelStatusRequest,
    GetModelStatusResponse,
)
from tensorflow_serving.apis.model_service_pb2_grpc import (
    ModelServiceServicer,
    add_ModelServiceServicer_to_server,
)
from tensorflow_serving.apis.predict_pb2 import PredictRequest, PredictResponse
from tensorflow_serving.apis.prediction_service_pb2_grpc import (
    PredictionServiceServicer,
    add_PredictionServiceServicer_to_server,
)

from serving.ports import address, listen
from serving.server.repository import Repository
from serving.server.status import invalid, logged_status_of

THREADS = 16
GRACE_SECONDS = 10
_MESSAGE_LIMIT = 1024  # as in TensorFlow Serving: the message travels in a header


def _answers(method: Callable) -> Callable:
    """A servicer's method that returns the response or raises; errors become gRPC's."""

    @wraps(method)
    def call(self, request: Message, context: grpc.ServicerContext) -> Message:
        try:
            if not request.HasField("model_spec"):
                raise invalid("Missing ModelSpec")
            return method(self, request)
        except Exception as error:  # whatever it is, the client gets a code
            status = logged_status_of(error)
        message = status.message
        if len(message) > _MESSAGE_LIMIT:
            message = message[:_MESSAGE_LIMIT] + "...TRUNCATED"
        return context.abort(status.code, message)

    return call


class PredictionService(PredictionServiceServicer):
    def __init__(self, repository: Repository) -> None:
        self._repository = repository

    @_answers
    def Predict(self, request: PredictRequest) -> PredictResponse:
        return self._repository.find(request.model_spec).answer(request)

    @_answers
    def GetModelMetadata(self, request: GetModelMetadataRequest) -> GetModelMetadataResponse:
        if not request.metadata_field:
            raise invalid("GetModelMetadataRequest must specify at least one metadata_field")
        for field in request.metadata_field:
            if field != "signature_def":
                raise invalid(f"Metadata field {field} is not supported")
        loaded = self._repository.find(request.model_spec)
        response = GetModelMetadataResponse(model_spec=loaded.spec)
        response.metadata["signature_def"].Pack(loaded.signatures)
        return response


class ModelService(ModelServiceServicer):
    def __init__(self, repository: Repository) -> None:
        self._repository = repository

    @_answers
    def GetModelStatus(self, request: GetModelStatusRequest) -> GetModelStatusResponse:
        return self._repository.status(request.model_spec)


def bind(repository: Repository, host: str, port: int) -> tuple[grpc.Server, int]:
    """A server that holds its port but does not answer yet.

    Raises:
        OSError: In one line, why the port is not to be had.
    """
    listen(host, port).close()  # gRPC would print its own complaint, and give no reason
    options = [("grpc.so_reuseport", 0), ("grpc.max_receive_message_length", -1)]
    server = grpc.server(ThreadPoolExecutor(THREADS, "grpc"), options=options)
    add_PredictionServiceServicer_to_server(PredictionService(repository), server)
    add_ModelServiceServicer_to_server(ModelService(repository), server)
    try:
        return server, server.add_insecure_port(address(host, port))
    except RuntimeError as error:  # taken in between
        raise OSError(f"Cannot listen on {address(host, port)}: {error}") from error


@contextmanager
def grpc_served(server: grpc.Server) -> Iterator[None]:
    """Answers for as long as the block runs, then finishes what it has begun."""
    server.start()
    try:
        yield
    finally:
        server.stop(GRACE_SECONDS).wait()
