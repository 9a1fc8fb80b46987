"""gRPC: the servicers of tensorflow-serving-api over the repository."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import wraps

import grpc
from google.protobuf.message import Message
from tensorflow_serving.apis.classification_pb2 import (
    ClassificationRequest,
    ClassificationResponse,
)
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
from tensorflow_serving.apis.regression_pb2 import RegressionRequest, RegressionResponse

from serving.ports import address, listen
from serving.server.classification import refuse
from serving.server.malformed import MalformedRequests
from serving.server.metrics import Metrics
from serving.server.pending import Pending
from serving.server.repository import Repository
from serving.server.status import invalid, logged_status_of

QUESTIONS = 4  # about models, answered while as many predictions run as may
_MESSAGE_LIMIT = 1024  # bytes, as in TensorFlow Serving: the message travels in a header


def _answers(method: Callable) -> Callable:
    """A servicer's method that returns the response or raises; errors become gRPC's."""

    @wraps(method)
    def call(self, request: Message, context: grpc.ServicerContext) -> Message:
        began = time.perf_counter()
        try:
            if not request.HasField("model_spec"):
                raise invalid("Missing ModelSpec")
            response = method(self, request)
        except Exception as error:  # whatever it is, the client gets a code
            status = logged_status_of(error)
            self.count(method.__name__, request, status.code.name, began)
        else:
            self.count(method.__name__, request, "OK", began)
            return response
        return context.abort(status.code, _cut(status.message))

    return call


def _cut(message: str) -> str:
    """A message that fits: by its bytes, of which a character may have several."""
    data = message.encode("utf-8", "replace")
    if len(data) <= _MESSAGE_LIMIT:
        return data.decode()
    return data[:_MESSAGE_LIMIT].decode("utf-8", "ignore") + "...TRUNCATED"


def _not_offered(_servicer: object, _request: Message, context: grpc.ServicerContext) -> Message:
    """In place of a stub's method, which leaves a traceback in the log each time."""
    return context.abort(grpc.StatusCode.UNIMPLEMENTED, "Method not implemented!")


class PredictionService(PredictionServiceServicer):
    MultiInference = _not_offered

    def __init__(self, repository: Repository, metrics: Metrics, pending: Pending) -> None:
        self._repository = repository
        self._metrics = metrics
        self._pending = pending

    def count(self, method: str, request: Message, status: str, began: float) -> None:
        if method != "GetModelMetadata":  # which TensorFlow Serving does not count either
            name = self._repository.known(request.model_spec.name)
            self._metrics.answered(name, method, "GRPC", status, began)

    @_answers
    def Predict(self, request: PredictRequest) -> PredictResponse:
        with self._pending.admitted():
            loaded = self._repository.find(request.model_spec)
            with self._metrics.running(request.model_spec.name):
                return loaded.answer(request)

    @_answers
    def Classify(self, request: ClassificationRequest) -> ClassificationResponse:
        signatures = self._repository.find(request.model_spec).signatures.signature_def
        return refuse("classify", request.model_spec.signature_name, signatures)

    @_answers
    def Regress(self, request: RegressionRequest) -> RegressionResponse:
        signatures = self._repository.find(request.model_spec).signatures.signature_def
        return refuse("regress", request.model_spec.signature_name, signatures)

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
    HandleReloadConfigRequest = _not_offered

    def __init__(self, repository: Repository) -> None:
        self._repository = repository

    def count(self, *_: object) -> None:
        """TensorFlow Serving counts no questions about models over gRPC."""

    @_answers
    def GetModelStatus(self, request: GetModelStatusRequest) -> GetModelStatusResponse:
        return self._repository.status(request.model_spec)


def make_server(
    repository: Repository,
    metrics: Metrics,
    pending: Pending,
    threads: ThreadPoolExecutor,
    max_request_bytes: int,
) -> grpc.Server:
    """A server without a port; what is beyond its bounds is RESOURCE_EXHAUSTED.

    The threads are its own: a call holds one from its first byte on.
    """
    options = [
        ("grpc.so_reuseport", 0),
        ("grpc.max_receive_message_length", max_request_bytes),
    ]
    server = grpc.server(
        threads,
        interceptors=[MalformedRequests()],
        options=options,
        maximum_concurrent_rpcs=pending.limit + QUESTIONS,
    )
    add_PredictionServiceServicer_to_server(PredictionService(repository, metrics, pending), server)
    add_ModelServiceServicer_to_server(ModelService(repository), server)
    return server


def bind(server: grpc.Server, host: str, port: int, tls: grpc.ServerCredentials | None) -> int:
    """Takes a port, without answering yet.

    Raises:
        OSError: In one line, why the port is not to be had.
    """
    listen(host, port).close()  # gRPC would print its own complaint, and give no reason
    place = address(host, port)
    try:
        return server.add_secure_port(place, tls) if tls else server.add_insecure_port(place)
    except RuntimeError as error:  # taken in between
        raise OSError(f"Cannot listen on {place}: {error}") from error


@contextmanager
def grpc_served(server: grpc.Server, grace_seconds: float) -> Iterator[None]:
    """Answers for as long as the block runs, then finishes what it has begun."""
    server.start()
    try:
        yield
    finally:
        server.stop(grace_seconds).wait()
