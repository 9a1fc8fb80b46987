"""The command line: what it prints, and the one line and status 2 it has for bad input."""

import re
import socket
import sys

import pytest

from attention_zoo.cli import main
from serving.server import LocalServer
from tests.command_line import refusal
from zoo.models.loading import SHIPPED

LOCAL = ("serve", "--local", "--rest-port", "0", "--grpc-port", "0")
COMMANDS = (
    "list",
    "prepare",
    "train",
    "evaluate",
    "export",
    "serve",
    "translate",
    "explain",
    "demo",
)


@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_an_example(command, capsys):
    with pytest.raises(SystemExit) as stop:
        main([command, "--help"])
    assert stop.value.code == 0
    assert f"example: attention-zoo {command}" in capsys.readouterr().out


@pytest.mark.parametrize("command", ["translate", "explain"])
def test_help_asks_a_model_that_ships(command, capsys):
    with pytest.raises(SystemExit):
        main([command, "--help"])
    model = re.search(rf"example: attention-zoo {command} (\S+)", capsys.readouterr().out)[1]
    assert (SHIPPED / model / "card.json").is_file()


def test_list_shows_presets_recipes_and_models(saved_models, capsys):
    assert main(["list", "--saved-models", str(saved_models)]) == 0
    printed = capsys.readouterr().out
    for part in ("luong-general", "Luong", "tatoeba-en-fr-bahdanau", "dates", "Unicode-3.0"):
        assert part in printed
    page = (saved_models / "dates" / "README.md").read_text(encoding="utf-8")
    (request,) = (line.strip() for line in page.splitlines() if "curl" in line)
    assert request.endswith("localhost:8501/v1/models/dates:predict")
    for part in ("exact_match", "1: beam_size 1, length_penalty 0.0", request):
        assert part in page
        assert part in printed


def test_list_shows_a_damaged_card_as_one(tmp_path, capsys):
    (tmp_path / "dates").mkdir()
    (tmp_path / "dates" / "card.json").write_text('{"decoding": {}, "files": {}, "scores": []}')
    assert main(["list", "--saved-models", str(tmp_path)]) == 0
    assert "damaged (scores)" in capsys.readouterr().out


def test_prepare_writes_a_folder_and_tells_what_was_dropped(tmp_path, capsys):
    lines = [f"{day} {month}\t{month}/{day}" for day in range(1, 30) for month in range(1, 13)]
    (tmp_path / "own.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    arguments = ["--tokenizer", "characters", "--max-source-length", "5"]  # drops "10 10"
    own = ["prepare", "corpus", "--corpus", str(tmp_path / "own.tsv"), *arguments]
    assert main([*own, "--to", str(tmp_path / "data")]) == 0
    printed = capsys.readouterr().out
    assert "dropped (source longer than 5 tokens)" in printed
    assert f"Wrote {tmp_path / 'data'}.\n" in printed
    assert (tmp_path / "data" / "prepared.json").is_file()
    assert "holds something else" in refusal(capsys, *own, "--to", str(tmp_path))


def test_translate_prints_a_line_a_text(saved_models, capsys):
    arguments = ["translate", "dates", "14 June 1904", "", "--saved-models", str(saved_models)]
    assert main(arguments) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    assert all(float(line.split("\t")[1]) <= 0 for line in lines)


def test_a_server_is_asked_with_the_same_words(saved_models, capsys):
    texts = ["translate", "dates", "14 June 1904", "2013년 2월 9일 토요일"]
    assert main([*texts, "--saved-models", str(saved_models)]) == 0
    here = capsys.readouterr().out
    with LocalServer(saved_models, rest_port=0, grpc_port=0) as server:
        for port, protocol in ((server.rest_port, []), (server.grpc_port, ["--grpc"])):
            assert main([*texts, "--server", f"127.0.0.1:{port}", *protocol]) == 0
            assert capsys.readouterr().out == here


def test_serve_writes_the_model_list(saved_models, tmp_path):
    config = tmp_path / "models.config"
    assert main(["serve", str(saved_models), "--write-config", str(config)]) == 0
    assert 'name: "dates"' in config.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["train", "datez"], "no recipe 'datez'"),
        (["train", "dates", "--bogus", "1"], "--bogus"),
        (["train", "dates", "--epochs", "many"], "many"),
        (["train", "dates", "--preset", "luong-dott"], "luong-dott"),
        (["train", "dates", "--overrides", "units"], "NAME=VALUE"),
        (["train", "dates", "--overrides", "units=abc"], "units"),
        (["train", "dates", "--overrides", "bidirectional=maybe"], "bidirectional"),
        (["train", "dates", "--overrides", "source_vocabulary_size=9"], "vocabulary_size"),
        (["train", "dates", "--learning-rate", "nan"], "learning_rate"),
        (["train", "dates", "--beam-size", "0"], "beam_size"),
        (["train", "dates", "--checkpoint-every", "0"], "checkpoint_every"),
        (["train", "dates", "--run", "../x"], "name"),
        (["train", "corpus"], "--corpus"),
        (["train", "corpus", "--corpus", "nowhere.tsv"], "nowhere.tsv"),
        (["train", "multi30k-en-de-gru", "--data-files", "nowhere"], "no folder nowhere"),
        (["train", "dates", "--longer", "keep"], "drop, cut"),
        (["prepare", "dates"], "--to"),
        (["prepare", "datez", "--to", "a"], "no recipe 'datez'"),
        (["evaluate", "nothing"], "attention-zoo train"),
        (["export", "nothing"], "attention-zoo train"),
        (["export", "nothing", "--quantize", "int4"], "int8"),
        (["export", "nothing", "--sentences", "a.txt"], "--check"),
        (["export", "nothing", "--check", "--sentences", "a.txt"], "a.txt"),
        (["translate", "nothing", "text"], "attention-zoo train"),
        (["translate", "dates", "text", "--server", "localhost"], "HOST:PORT"),
        (["translate", "dates", "text", "--grpc"], "--server"),
        (["translate", "dates", "text", "--ca", "a"], "--server"),
        (["translate", "dates", "text", "--server", "a:1", "--ca", "a"], "ask https://a:1"),
        (["translate", "dates", "text", "--server", "https://a"], "HOST:PORT"),
        (["translate", "dates", "text", "--server", "ftp://a:1"], "HOST:PORT"),
        (["translate", "dates", "text", "--server", "://a:1"], "HOST:PORT"),
        (["translate", "dates", "text", "--server", "http:/a:1"], "HOST:PORT"),
        (["translate", "dates", "text", "--server", "::1"], "HOST:PORT"),
        (["translate", "dates", "text", "--server", "a..b:1"], "HOST:PORT"),
        (["translate", "dates", "text", "--server", "a:65536"], "HOST:PORT"),
        (["translate", "dates", "text", "--server", "HTTPS://a:1", "--ca", "no.pem"], "no.pem"),
        (["translate", "dates", "text", "--server", "http://127.0.0.1:9/"], "no server on"),
        (
            ["translate", "dates", "text", "--server", "https://a:1", "--ca", "nowhere.pem"],
            "nowhere.pem",
        ),
        (["translate", "dates", "text", "--server", "https://a:1", "--key", "a"], "together"),
        (["demo"], "by --model"),
        (["demo", "--model", "dates", ""], "--model got '', which is nothing"),
        (["demo", "--model", "dates", "--server", "8501"], "HOST:PORT"),
        (["demo", "--model", "dates", "--port", "70000"], "a port is 0 to 65535"),
        (["list"], "saved_models"),
        (["serve", "nowhere", "--rest-port", "0", "--grpc-port", "0"], "nowhere"),
        (["serve", "--gpu"], "--docker"),
        (["serve", "--max-pending", "0"], "--max-pending is 1 to"),
        (["serve", "--max-request-bytes", "many"], "--max-request-bytes"),
        (["serve", "--grace-seconds", "-1"], "--grace-seconds is 0 to"),
        (["serve", "--no-batching", "--batching-parameters-file", "a"], "--no-batching"),
        ([*LOCAL, "--batching-parameters-file", "a"], "Cannot read BatchingParameters from a"),
        ([*LOCAL, "--monitoring-config-file", "a"], "Cannot read MonitoringConfig from a"),
        ([*LOCAL, "--ssl-config-file", "a"], "Cannot read SSLConfig from a"),
        (["bake"], "bake"),
        ([], "COMMAND"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_bad_input(arguments, message, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert message in refusal(capsys, *arguments)
    assert not list(tmp_path.iterdir())


CORPORA = {
    "empty": b"",
    "ragged": b"a\tb\nc\n",
    "invalid UTF-8": b"a\tb\n\xff\tc\n",
    "no tab": b"a b\n",
}


@pytest.mark.parametrize("content", CORPORA.values(), ids=CORPORA)
def test_a_corpus_that_is_none(content, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own.tsv").write_bytes(content)
    assert "own.tsv" in refusal(capsys, "train", "corpus", "--corpus", "own.tsv")
    assert [path.name for path in tmp_path.iterdir()] == ["own.tsv"]


def test_a_port_in_use(saved_models, capsys):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        assert port in refusal(capsys, "serve", str(saved_models), "--rest-port", port)


def test_no_server_there(capsys):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    line = refusal(capsys, "translate", "dates", "text", "--server", address)
    assert "attention-zoo serve" in line


def test_no_gradio_for_the_page(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "gradio", None)  # any import of it now fails
    monkeypatch.delitem(sys.modules, "attention_zoo.demo.app", raising=False)
    line = refusal(capsys, "demo", "--model", "dates", "--port", "0")
    assert "pip install attention-zoo[demo]" in line


def test_a_version_that_exists(saved_models, capsys):
    line = refusal(capsys, "export", "dates", "--saved-models", str(saved_models), "--version", "1")
    assert "never overwritten" in line
