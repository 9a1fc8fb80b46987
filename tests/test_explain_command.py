"""`attention-zoo explain`: what it prints and writes, and the one line it has for bad input."""

import errno
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from attention_zoo.cli import main
from serving.server import LocalServer
from tests.command_line import refusal
from zoo.explain.attribution import METHODS
from zoo.explain.file import write_file


@pytest.fixture(scope="module")
def server(saved_models):
    with LocalServer(saved_models, rest_port=0, grpc_port=0) as server:
        yield f"127.0.0.1:{server.rest_port}"


def test_it_prints_a_table_and_draws(saved_models, tmp_path, capsys):
    png = tmp_path / "alignment.png"
    arguments = ["explain", "dates", "9월", "--saved-models", str(saved_models), "--png", str(png)]
    assert main(arguments) == 0
    printed = capsys.readouterr().out
    assert "9 월 ⏎" in printed
    assert png.read_bytes().startswith(b"\x89PNG")


def test_it_writes_what_it_found(saved_models, tmp_path, capsys):
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
    (rho,) = first["attribution"]["rank_correlations"]
    known = "no row to correlate" if rho is None else f"rank correlation {rho:.2f}"
    assert f"{known} with integrated gradients" in printed.out
    assert png.read_bytes().startswith(b"\x89PNG")
    written = page.read_text(encoding="utf-8")
    assert written.count("<table>") == 4
    assert f"completeness residual {gaps:.2%}" in written
    assert len(first["attribution"]["residuals"]) == len(change)
    assert "<small>3 May</small>" in written


def test_it_warns_where_it_cut_and_where_the_sum_is_off(saved_models, capsys):
    text, saved = "1 " * 60, str(saved_models)
    asked = ["explain", "dates", text, "--saved-models", saved, "--attribution", METHODS[0]]
    assert main([*asked, "--steps", "2"]) == 0
    warnings = capsys.readouterr().err.splitlines()
    assert "has 119 tokens and the model reads 63: it was cut behind '1 ␣ 1 ␣ 1'" in warnings[0]
    assert len(warnings) == 1 or "ask for more --steps" in warnings[1]


def test_it_warns_where_a_server_cut(server, capsys):
    assert main(["explain", "dates", "1 " * 60, "9월", "--server", server]) == 0
    (line,) = capsys.readouterr().err.splitlines()
    assert f"the model reads 63 tokens of a text: it cut this one behind “…{' 1' * 10}”" in line


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["--layer", "2"], "--layer 2: this model has 1 layer; or ask for last or all"),
        (["--heads", "x"], "--heads x: this model has 1 head; or ask for mean or all"),
        (["--attribution", METHODS[0], "--steps", "0"], "take from 2 to 1048576 steps, got 0"),
    ],
)
def test_it_refuses_what_the_model_has_not(saved_models, capsys, arguments, message):
    asked = ["explain", "dates", "9월", "--saved-models", str(saved_models), *arguments]
    assert message in refusal(capsys, *asked)


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["dates", "text", "--png", "nowhere/a.png"], "nowhere"),
        (["dates", "text", "--html", "nowhere/a.html"], "nowhere"),
        (
            ["dates", "text", "--json", "."],
            "'.' is a folder: add a file's name",
        ),
        (["dates", "text", "--json", "a.b", "--html", "./a.b"], "its own file"),
        (["", "text"], "MODEL got '', which is nothing"),
        (["dates", "text", "--png", "a.jpg"], "a picture is a .png; got 'a.jpg'"),
        *(
            (["dates", "text", f"--{flag}", ""], f"--{flag} got '', which is nothing")
            for flag in ("png", "html", "json", "layer", "heads", "server")
        ),
        (["dates", "text", " "], "nothing to translate in ' '"),
        (["dates", "\u200b"], "nothing to translate"),
        (["dates", "text", "--steps", "9"], "add --attribution integrated-gradients"),
        (["dates", "text", "--steps", "1", "--attribution", METHODS[0]], "from 2 to 1048576"),
        (["dates", "text", "--steps", "9" * 400, "--attribution", METHODS[0]], "from 2 to 1048576"),
        (["dates", "text", "--html", "a" * 300], "File name too long; name another file"),
        (["dates", "text", "--server", "a:1", "--layer", "1"], "leave out --server"),
        (["dates", "text", "--attribution", "lime"], "leave-one-out"),
        (["nothing", "text"], "attention-zoo train"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_bad_input(arguments, message, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert message in refusal(capsys, "explain", *arguments)
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


@pytest.mark.parametrize("flag", ["png", "html", "json"])
def test_a_file_that_cannot_be_written_is_named(flag, saved_models, tmp_path, monkeypatch, capsys):
    def full(path, content):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    path = str(tmp_path / f"a.{flag}")
    asked = ["explain", "dates", "9월", "--saved-models", str(saved_models), f"--{flag}", path]
    assert f"{path!r} can't be written: No space left on device" in refusal(capsys, *asked)


def test_what_was_there_stays_where_the_new_can_not_be_written(tmp_path, monkeypatch):
    (tmp_path / "a.html").write_text("before")
    write = Path.write_bytes

    def half(path, content):
        write(path, content[:1])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", half)
    with pytest.raises(OSError, match="No space"):
        write_file(tmp_path / "a.html", b"after")
    assert [path.read_text() for path in tmp_path.iterdir()] == ["before"]


def test_a_pipe_is_written_and_not_replaced(tmp_path):
    os.mkfifo(pipe := tmp_path / "pipe")
    with ThreadPoolExecutor() as pool:
        read = pool.submit(pipe.read_bytes)
        write_file(pipe, b"content")
        assert read.result() == b"content"
    assert pipe.is_fifo()


def test_an_unknown_model_of_a_server(server, capsys):
    line = refusal(capsys, "explain", "datez", "x", "--server", server)
    assert "the server has no such model: Servable not found" in line
    assert "name one that it serves" in line


def test_who_reads_no_further_gets_no_error_and_all_files(saved_models, tmp_path):
    numbers = tmp_path / "a.json"
    command = [sys.executable, "-m", "attention_zoo", "explain", str(saved_models / "dates"), "9월"]
    process = subprocess.Popen(
        [*command, "--json", str(numbers)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    process.stdout.close()
    assert process.stderr.read() == b""
    assert process.wait() == 0
    assert json.loads(numbers.read_text(encoding="utf-8"))
    process.stderr.close()
