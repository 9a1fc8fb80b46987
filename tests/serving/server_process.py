"""The local server, started by its command in a process of its own."""

import os
import subprocess
import sys


def start(folder, stderr=subprocess.PIPE, **options):
    """The process, once it answers, and where: its REST and its gRPC port."""
    code = (
        "from serving.serve import serve; from serving.server_options import ServerOptions; "
        f"serve({str(folder)!r}, rest_port=0, grpc_port=0, local=True, "
        f"options=ServerOptions(**{options!r}))"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        stderr=stderr,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    greeting = process.stdout.readline()
    ports = [int(part.partition(",")[0].split()[0]) for part in greeting.split("127.0.0.1:")[1:]]
    return process, *ports
