"""Serves a folder of saved models: by TensorFlow Serving where it is, else by the local server."""

import contextlib
import logging
import os
import shutil
import signal
import subprocess
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from serving import model_config
from serving.ports import address, check_apart, listen
from serving.server_options import BOUNDS, ServerOptions

BINARY = "tensorflow_model_server"
IMAGE = "tensorflow/serving:latest"
GPU_IMAGE = "tensorflow/serving:latest-gpu"
MOUNT = "/models"
CONFIG = Path(__file__).parent / "deploy" / "config"
DEFAULTS = ServerOptions()
# A server's, unless the user has set them. Decoding is many small operations, and TensorFlow's own
# kernels begin one sooner than oneDNN's.
ENVIRONMENT = {"TF_ENABLE_ONEDNN_OPTS": "0"}


def serve(
    folder: str | Path = "saved_models",
    *,
    host: str = "127.0.0.1",
    rest_port: int = 8501,
    grpc_port: int = 8500,
    model_config_file: str | Path | None = None,
    docker: bool = False,
    gpu: bool = False,
    local: bool = False,
    options: ServerOptions = DEFAULTS,
) -> int:
    """Serves until ctrl-C or SIGTERM, and says in one line what is served where.

    Args:
        folder: Holds ``<name>/<integer version>/saved_model.pb``.
        host: The address to listen on. TensorFlow Serving's own binary listens on all.
        rest_port: The port for REST.
        grpc_port: The port for gRPC.
        model_config_file: A ``models.config`` instead of every model in the folder; for docker
            its base paths are under ``/models``.
        docker: Run TensorFlow Serving's image.
        gpu: Run its GPU image.
        local: Run the local server even where TensorFlow Serving's binary is on the PATH.
        options: Batching, metrics and TLS; and bounds, which only the local server knows.

    Returns:
        The server's exit status.

    Raises:
        ValueError: In one line, what is wrong with the flags, the ports or the folder.
        OSError: In one line, a port that is not to be had or a program that is missing.
    """
    _check(docker=docker, gpu=gpu, local=local)
    locally = not docker and (local or not shutil.which(BINARY))
    if not docker and not locally:
        host = "0.0.0.0"  # the binary has no flag for it
    check_apart(rest_port, grpc_port)
    if not locally and 0 in (rest_port, grpc_port):
        raise ValueError("TensorFlow Serving picks no free port: choose one, not 0.")
    for port in (rest_port, grpc_port):
        listen(host, port).close()
    if locally:
        return _serve_locally(folder, host, rest_port, grpc_port, model_config_file, options)
    _check_bounds(options)
    with TemporaryDirectory() as scratch:
        config_file = Path(model_config_file or Path(scratch, "models.config")).resolve()
        if not model_config_file:
            write_model_config(folder, config_file, MOUNT if docker else None)
        names = [model.name for model in model_config.read(config_file).model_config_list.config]
        if docker:
            command = docker_command(
                folder, config_file, host, rest_port, grpc_port, gpu=gpu, options=options
            )
        else:
            command = binary_command(config_file, rest_port, grpc_port, options)
        server = _image(gpu) if docker else BINARY
        what = f"{', '.join(names)}:"
        print(_greeting(server, what, host, rest_port, grpc_port), flush=True)
        return _run(command)


def write_model_config(folder: str | Path, path: str | Path, base: str | None = MOUNT) -> None:
    """Writes the model list of a whole folder, for a server that sees the folder as `base`."""
    model_config.write(model_config.scan(folder, base), path)


def binary_command(
    config_file: Path, rest_port: int, grpc_port: int, options: ServerOptions = DEFAULTS
) -> list[str]:
    """TensorFlow Serving's command, with labels and changes of the list as the local server has
    them, and batching only where a file says how: it refuses a request of more rows than a batch
    holds, which the local server runs alone."""
    return [
        BINARY,
        f"--port={grpc_port}",
        f"--rest_api_port={rest_port}",
        f"--model_config_file={config_file}",
        "--model_config_file_poll_wait_seconds=60",
        "--allow_version_labels_for_unavailable_models=true",
        *(["--enable_batching"] if options.batching_parameters_file else []),
        *(f"--{name}={path}" for name, path in _files(options).items()),
    ]


def docker_command(
    folder: str | Path,
    config_file: Path,
    host: str,
    rest_port: int,
    grpc_port: int,
    *,
    gpu: bool = False,
    options: ServerOptions = DEFAULTS,
) -> list[str]:
    """`docker run` with the folder and the model list read-only, its ports open on `host` only.

    The binary itself is the entry point: the image's own is a shell script that keeps ctrl-C.
    """
    files = {"model_config_file": config_file, **_files(options)}
    inside = {name: f"/config/{name}" for name in files}
    moved = replace(options, **{name: inside[name] for name in _files(options)})
    return [
        *("docker", "run", "--rm", "--init"),
        *(("--gpus", "all") if gpu else ()),
        *(
            part
            for name, value in ENVIRONMENT.items()
            for part in ("--env", f"{name}={os.environ.get(name, value)}")
        ),
        *("--publish", f"{address(host, rest_port)}:8501"),
        *("--publish", f"{address(host, grpc_port)}:8500"),
        *("--mount", f"type=bind,source={Path(folder).resolve()},target={MOUNT},readonly"),
        *(
            part
            for name, path in files.items()
            for part in ("--mount", f"type=bind,source={path},target={inside[name]},readonly")
        ),
        *("--entrypoint", BINARY),
        _image(gpu),
        *binary_command(Path(inside["model_config_file"]), 8501, 8500, moved)[1:],
    ]


def _files(options: ServerOptions) -> dict[str, Path]:
    """TensorFlow Serving's flags that name files, and the files."""
    files = {
        "batching_parameters_file": options.batching_parameters_file,
        "monitoring_config_file": options.monitoring_config_file or CONFIG / "monitoring.config",
        "ssl_config_file": options.ssl_config_file,
        "tensorflow_session_config_file": options.tensorflow_session_config_file
        or CONFIG / "session.config",
    }
    return {name: Path(path).resolve() for name, path in files.items() if path}


def _check_bounds(options: ServerOptions) -> None:
    for name in BOUNDS:
        if getattr(options, name) != getattr(DEFAULTS, name):
            flag = name.replace("_", "-")
            raise ValueError(f"--{flag} is the local server's: add --local, or leave it out.")


def _image(gpu: bool) -> str:
    return GPU_IMAGE if gpu else IMAGE


def _greeting(server: str, what: str, host: str, rest_port: int, grpc_port: int) -> str:
    where = f"REST on {address(host, rest_port)}, gRPC on {address(host, grpc_port)}"
    return f"{server} serves {what} {where} (ctrl-C stops it)"


def _check(*, docker: bool, gpu: bool, local: bool) -> None:
    if docker and local:
        raise ValueError("--docker and --local exclude each other; choose one.")
    if gpu and not docker:
        raise ValueError("--gpu chooses the image of --docker; add --docker.")
    if docker and not shutil.which("docker"):
        raise FileNotFoundError("No docker on the PATH: install it, or serve without --docker.")


def _serve_locally(
    folder: str | Path,
    host: str,
    rest_port: int,
    grpc_port: int,
    model_config_file: str | Path | None,
    options: ServerOptions,
) -> int:
    from serving.server import LocalServer  # brings TensorFlow, which the others do without

    with LocalServer(
        folder,
        host=host,
        rest_port=rest_port,
        grpc_port=grpc_port,
        model_config_file=model_config_file,
        options=options,
    ) as server:
        names, place = server.repository.served(), model_config_file or folder
        nothing = f"nothing yet: no version in {place} could be loaded, see above;"
        what = f"{', '.join(names)}:" if names else nothing
        ports = server.rest_port, server.grpc_port
        server.serve_forever(_greeting("The local server", what, host, *ports))
    if server.pending.count or server.repository.is_watched:
        # No thread can be ended, and Python would wait for it for ever.
        logging.shutdown()
        os._exit(0)
    return 0


def _run(command: list[str]) -> int:
    """Runs a server in the foreground. ctrl-C reaches it by itself, SIGTERM through us."""
    process = subprocess.Popen(command)
    before = signal.signal(signal.SIGTERM, lambda *_: process.terminate())
    try:
        while True:
            with contextlib.suppress(KeyboardInterrupt):
                return process.wait()
    finally:
        signal.signal(signal.SIGTERM, before)
