"""Clients for a server that speaks TensorFlow Serving's protocol, over REST or gRPC.

Both have the same methods and give the same answers:

>>> client = RestClient()
>>> client.translate("dates", ["9 February 2013"])
{'text': array(['2013-02-09'], dtype=object), 'score': array([-0.01])}
"""

import base64
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

import numpy as np

from serving.ports import address

_CODES = {
    400: "INVALID_ARGUMENT",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    501: "UNIMPLEMENTED",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}


class ServerError(Exception):
    """The server refused, failed, or is not there.

    Attributes:
        code: The canonical name, such as ``NOT_FOUND``.
        message: What the server said.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


class RestClient:
    """Speaks JSON over HTTP; needs no TensorFlow."""

    def __init__(self, host: str = "127.0.0.1", port: int = 8501, *, timeout: float = 60) -> None:
        import requests

        self._address = _address(host, port)
        self._timeout = timeout
        self._session = requests.Session()

    def translate(
        self,
        model: str,
        texts: Sequence[str | bytes],
        *,
        signature: str = "serving_default",
        version: int | None = None,
        label: str | None = None,
    ) -> dict[str, np.ndarray]:
        """Raw texts in; each output of the signature by name, an entry for each text."""
        values = [_json_text(text) for text in _batch(texts)]
        body = {"signature_name": signature, "inputs": {"text": values}}
        path = _path(model, version, label)
        outputs = self._ask("POST", f"{path}:predict", json=body)["outputs"]
        if not isinstance(outputs, dict):  # a single output comes without its name
            metadata = self._ask("GET", f"{path}/metadata")["metadata"]
            names = metadata["signature_def"]["signature_def"][signature]["outputs"]
            outputs = {next(iter(names)): outputs}
        return {name: _column(values) for name, values in outputs.items()}

    def status(self, model: str) -> list[dict[str, Any]]:
        """A dict for each version: ``version``, ``state`` and ``status``, newest first."""
        return self._ask("GET", _path(model))["model_version_status"]

    def metadata(self, model: str) -> dict[str, Any]:
        """Name and version that answer, and each signature with its inputs and outputs."""
        return self._ask("GET", f"{_path(model)}/metadata")

    def _ask(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        import requests
        from urllib3.exceptions import ProtocolError

        url = f"http://{self._address}{path}"
        try:
            response = self._session.request(method, url, timeout=self._timeout, **options)
        except requests.Timeout as error:
            raise _too_slow(self._address, self._timeout) from error
        except requests.ConnectionError as error:
            if isinstance(error.args[0], ProtocolError):
                raise _not_spoken(self._address, "REST") from error
            raise _not_there(self._address) from error
        try:
            answer = response.json()
        except ValueError:
            answer = {"error": f"{url} gave no JSON: is another program on {self._address}?"}
        if not response.ok or "error" in answer:
            code = _CODES.get(response.status_code, "UNKNOWN")
            raise ServerError(code, answer.get("error", response.reason))
        return answer


class GrpcClient:
    """Speaks protobuf over gRPC; brings TensorFlow with tensorflow-serving-api."""

    def __init__(self, host: str = "127.0.0.1", port: int = 8500, *, timeout: float = 60) -> None:
        import grpc
        from tensorflow_serving.apis.model_service_pb2_grpc import ModelServiceStub
        from tensorflow_serving.apis.prediction_service_pb2_grpc import PredictionServiceStub

        self._address = _address(host, port)
        self._timeout = timeout
        options = [("grpc.max_receive_message_length", -1)]
        self._channel = grpc.insecure_channel(self._address, options=options)
        self._models = ModelServiceStub(self._channel)
        self._predictions = PredictionServiceStub(self._channel)

    def translate(
        self,
        model: str,
        texts: Sequence[str | bytes],
        *,
        signature: str = "serving_default",
        version: int | None = None,
        label: str | None = None,
    ) -> dict[str, np.ndarray]:
        """Raw texts in; each output of the signature by name, an entry for each text."""
        import tensorflow as tf
        from tensorflow_serving.apis.predict_pb2 import PredictRequest

        request = PredictRequest()
        request.model_spec.CopyFrom(_model_spec(model, version, label))
        request.model_spec.signature_name = signature
        values = tf.make_tensor_proto(_batch(texts), tf.string, [len(texts)])
        request.inputs["text"].CopyFrom(values)
        response = self._ask(self._predictions.Predict, request)
        return {name: _decoded(tf.make_ndarray(t)) for name, t in response.outputs.items()}

    def status(self, model: str) -> list[dict[str, Any]]:
        """A dict for each version: ``version``, ``state`` and ``status``, newest first."""
        from google.protobuf.json_format import MessageToDict
        from tensorflow_serving.apis.get_model_status_pb2 import GetModelStatusRequest

        request = GetModelStatusRequest(model_spec=_model_spec(model))
        response = self._ask(self._models.GetModelStatus, request)
        answer = MessageToDict(response, always_print_fields_with_no_presence=True)
        return answer["model_version_status"]

    def metadata(self, model: str) -> dict[str, Any]:
        """Name and version that answer, and each signature with its inputs and outputs."""
        from google.protobuf.json_format import MessageToDict
        from tensorflow_serving.apis.get_model_metadata_pb2 import (
            GetModelMetadataRequest,
            SignatureDefMap,
        )

        request = GetModelMetadataRequest(
            model_spec=_model_spec(model), metadata_field=["signature_def"]
        )
        response = self._ask(self._predictions.GetModelMetadata, request)
        signatures = SignatureDefMap()
        response.metadata["signature_def"].Unpack(signatures)
        options = {
            "always_print_fields_with_no_presence": True,
            "preserving_proto_field_name": True,
        }
        return {
            "model_spec": MessageToDict(response.model_spec, **options),
            "metadata": {"signature_def": MessageToDict(signatures, **options)},
        }

    def close(self) -> None:
        self._channel.close()

    def _ask(self, method: Any, request: Any) -> Any:
        import grpc

        try:
            return method(request, timeout=self._timeout)
        except grpc.RpcError as error:
            if error.code() is grpc.StatusCode.UNAVAILABLE:
                if "HTTP/2" in error.details():
                    raise _not_spoken(self._address, "gRPC") from error
                if "failed to connect" in error.details():  # else the server says why itself
                    raise _not_there(self._address) from error
            if error.code() is grpc.StatusCode.DEADLINE_EXCEEDED:
                raise _too_slow(self._address, self._timeout) from error
            raise ServerError(error.code().name, error.details()) from error


def _address(host: str, port: int) -> str:
    host = host.strip("[]")
    if "/" in host or host.count(":") == 1:
        raise ValueError(
            "a host is a name or an address, such as localhost, without http:// and port; "
            f"got {host!r}"
        )
    return address(host, port)


def _not_there(where: str) -> ServerError:
    message = f"no server on {where}; start one with: attention-zoo serve saved_models"
    return ServerError("UNAVAILABLE", message)


def _not_spoken(where: str, protocol: str) -> ServerError:
    message = f"no {protocol} from {where}; gRPC is spoken on 8500, REST on 8501"
    return ServerError("UNAVAILABLE", message)


def _too_slow(where: str, seconds: float) -> ServerError:
    return ServerError("DEADLINE_EXCEEDED", f"no answer from {where} within {seconds:g} s")


def _path(model: str, version: int | None = None, label: str | None = None) -> str:
    path = f"/v1/models/{quote(model, safe='')}"
    if version is not None:
        path += f"/versions/{version}"
    return path if label is None else f"{path}/labels/{quote(label, safe='')}"


def _batch(texts: Sequence[str | bytes]) -> list[str | bytes]:
    if isinstance(texts, str | bytes):
        raise TypeError("texts is a single string; expected a list of strings: put it in [ ]")
    return list(texts)


def _json_text(text: str | bytes) -> str | dict[str, str]:
    return text if isinstance(text, str) else {"b64": base64.b64encode(text).decode("ascii")}


def _column(values: Any) -> np.ndarray:
    array = np.asarray(values)
    return array.astype(object) if array.dtype.kind == "U" else array


def _decoded(array: np.ndarray) -> np.ndarray:
    if array.dtype != object:
        return array
    return np.frompyfunc(lambda text: text.decode("utf-8", "replace"), 1, 1)(array)


def _model_spec(model: str, version: int | None = None, label: str | None = None) -> Any:
    from tensorflow_serving.apis.model_pb2 import ModelSpec

    spec = ModelSpec(name=model, version_label=label)
    if version is not None:
        spec.version.value = version
    return spec
