"""The command line: what it prints, and the one line and status 2 it has for bad input."""

import json
import re
import shutil
import socket
import sys

import numpy as np
import pytest

from attention_zoo.cli import main
from serving.export import export
from serving.server import LocalServer
from zoo.explain.attribution import METHODS
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


@pytest.fixture(scope="module")
def saved_models(tiny_model, tmp_path_factory):
    folder = tmp_path_factory.mktemp("saved_models")
    shutil.copytree(tiny_model, folder / "dates")
    export(folder / "dates")
    return folder


def refusal(capsys, *arguments):
    """The one line that the command has for these arguments."""
    try:
        status = main(arguments)
    except SystemExit as stop:
        status = stop.code
    printed = capsys.readouterr()
    assert status == 2
    assert printed.out == ""
    assert printed.err.count("\n") == 1
    return printed.err


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


@pytest.mark.parametrize("protocol", ["rest", "grpc"])
def test_a_server_is_asked_with_the_same_words(saved_models, protocol, capsys):
    texts = ["translate", "dates", "14 June 1904", "2013년 2월 9일 토요일"]
    assert main([*texts, "--saved-models", str(saved_models)]) == 0
    here = capsys.readouterr().out
    with LocalServer(saved_models, rest_port=0, grpc_port=0) as server:
        port = server.rest_port if protocol == "rest" else server.grpc_port
        grpc = ["--grpc"] if protocol == "grpc" else []
        assert main([*texts, "--server", f"127.0.0.1:{port}", *grpc]) == 0
    assert capsys.readouterr().out == here


def test_explain_prints_a_table_and_draws(saved_models, tmp_path, capsys):
    png = tmp_path / "alignment.png"
    arguments = ["explain", "dates", "9월", "--saved-models", str(saved_models), "--png", str(png)]
    assert main(arguments) == 0
    printed = capsys.readouterr().out
    assert "9 월 ⏎" in printed
    assert png.read_bytes().startswith(b"\x89PNG")


def test_explain_writes_what_it_found(saved_models, tmp_path, capsys):
    png, page, numbers = (tmp_path / f"found.{kind}" for kind in ("png", "html", "json"))
    files = ["--png", str(png), "--html", str(page), "--json", str(numbers)]
    asked = ["9월", "3 May", "--attribution", "integrated-gradients", "--steps", "2"]
    assert main(["explain", "dates", *asked, "--saved-models", str(saved_models), *files]) == 0
    printed = capsys.readouterr()
    first, second = json.loads(numbers.read_text(encoding="utf-8"))
    assert first["source"] == ["9", "월", "</s>"]
    assert second["text"] == "3 May"
    values, change = (np.array(first["attribution"][name]) for name in ("values", "change"))
    assert values.shape == np.array(first["attention"][0]["weights"]).shape
    gaps = np.abs(values.sum(1) - change).sum() / np.abs(change).sum()
    assert first["attribution"]["residual"] == pytest.approx(gaps)
    assert f"completeness residual {gaps:.2%}" in printed.out
    assert re.search(r"rank correlation -?\d\.\d\d with integrated gradients", printed.out)
    assert png.read_bytes().startswith(b"\x89PNG")
    written = page.read_text(encoding="utf-8")
    assert written.count("<table>") == 4
    assert f"completeness residual {gaps:.2%}" in written
    assert "<small>3 May</small>" in written


def test_explain_warns_where_it_cut_and_where_the_sum_is_off(saved_models, capsys):
    text, saved = "1 " * 60, str(saved_models)
    asked = ["explain", "dates", text, "--saved-models", saved, "--attribution", METHODS[0]]
    assert main([*asked, "--steps", "1"]) == 0
    warnings = capsys.readouterr().err.splitlines()
    assert "has 119 tokens and the model reads 63: it was cut behind '1 ␣ 1 ␣ 1'" in warnings[0]
    assert len(warnings) == 1 or "ask for more --steps" in warnings[1]


def test_explain_warns_where_a_server_cut(saved_models, capsys):
    with LocalServer(saved_models, rest_port=0, grpc_port=0) as server:
        asked = ["explain", "dates", "1 " * 60, "9월", "--server", f"127.0.0.1:{server.rest_port}"]
        assert main(asked) == 0
    (line,) = capsys.readouterr().err.splitlines()
    assert f"the model reads 63 tokens of a text: it cut this one behind “…{' 1' * 10}”" in line


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["--layer", "2"], "--layer 2: this model has 1 layer; or ask for last or all"),
        (["--heads", "x"], "--heads x: this model has 1 head; or ask for mean or all"),
        (["--attribution", METHODS[0], "--steps", "0"], "want 1 step or more, got 0"),
    ],
)
def test_explain_refuses_what_the_model_has_not(saved_models, capsys, arguments, message):
    asked = ["explain", "dates", "9월", "--saved-models", str(saved_models), *arguments]
    assert message in refusal(capsys, *asked)


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
        (
            ["translate", "dates", "text", "--server", "https://a:1", "--ca", "nowhere.pem"],
            "nowhere.pem",
        ),
        (["translate", "dates", "text", "--server", "https://a:1", "--key", "a"], "together"),
        (["explain", "dates", "text", "--png", "nowhere/a.png"], "nowhere"),
        (["explain", "dates", "text", "--html", "nowhere/a.html"], "nowhere"),
        (
            ["explain", "dates", "text", "--json", "."],
            "a file is to be in a folder that exists; got '.'",
        ),
        (["explain", "dates", "text", "--png", "a.jpg"], "a picture is a .png; got 'a.jpg'"),
        *(
            (["explain", "dates", "text", f"--{flag}", ""], f"--{flag} got '', which is nothing")
            for flag in ("png", "html", "json", "layer", "heads", "server")
        ),
        (["explain", "dates", "text", " "], "nothing to translate in ' '"),
        (["explain", "dates", "\u200b"], "nothing to translate"),
        (["explain", "dates", "text", "--steps", "9"], "add --attribution integrated-gradients"),
        (["explain", "dates", "text", "--server", "a:1", "--layer", "1"], "leave out --server"),
        (["explain", "dates", "text", "--attribution", "lime"], "leave-one-out"),
        (["explain", "nothing", "text"], "attention-zoo train"),
        (["demo"], "by --model"),
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


@pytest.mark.parametrize("flag", ["png", "html", "json"])
def test_a_file_that_cannot_be_written_is_refused_before_any_work(
    flag, tmp_path, monkeypatch, capsys
):
    """Before the model is looked for, that is."""
    monkeypatch.setattr("os.access", lambda *asked: False)
    path = str(tmp_path / f"a.{flag}")
    line = refusal(capsys, "explain", "nothing", "text", f"--{flag}", path)
    assert f"{path!r} can't be written" in line


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
