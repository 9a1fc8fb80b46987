"""Ports to listen on."""

import socket


def listen(host: str, port: int) -> socket.socket:
    """Takes a port (0: any free one).

    Raises:
        OSError: In one line, that the port is not to be had, and what to do.
    """
    try:
        listener = socket.create_server((host, port))
    except OSError as error:
        raise port_in_use(host, port) from error
    # Without it an answer's body waits 40 ms for the acknowledgement of its headers.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def port_in_use(host: str, port: int) -> OSError:
    return OSError(
        f"Cannot listen on {host}:{port}: another server may be running; "
        "stop it or choose another port."
    )
