"""The client that speaks JSON over HTTP."""

import base64
import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

import numpy as np

from serving.client.answers import (
    Client,
    ServerError,
    address_of,
    another_program,
    batch,
    cut_off,
    not_spoken,
    not_there,
    not_trusted,
    too_slow,
)
from serving.client.tls import Tls

_CODES = {
    400: "INVALID_ARGUMENT",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    501: "UNIMPLEMENTED",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}


class RestClient(Client):
    """Speaks JSON over HTTP, or HTTPS where it is given a `Tls`; needs no TensorFlow."""

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 8501,
        *,
        timeout: float = 60,
        tls: Tls | None = None,
    ) -> None:
        import requests

        self._address = address_of(host, port)
        self._url = f"{'https' if tls else 'http'}://{self._address}"
        self._options = {"timeout": timeout, "verify": (tls and tls.roots) or True}
        self._session = requests.Session()
        if tls and tls.certificate:
            self._session.cert = str(tls.certificate), str(tls.key)

    def predict(
        self,
        model: str,
        inputs: dict[str, Sequence],
        *,
        signature: str = "serving_default",
        version: int | None = None,
        label: str | None = None,
    ) -> dict[str, np.ndarray]:
        """The inputs of a signature by name, an entry for each text; its outputs likewise."""
        columns = {name: [_json_text(v) for v in batch(c)] for name, c in inputs.items()}
        body = {"signature_name": signature, "inputs": columns}
        path = _path(model, version, label)
        outputs = self._ask("POST", f"{path}:predict", "outputs", body)["outputs"]
        if not isinstance(outputs, dict):  # a single output comes without its name
            metadata = self._ask("GET", f"{path}/metadata", "metadata")["metadata"]
            names = metadata["signature_def"]["signature_def"][signature]["outputs"]
            outputs = {next(iter(names)): outputs}
        return {name: _column(values) for name, values in outputs.items()}

    def status(self, model: str) -> list[dict[str, Any]]:
        """A dict for each version: ``version``, ``state`` and ``status``, newest first."""
        return self._ask("GET", _path(model), "model_version_status")["model_version_status"]

    def metadata(self, model: str) -> dict[str, Any]:
        """Name and version that answer, and each signature with its inputs and outputs."""
        return self._ask("GET", f"{_path(model)}/metadata", "metadata")

    def close(self) -> None:
        self._session.close()

    def _ask(self, method: str, path: str, key: str, body: Any = None) -> dict[str, Any]:
        """An answer that has this key, or else is none of TensorFlow Serving's."""
        import requests
        from urllib3.exceptions import ProtocolError, ReadTimeoutError

        url = f"{self._url}{path}"
        sent = {}
        if body is not None:  # requests' own JSON would have no NaN, which the server takes
            sent = {"data": json.dumps(body), "headers": {"Content-Type": "application/json"}}
        try:
            response = self._session.request(method, url, **self._options, **sent)
        except requests.Timeout as error:
            raise too_slow(self._address, self._options["timeout"]) from error
        except requests.exceptions.SSLError as error:
            raise not_trusted(self._address, error.args[0].reason.args[0]) from error
        except requests.ConnectionError as error:
            if isinstance(error.args[0], ReadTimeoutError):  # in the middle of the answer
                raise too_slow(self._address, self._options["timeout"]) from error
            if isinstance(error.args[0], ProtocolError):
                raise not_spoken(self._address, "REST") from error
            raise not_there(self._address) from error
        except requests.exceptions.ChunkedEncodingError as error:
            raise cut_off(self._address) from error
        answer = _object(response)
        if "error" in answer:
            code = _CODES.get(response.status_code, "UNKNOWN")
            raise ServerError(code, answer["error"])
        if not response.ok or key not in answer:
            raise another_program(url)
        return answer


def _path(model: str, version: int | None = None, label: str | None = None) -> str:
    path = f"/v1/models/{quote(model, safe='')}"
    if version is not None:
        path += f"/versions/{version}"
    return path if label is None else f"{path}/labels/{quote(label, safe='')}"


def _object(response: Any) -> dict[str, Any]:
    """An answer's object; an empty one where the answer is none."""
    try:
        answer = response.json()
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}


def _json_text(value: Any) -> Any:
    if isinstance(value, bytes):
        return {"b64": base64.b64encode(value).decode("ascii")}
    return value


def _column(values: Any) -> np.ndarray:
    array = np.asarray(values)
    return array.astype(object) if array.dtype.kind == "U" else array
