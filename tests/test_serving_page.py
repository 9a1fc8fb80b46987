"""The commands of docs/serving.md, run as they stand against the local server."""

import contextlib
import io
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import tensorflow as tf

import zoo
from serving.as_tflite import write_tflite
from serving.client import RestClient
from serving.export import export
from serving.server import LocalServer
from serving.server_options import ServerOptions
from serving.session import ask
from zoo.signatures import COMPILED

PAGE = Path(__file__).parent.parent / "docs" / "serving.md"
SECTIONS = {
    section.partition("\n")[0]: re.findall(r"```(\w+)\n(.*?)```", section, re.DOTALL)
    for section in PAGE.read_text(encoding="utf-8").split("\n## ")
}
# The server is the test's, and the command line's commands are tested elsewhere.
SHELL = """set -eu
attention-zoo() { :; }
curl() { command curl --silent --show-error --fail-with-body --noproxy '*' "$@"; echo; }
"""

pytestmark = pytest.mark.skipif(not shutil.which("curl"), reason="asks with curl")


def blocks(title, language="sh"):
    return [text for kind, text in SECTIONS[title] if kind == language]


@pytest.fixture(scope="module")
def exported(tiny_model, tmp_path_factory):
    folder = tmp_path_factory.mktemp("page") / "saved_models"
    shutil.copytree(tiny_model, folder / "dates")
    export(folder / "dates")
    shutil.rmtree(folder / "dates" / "1" / "assets.extra")  # of all signatures one needs few warm
    return folder


@pytest.fixture
def here(exported, tmp_path):
    """The folder to be in."""
    shutil.copytree(exported, tmp_path / "saved_models")
    return tmp_path


def run(block, folder, server=None):
    """Runs a block as it stands; gives what it prints."""
    if server:
        block = block.replace("localhost:8501", f"localhost:{server.rest_port}")
    command = ["bash", "-c", SHELL + block]
    result = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def serve(folder, **options):
    return LocalServer(folder / "saved_models", rest_port=0, grpc_port=0, **options)


def test_questions(here):
    with serve(here) as server:
        for block in blocks("Ask"):
            run(block, here, server)
        signatures = RestClient(port=server.rest_port).metadata("dates")["metadata"]
        asked = re.findall(r'"signature_name": "(\w+)"', "".join(blocks("Ask")))
        (code,) = blocks("Ask", "python")
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            exec(code.replace("8500", str(server.grpc_port)), {})
    names = {name for name in signatures["signature_def"]["signature_def"] if name[0] != "_"}
    assert {"serving_default", *asked} == names
    assert "'score': array" in printed.getvalue()


def test_canary_and_rollback(here):
    start, questions, moves = blocks("Canary and rollback")
    shutil.copytree(here / "saved_models" / "dates" / "1", here / "saved_models" / "dates" / "2")
    run(start, here)
    with serve(here, poll_seconds=60, model_config_file=here / "models.config") as server:
        assert run(questions, here, server).count('"predictions"') == 3
        stable = f"curl localhost:{server.rest_port}/v1/models/dates/labels/stable/metadata"
        for move, version in zip(moves.splitlines(), "21", strict=True):
            run(move, here)
            server.repository.poll()
            assert json.loads(run(stable, here))["model_spec"]["version"] == version


def test_a_version_that_does_not_load(here):
    title = "When a version does not load"
    (block,), (told,) = blocks(title), blocks(title, "json")
    with serve(here) as server:
        answers = [json.loads(text) for text in (run(block, here, server), told)]
        assert RestClient(port=server.rest_port).translate("dates", ["a"])["text"].shape == (1,)
    for answer in answers:
        (entry,) = answer["model_version_status"]
        assert (entry["version"], entry["state"]) == ("3", "END")
        assert entry["status"]["error_code"] == "NOT_FOUND"


@pytest.mark.slow
def test_xla(here):
    version = export(here / "saved_models" / "dates", xla=True)
    shutil.rmtree(version / "assets.extra")
    (block,) = blocks("XLA")
    with serve(here) as server:
        assert '"predictions"' in run(block, here, server)
    asked = {"text": ["14 June 1904"]}
    assert ask(version, [("serving_default", asked)])  # where there is no XLA
    with pytest.raises(ValueError, match="it fails without"):
        ask(version, [(COMPILED, asked)])


@pytest.mark.filterwarnings(r"ignore:\s*Warning. tf.lite.Interpreter is deprecated")
def test_the_loop_of_a_phone(tiny_model, tmp_path, monkeypatch):
    """On TensorFlow's own interpreter, which the page's grew out of."""
    interpreter = SimpleNamespace(Interpreter=tf.lite.Interpreter)
    monkeypatch.setitem(sys.modules, "ai_edge_litert.interpreter", interpreter)
    monkeypatch.chdir(tmp_path)
    translator = zoo.Translator.load(tiny_model, beam_size=1, max_source_length=40)
    write_tflite(translator, "phone")
    (code,) = blocks("On a phone", "python")
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        exec(code, {})
    assert printed.getvalue() == f"{translator.translate_all(['14 June 1904'])[0]}\n"


@pytest.mark.skipif(not shutil.which("openssl"), reason="openssl makes the keys")
def test_tls(here):
    keys, questions = blocks("TLS")
    run(keys, here)
    with serve(here, options=ServerOptions(ssl_config_file=here / "ssl.config")) as server:
        assert '"predictions"' in run(questions, here, server)
