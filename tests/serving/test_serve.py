"""Which server is run, and with which command; none of them is."""

import subprocess
import sys
from pathlib import Path

import pytest

from serving import model_config
from serving import serve as module
from serving.serve import CONFIG, binary_command, docker_command, serve, write_model_config
from serving.server_options import ServerOptions


@pytest.fixture
def folder(tmp_path):
    for name in ("one/1", "two/12", "two/notes", "untrained"):
        (tmp_path / name).mkdir(parents=True)
    return tmp_path


@pytest.fixture
def programs(monkeypatch):
    """The programs that seem to be on the PATH, and the commands that were run."""
    on_path, commands = set(), []
    monkeypatch.setattr(module.shutil, "which", lambda name: name if name in on_path else None)

    def run(command):
        path = next(part for part in command if part.endswith(("models.config", ",readonly")))
        commands.append((command, path))
        return 0

    monkeypatch.setattr(module, "_run", run)
    return on_path, commands


def free_ports():
    with module.listen("0.0.0.0", 0) as rest, module.listen("0.0.0.0", 0) as grpc:
        return {"rest_port": rest.getsockname()[1], "grpc_port": grpc.getsockname()[1]}


def test_model_config_lists_the_whole_folder(folder, tmp_path):
    path = tmp_path / "models.config"
    write_model_config(folder, path)
    models = model_config.read(path).model_config_list.config
    assert [(model.name, model.base_path) for model in models] == [
        ("one", "/models/one"),
        ("two", "/models/two"),
    ]
    write_model_config(folder, path, base=None)
    assert model_config.read(path).model_config_list.config[0].base_path == f"{folder}/one"


def test_binary_command():
    assert binary_command(Path("/c/models.config"), rest_port=1, grpc_port=2) == [
        "tensorflow_model_server",
        "--port=2",
        "--rest_api_port=1",
        "--model_config_file=/c/models.config",
        "--model_config_file_poll_wait_seconds=60",
        "--allow_version_labels_for_unavailable_models=true",
        f"--monitoring_config_file={CONFIG / 'monitoring.config'}",
        f"--tensorflow_session_config_file={CONFIG / 'session.config'}",
    ]


def test_binary_gets_the_files_that_it_knows():
    options = ServerOptions(batching_parameters_file="/c/b", ssl_config_file="/c/s")
    command = binary_command(Path("/c/m.config"), 1, 2, options)
    assert command[6:] == [
        "--enable_batching",
        "--batching_parameters_file=/c/b",
        f"--monitoring_config_file={CONFIG / 'monitoring.config'}",
        "--ssl_config_file=/c/s",
        f"--tensorflow_session_config_file={CONFIG / 'session.config'}",
    ]


def test_bounds_are_the_local_servers(folder, programs):
    programs[0].add("tensorflow_model_server")
    with pytest.raises(ValueError, match="--max-pending is the local server's: add --local"):
        serve(folder, **free_ports(), options=ServerOptions(max_pending=1))


def test_docker_command():
    files = {
        CONFIG / "monitoring.config": "/config/monitoring_config_file",
        CONFIG / "session.config": "/config/tensorflow_session_config_file",
    }
    command = docker_command("/saved", Path("/c/m.config"), "127.0.0.1", 1, 2)
    assert command == [
        *("docker", "run", "--rm", "--init"),
        *("--env", "TF_ENABLE_ONEDNN_OPTS=0"),
        *("--publish", "127.0.0.1:1:8501", "--publish", "127.0.0.1:2:8500"),
        *("--mount", "type=bind,source=/saved,target=/models,readonly"),
        *("--mount", "type=bind,source=/c/m.config,target=/config/model_config_file,readonly"),
        *(
            part
            for source, target in files.items()
            for part in ("--mount", f"type=bind,source={source},target={target},readonly")
        ),
        *("--entrypoint", "tensorflow_model_server", "tensorflow/serving:latest"),
        *("--port=8500", "--rest_api_port=8501", "--model_config_file=/config/model_config_file"),
        "--model_config_file_poll_wait_seconds=60",
        "--allow_version_labels_for_unavailable_models=true",
        "--monitoring_config_file=/config/monitoring_config_file",
        "--tensorflow_session_config_file=/config/tensorflow_session_config_file",
    ]
    gpu = docker_command("/saved", Path("/c/m.config"), "127.0.0.1", 1, 2, gpu=True)
    assert gpu[4:6] == ["--gpus", "all"]
    assert gpu[6:8] == ["--env", "TF_ENABLE_ONEDNN_OPTS=0"]
    assert "tensorflow/serving:latest-gpu" in gpu


def test_binary_on_the_path_is_run(folder, programs, capsys):
    on_path, commands = programs
    on_path.add("tensorflow_model_server")
    ports = free_ports()
    assert serve(folder, **ports) == 0
    assert commands[0][0][0] == "tensorflow_model_server"
    rest, grpc = (f"0.0.0.0:{port}" for port in ports.values())
    line = f"tensorflow_model_server serves one, two: REST on {rest}, gRPC on {grpc} ("
    assert capsys.readouterr().out.startswith(line)


def test_docker_is_run_when_asked_for(folder, programs, capsys):
    on_path, commands = programs
    on_path.update({"docker", "tensorflow_model_server"})
    assert serve(folder, **free_ports(), docker=True, gpu=True) == 0
    assert commands[0][0][0] == "docker"
    assert capsys.readouterr().out.startswith("tensorflow/serving:latest-gpu serves one, two: ")


@pytest.mark.parametrize("port", ["rest_port", "grpc_port"])
@pytest.mark.parametrize("docker", [False, True])
def test_tensorflow_serving_has_no_port_for_0(folder, programs, port, docker):
    on_path, commands = programs
    on_path.update({"docker", "tensorflow_model_server"})
    with pytest.raises(
        ValueError, match=r"^TensorFlow Serving picks no free port: choose one, not 0"
    ):
        serve(folder, **{**free_ports(), port: 0}, docker=docker)
    assert commands == []


@pytest.mark.parametrize(
    ("flags", "error", "message"),
    [
        ({"docker": True}, OSError, "No docker on the PATH"),
        ({"gpu": True}, ValueError, "add --docker"),
        ({"docker": True, "local": True}, ValueError, "exclude each other"),
    ],
)
def test_flags_that_cannot_be(folder, programs, flags, error, message):
    with pytest.raises(error, match=message):
        serve(folder, **flags)
    assert programs[1] == []


@pytest.mark.parametrize("program", ["tensorflow_model_server", "none: the local server"])
def test_port_in_use_before_anything_runs(folder, programs, program):
    on_path, commands = programs
    on_path.add(program)
    with (
        module.listen("127.0.0.1", 0) as taken,
        pytest.raises(OSError, match="Cannot listen on"),
    ):
        serve(folder, **{**free_ports(), "rest_port": taken.getsockname()[1]})
    assert commands == []


@pytest.mark.parametrize(
    ("flags", "error", "message"),
    [
        ({"rest_port": 70000}, ValueError, "a port is 0 to 65535; got 70000"),
        ({"grpc_port": -1, "rest_port": 0}, ValueError, "a port is 0 to 65535; got -1"),
        (
            {"rest_port": 9000, "grpc_port": 9000},
            ValueError,
            "REST and gRPC need a port each; got 9000 for both: change one.",
        ),
        (
            {"host": "192.0.2.1", "rest_port": 0},
            OSError,
            "Cannot listen on 192.0.2.1:0: Cannot assign requested address; choose another --host.",
        ),
    ],
)
def test_ports_and_hosts_that_cannot_be(folder, programs, flags, error, message):
    with pytest.raises(error) as raised:
        serve(folder, **flags)
    assert str(raised.value) == message


def test_host_that_is_none():
    with pytest.raises(OSError, match=r"^Cannot listen on 300.1.1.1:0: .*; choose another --host"):
        module.listen("300.1.1.1", 0)


def test_ipv6_in_brackets():
    command = docker_command("/saved", Path("/c/m.config"), "::1", 1, 2)
    assert {"[::1]:1:8501", "[::1]:2:8500"} <= set(command)


@pytest.mark.parametrize("file", ["card.json", "1/saved_model.pb"])
def test_the_folder_of_one_model(tmp_path, file, monkeypatch):
    path = tmp_path / "saved_models" / "dates" / file
    path.parent.mkdir(parents=True)
    path.touch()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=r"one of all models: did you mean saved_models\?$"):
        model_config.scan("saved_models/dates")
    monkeypatch.chdir(tmp_path / "saved_models" / "dates")
    with pytest.raises(ValueError, match=rf"did you mean {tmp_path}/saved_models\?$"):
        model_config.scan(".")


def test_run_gives_the_exit_status():
    command = [sys.executable, "-c", "raise SystemExit(3)"]
    assert module._run(command) == 3
    with pytest.raises(FileNotFoundError):
        module._run(["no-such-program"])


def test_commands_need_no_tensorflow():
    paths = [path for path in sys.path if path]
    code = (
        f"import sys; sys.path[:0] = {paths!r}; import serving.serve; "
        "assert 'tensorflow' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
