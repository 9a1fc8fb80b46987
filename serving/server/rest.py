"""REST: TensorFlow Serving's paths, answers and error codes over HTTP."""

import asyncio
import json
import re
import time
from concurrent.futures import Executor
from typing import Any
from urllib.parse import unquote

from google.protobuf.json_format import MessageToDict
from grpc import StatusCode
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from tensorflow.core.protobuf.meta_graph_pb2 import SignatureDef
from tensorflow_serving.apis.model_pb2 import ModelSpec

from serving.server.classification import check_examples, refuse
from serving.server.json_tensors import parse, read_inputs, write_outputs
from serving.server.json_values import show
from serving.server.metrics import CONTENT_TYPE, Metrics
from serving.server.pending import Pending
from serving.server.repository import Repository
from serving.server.request_body import BodyError, read_body
from serving.server.status import StatusError, invalid, logged_status_of
from serving.server.versions import DEFAULT_SIGNATURE, LoadedVersion

_SPEC = r"/v1/models/(?P<name>[^/:]+)(?:/versions/(?P<version>[0-9]+)|/labels/(?P<label>[^/:]+))?"
_POST = re.compile(_SPEC + r":(?P<method>classify|regress|predict)", re.IGNORECASE)
_GET = re.compile(_SPEC + r"(?P<metadata>/metadata)?", re.IGNORECASE)
_HTTP_CODES = {
    StatusCode.INVALID_ARGUMENT: 400,
    StatusCode.FAILED_PRECONDITION: 400,
    StatusCode.OUT_OF_RANGE: 400,
    StatusCode.UNAUTHENTICATED: 401,
    StatusCode.PERMISSION_DENIED: 403,
    StatusCode.NOT_FOUND: 404,
    StatusCode.ALREADY_EXISTS: 409,
    StatusCode.ABORTED: 409,
    StatusCode.RESOURCE_EXHAUSTED: 429,
    StatusCode.CANCELLED: 499,
    StatusCode.UNIMPLEMENTED: 501,
    StatusCode.UNAVAILABLE: 503,
    StatusCode.DEADLINE_EXCEEDED: 504,
}


class RestApi:
    """An ASGI application, without a framework: errors, too, have TensorFlow Serving's form.

    Args:
        repository: The models.
        metrics: What is counted.
        pending: The bound on requests at once.
        threads: Where predictions run.
        max_request_bytes: The largest body.
        max_rows: The most rows of a request.
        metrics_path: Where the metrics are; nowhere, if not given.
    """

    def __init__(
        self,
        repository: Repository,
        metrics: Metrics,
        pending: Pending,
        threads: Executor,
        max_request_bytes: int,
        max_rows: int,
        metrics_path: str | None,
    ) -> None:
        self._repository = repository
        self._metrics = metrics
        self._pending = pending
        self._threads = threads
        self._max_request_bytes = max_request_bytes
        self._max_rows = max_rows
        self._metrics_path = metrics_path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = await self._handle(Request(scope, receive))
        await response(scope, receive, send)

    async def _handle(self, request: Request) -> Response:
        """Predictions wait for a thread; the rest, a probe's questions, is answered at once."""
        began = time.perf_counter()
        method, path = request.method, request.scope["raw_path"].decode("latin-1")
        if path == self._metrics_path:
            return Response(self._metrics.page(self._pending.count), media_type=CONTENT_TYPE)
        if method != "POST":
            return self._respond(method, path, b"", began)
        try:
            with self._pending.admitted():
                body = await read_body(request, self._max_request_bytes)
                asked = method, path, body, began
                loop = asyncio.get_running_loop()
                return await loop.run_in_executor(self._threads, self._respond, *asked)
        except BodyError as error:
            return self._refuse(path, error.http_code, error, began)
        except StatusError as error:
            return self._refuse(path, _HTTP_CODES[error.code], error, began)

    def _respond(self, method: str, path: str, body: bytes, began: float) -> Response:
        try:
            content = self._answer(method, path, body)
        except Exception as error:  # whatever it is, the client gets a code and JSON
            status = logged_status_of(error)
            return self._refuse(path, _HTTP_CODES.get(status.code, 500), status, began)
        response = _json(200, content)
        self._count(path, "OK", began)
        return response

    def _answer(self, method: str, path: str, body: bytes) -> dict[str, Any]:
        if not path.lower().startswith("/v1/"):
            message = f"Not found: {path}; expected /v1/models/<name>"
            raise StatusError(StatusCode.NOT_FOUND, message)
        if method == "GET" and path.lower() == "/v1/models":
            raise invalid("Missing model name in request.")
        pattern = {"GET": _GET, "POST": _POST}.get(method)
        match = pattern and pattern.fullmatch(path)
        if not match:
            raise invalid(f"Malformed request: {method} {path}")
        spec = _model_spec(match)
        if method == "POST":
            document = parse(body)
            name = document.get("signature_name", "")
            if not isinstance(name, str):
                problem = "not formatted correctly. 'signature_name' key must be a string value."
                raise invalid(f"JSON Value: {show(name)} {problem}")
            if match["method"].lower() == "predict":
                return self._predict(spec, name or DEFAULT_SIGNATURE, document)
            check_examples(document)
            refuse(match["method"].lower(), name, _signatures(self._repository.find(spec)))
        if match["metadata"]:
            return _metadata(self._repository.find(spec))
        status = self._repository.status(spec)
        return MessageToDict(status, always_print_fields_with_no_presence=True)

    def _predict(self, spec: ModelSpec, signature_name: str, document: dict) -> dict[str, Any]:
        loaded = self._repository.find(spec)
        if signature_name not in _signatures(loaded):
            raise invalid(f'Serving signature name: "{signature_name}" not found in signature def')
        infos = dict(loaded.signature(signature_name).inputs)
        inputs = read_inputs(document, infos, self._max_rows)
        with self._metrics.running(spec.name):
            outputs = loaded.predict(signature_name, inputs)
        return write_outputs(outputs, rows="instances" in document)

    def _refuse(self, path: str, code: int, error: StatusError, began: float) -> Response:
        self._count(path, error.code.name, began)
        response = _json(code, {"error": error.message})
        if code == 408:  # the rest of the request may come yet, or never
            response.headers["connection"] = "close"
        return response

    def _count(self, path: str, status: str, began: float) -> None:
        match = _POST.fullmatch(path) or _GET.fullmatch(path)
        if match:
            name = self._repository.known(unquote(match["name"]))
            method = match.groupdict().get("method", "").lower()
            self._metrics.answered(name, method, "REST", status, began)


def _json(code: int, content: dict[str, Any]) -> Response:
    text = json.dumps(content, ensure_ascii=False)
    return Response(text.encode("utf-8", "replace"), code, media_type="application/json")


def _model_spec(match: re.Match[str]) -> ModelSpec:
    spec = ModelSpec(name=unquote(match["name"]))
    if match["label"]:
        spec.version_label = unquote(match["label"])
    elif match["version"]:
        if len(match["version"]) > 19 or int(match["version"]) >= 2**63:
            raise invalid(f"Failed to convert version: {match['version']} to numeric.")
        spec.version.value = int(match["version"])
    return spec


def _signatures(loaded: LoadedVersion) -> dict[str, SignatureDef]:
    """A dict, since protobuf's map raises for half a surrogate pair, which JSON can spell."""
    return dict(loaded.signatures.signature_def)


def _metadata(loaded: LoadedVersion) -> dict[str, Any]:
    options = {"always_print_fields_with_no_presence": True, "preserving_proto_field_name": True}
    return {
        "model_spec": MessageToDict(loaded.spec, **options),
        "metadata": {"signature_def": MessageToDict(loaded.signatures, **options)},
    }
