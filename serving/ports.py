"""Addresses to listen on."""

import errno
import socket


def listen(host: str, port: int) -> socket.socket:
    """Takes a port (0: any free one) of an IPv4 or IPv6 address, or of a name.

    Raises:
        ValueError: In one line, that this is no port.
        OSError: In one line, why the port is not to be had, and what to do.
    """
    if not 0 <= port <= 65535:
        raise ValueError(f"a port is 0 to 65535; got {port}")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family)
    except OSError as error:
        raise OSError(f"Cannot listen on {address(host, port)}: {_advice(error)}") from error
    # Without it an answer's body waits 40 ms for the acknowledgement of its headers.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def check_apart(rest_port: int, grpc_port: int) -> None:
    """Raises a ValueError if both protocols are to have the same port."""
    if rest_port == grpc_port != 0:
        raise ValueError(f"REST and gRPC need a port each; got {rest_port} for both: change one.")


def address(host: str, port: int) -> str:
    """``host:port``, with the brackets that an IPv6 address needs."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _advice(error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return "another server may be running; stop it or choose another port."
    reason = error.strerror.partition(" (while")[0]  # Python repeats the address there
    return f"{reason}; choose another {'port' if error.errno == errno.EACCES else '--host'}."
