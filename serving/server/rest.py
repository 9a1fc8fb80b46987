"""REST: TensorFlow Serving's paths, answers and error codes over HTTP."""

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from socket import socket
from typing import Any
from urllib.parse import unquote

import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.concurrency import run_in_threadpool
from google.protobuf.json_format import MessageToDict
from grpc import StatusCode
from tensorflow_serving.apis.model_pb2 import ModelSpec

from serving.server.json_tensors import parse, read_inputs, write_outputs
from serving.server.repository import Repository
from serving.server.status import StatusError, invalid, logged_status_of
from serving.server.versions import DEFAULT_SIGNATURE

_SPEC = r"/v1/models/(?P<name>[^/:]+)(?:/versions/(?P<version>[0-9]+)|/labels/(?P<label>[^/:]+))?"
_POST = re.compile(_SPEC + r":(?P<method>classify|regress|predict)", re.IGNORECASE)
_GET = re.compile(_SPEC + r"(?P<metadata>/metadata)?", re.IGNORECASE)
GRACE_SECONDS = 10
_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
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


def rest_app(repository: Repository) -> FastAPI:
    """The app has one route: errors, too, must have TensorFlow Serving's form, not FastAPI's."""
    app = FastAPI(openapi_url=None)

    @app.api_route("/{path:path}", methods=_METHODS)
    async def handle(request: Request) -> Response:
        path = request.scope["raw_path"].decode("latin-1")
        body = await request.body()
        return await run_in_threadpool(_respond, repository, request.method, path, body)

    return app


@contextmanager
def rest_served(app: FastAPI, listener: socket) -> Iterator[None]:
    """Answers on an open socket for as long as the block runs, then finishes what it has begun."""
    config = uvicorn.Config(
        app,
        lifespan="off",
        ws="none",
        log_config=None,  # uvicorn's would close the handlers that this process has already
        log_level="error",
        access_log=False,
        timeout_keep_alive=60,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=([listener],), name="rest")
    thread.start()
    try:
        yield
    finally:
        server.should_exit = True
        thread.join()


def _respond(repository: Repository, method: str, path: str, body: bytes) -> Response:
    code = 200
    try:
        content = _answer(repository, method, path, body)
    except Exception as error:  # whatever it is, the client gets a code and JSON
        status = logged_status_of(error)
        code, content = _HTTP_CODES.get(status.code, 500), {"error": status.message}
    text = json.dumps(content, ensure_ascii=False)
    return Response(text.encode("utf-8", "replace"), code, media_type="application/json")


def _answer(repository: Repository, method: str, path: str, body: bytes) -> dict[str, Any]:
    if not path.lower().startswith("/v1/"):
        raise StatusError(StatusCode.NOT_FOUND, f"Not found: {path}; expected /v1/models/<name>")
    if method == "GET" and path.lower() == "/v1/models":
        raise invalid("Missing model name in request.")
    pattern = {"GET": _GET, "POST": _POST}.get(method)
    match = pattern and pattern.fullmatch(path)
    if not match:
        raise invalid(f"Malformed request: {method} {path}")
    spec = _model_spec(match)
    if method == "POST":
        return _predict(repository, spec, match["method"].lower(), body)
    if match["metadata"]:
        return _metadata(repository, spec)
    return MessageToDict(repository.status(spec), always_print_fields_with_no_presence=True)


def _model_spec(match: re.Match[str]) -> ModelSpec:
    spec = ModelSpec(name=unquote(match["name"]))
    if match["label"]:
        spec.version_label = unquote(match["label"])
    elif match["version"]:
        if int(match["version"]) >= 2**63:
            raise invalid(f"Failed to convert version: {match['version']} to numeric.")
        spec.version.value = int(match["version"])
    return spec


def _predict(repository: Repository, spec: ModelSpec, method: str, body: bytes) -> dict[str, Any]:
    if method != "predict":
        message = f"The local server does not {method}; send the request to :predict"
        raise StatusError(StatusCode.UNIMPLEMENTED, message)
    document = parse(body)
    name = document.get("signature_name", "")
    if not isinstance(name, str):
        raise invalid("'signature_name' key must be a string value.")
    name = name or DEFAULT_SIGNATURE
    loaded = repository.find(spec)
    if name not in loaded.signatures.signature_def:
        raise invalid(f'Serving signature name: "{name}" not found in signature def')
    inputs = read_inputs(document, loaded.signature(name).inputs)
    return write_outputs(loaded.predict(name, inputs), rows="instances" in document)


def _metadata(repository: Repository, spec: ModelSpec) -> dict[str, Any]:
    loaded = repository.find(spec)
    options = {"always_print_fields_with_no_presence": True, "preserving_proto_field_name": True}
    return {
        "model_spec": MessageToDict(loaded.spec, **options),
        "metadata": {"signature_def": MessageToDict(loaded.signatures, **options)},
    }
