"""What both clients take, and how they say that no answer came."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from serving.ports import address


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


class Client:
    """What both clients make of `predict`."""

    def translate(self, model: str, texts: Sequence[str | bytes], **options: Any) -> dict:
        """Raw texts in; each output of the signature by name, an entry for each text.

        Args:
            model: Its name on the server.
            texts: What to translate.
            **options: `signature`, `version` and `label`, as in `predict`.
        """
        return self.predict(model, {"text": texts}, **options)


def address_of(host: str, port: int) -> str:
    host = host.strip("[]")
    if "/" in host or host.count(":") == 1:
        raise ValueError(
            "a host is a name or an address, such as localhost, without http:// and port; "
            f"got {host!r}"
        )
    return address(host, port)


def not_there(where: str) -> ServerError:
    message = f"no server on {where}; start one with: attention-zoo serve saved_models"
    return ServerError("UNAVAILABLE", message)


def not_spoken(where: str, protocol: str) -> ServerError:
    message = (
        f"no {protocol} from {where}; gRPC is spoken on 8500, REST on 8501; a server with TLS "
        "speaks in TLS alone, and may want a client's certificate"
    )
    return ServerError("UNAVAILABLE", message)


def not_trusted(where: str, reason: object) -> ServerError:
    message = (
        f"no TLS with {where}: {reason}; trusted are the system's authorities, or a CA file's; "
        "the server may want a client's certificate"
    )
    return ServerError("UNAVAILABLE", message)


def cut_off(where: str) -> ServerError:
    message = f"the answer from {where} was cut off; the server may have stopped: ask again"
    return ServerError("UNAVAILABLE", message)


def another_program(url: str) -> ServerError:
    message = f"no answer of TensorFlow Serving's kind from {url}: is another program there?"
    return ServerError("UNAVAILABLE", message)


def too_slow(where: str, seconds: float) -> ServerError:
    return ServerError("DEADLINE_EXCEEDED", f"no answer from {where} within {seconds:g} s")


def batch(values: Sequence) -> list:
    if isinstance(values, str | bytes):
        raise TypeError("texts is a single string; expected a list of strings: put it in [ ]")
    return np.asarray(values).tolist() if isinstance(values, np.ndarray) else list(values)
