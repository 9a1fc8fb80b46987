"""TLS from TensorFlow Serving's ``--ssl_config_file``, for gRPC and, unlike there, REST too.

The file is an ``SSLConfig`` in text format that holds the keys and certificates themselves, in
PEM, not their paths.
"""

import ssl
from pathlib import Path
from tempfile import TemporaryDirectory

import grpc

from serving.config_messages import SSLConfig, read_message


def read(path: str | Path) -> SSLConfig:
    """Reads the file and tries its keys.

    Raises:
        ValueError: In one line, what is wrong with it.
    """
    config = read_message(path, SSLConfig)
    for name in ("server_key", "server_cert", "custom_ca"):
        text = getattr(config, name)
        if "-----BEGIN " not in text and (text or name != "custom_ca"):
            raise ValueError(f"{path}: {name} holds the PEM text itself; got {text[:40]!r}")
    if config.client_verify and not config.custom_ca:
        raise ValueError(f"{path}: client_verify needs custom_ca, the clients' authority")
    try:
        _trust(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), config)
    except (ssl.SSLError, TypeError) as error:  # a TypeError for what is not ASCII
        raise ValueError(f"{path}: custom_ca holds no certificates in PEM: {error}") from error
    try:
        context(config)
    except (ssl.SSLError, OSError) as error:
        raise ValueError(
            f"{path}: server_key and server_cert do not go together: {error}"
        ) from error
    return config


def credentials(config: SSLConfig) -> grpc.ServerCredentials:
    """For a gRPC port."""
    return grpc.ssl_server_credentials(
        [(config.server_key.encode(), config.server_cert.encode())],
        root_certificates=config.custom_ca.encode() or None,
        require_client_auth=config.client_verify,
    )


def context(config: SSLConfig) -> ssl.SSLContext:
    """For a REST port."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    with TemporaryDirectory() as folder:  # OpenSSL reads a key from a file only
        key, certificate = Path(folder, "key.pem"), Path(folder, "certificate.pem")
        key.write_text(config.server_key)
        certificate.write_text(config.server_cert)
        made.load_cert_chain(certificate, key, password="")  # an encrypted key asks nobody
    _trust(made, config)
    if config.client_verify:
        made.verify_mode = ssl.CERT_REQUIRED
    return made


def _trust(context: ssl.SSLContext, config: SSLConfig) -> None:
    if config.custom_ca:
        context.load_verify_locations(cadata=config.custom_ca)
