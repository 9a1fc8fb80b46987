"""Whom a client trusts, and how it shows itself."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Tls:
    """The PEM files that a client speaks TLS with; without any it trusts whom the system trusts.

    Attributes:
        ca: The authorities to trust instead; a certificate that signed itself is its own.
        certificate: The client's own, for a server that asks for one (``client_verify``).
        key: What the certificate was made with.

    Raises:
        ValueError: In one line, which file is wrong.
    """

    ca: str | Path | None = None
    certificate: str | Path | None = None
    key: str | Path | None = None

    def __post_init__(self) -> None:
        if bool(self.certificate) != bool(self.key):
            raise ValueError("a client's certificate and its key go together; got one of them")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        with _read("authority", self.ca):
            if self.ca:
                context.load_verify_locations(self.ca)
        with _read("certificate and key", self.certificate, self.key):
            if self.certificate:
                context.load_cert_chain(self.certificate, self.key, password="")  # asks nobody

    @property
    def roots(self) -> str | None:
        """The file of those to trust; None where the system has none, for the library's own."""
        return str(self.ca) if self.ca else ssl.get_default_verify_paths().cafile


@contextmanager
def _read(what: str, *files: str | Path | None) -> Iterator[None]:
    try:
        yield
    except OSError as error:  # an SSLError is one
        named = " and ".join(map(str, files))
        raise ValueError(f"no {what} in PEM's format in {named}: {error}") from error
