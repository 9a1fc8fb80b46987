"""Servers in processes of their own: the local one by its command, and TensorFlow Serving's."""

import os
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from types import SimpleNamespace

import requests

from serving.serve import binary_command, write_model_config

PATIENCE = 60  # seconds until it answers


def begin(folder, stderr=subprocess.PIPE, **options):
    """The process, which prints its greeting once it answers."""
    code = (
        "from serving.serve import serve; from serving.server_options import ServerOptions; "
        f"serve({str(folder)!r}, rest_port=0, grpc_port=0, local=True, "
        f"options=ServerOptions(**{options!r}))"
    )
    return subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        stderr=stderr,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )


def start(folder, **how):
    """The process, once it answers, and where: its REST and its gRPC port."""
    process = begin(folder, **how)
    greeting = process.stdout.readline()
    ports = [int(part.partition(",")[0].split()[0]) for part in greeting.split("127.0.0.1:")[1:]]
    return process, *ports


@contextmanager
def tensorflow_serving(folder, config_file):
    """TensorFlow Serving's binary on all models of a folder, once it answers: its ports."""
    write_model_config(folder, config_file, base=None)
    ports = SimpleNamespace(rest_port=free_port(), grpc_port=free_port())
    with subprocess.Popen(binary_command(config_file, **vars(ports))) as process:
        try:
            wait_for(process, f"http://127.0.0.1:{ports.rest_port}/v1/models/")
            yield ports
        finally:
            process.terminate()


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def wait_for(process, url):
    """Until it gives any answer."""
    until = time.monotonic() + PATIENCE
    while True:
        assert process.poll() is None, "the server has ended"
        try:
            return requests.get(url, timeout=PATIENCE)
        except requests.ConnectionError:
            assert time.monotonic() < until, f"no answer in {PATIENCE} s"
            time.sleep(0.1)
