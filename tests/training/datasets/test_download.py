"""What happens without a network, in seconds, and that a download is what it should be."""

import http.server
import threading
import time
import urllib.request

import pytest
import requests
import tensorflow_datasets as tfds

from training.datasets.builders import find_builder
from training.datasets.download import prepare

NOBODY = "http://127.0.0.1:9/letters.txt"  # The port that discards: nobody listens.


class FarLetters(tfds.core.GeneratorBasedBuilder, skip_registration=True):
    """One file of three lines, from the address that a test gives."""

    VERSION = tfds.core.Version("1.0.0")
    url = NOBODY

    def _info(self):
        features = tfds.features.FeaturesDict({"text": tfds.features.Text()})
        return tfds.core.DatasetInfo(builder=self, features=features)

    def _split_generators(self, dl_manager):
        return {"train": self._generate_examples(dl_manager.download(self.url))}

    def _generate_examples(self, path):
        yield from ((n, {"text": line}) for n, line in enumerate(path.read_text().split()))


class ByHand(FarLetters, skip_registration=True):
    MANUAL_DOWNLOAD_INSTRUCTIONS = "Ask Nobody\nfor letters.txt."

    def _split_generators(self, dl_manager):
        return {"train": self._generate_examples(dl_manager.manual_dir / "letters.txt")}


@pytest.fixture
def server():
    """Counts what it is asked for."""
    asked = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(200 if self.path == "/letters.txt" else 404)
            self.end_headers()
            self.wfile.write(b"a\nb\nc\n")

        def log_message(self, *args):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch):
    for name in urllib.request.getproxies():
        monkeypatch.delenv(f"{name}_proxy", raising=False)
        monkeypatch.delenv(f"{name}_proxy".upper(), raising=False)


def test_without_a_network_it_fails_at_once(tmp_path):
    builder, start = FarLetters(data_dir=tmp_path), time.monotonic()
    with pytest.raises(ValueError, match=r"far_letters can't be downloaded \(no answer") as error:
        prepare(builder)
    assert time.monotonic() - start < 5
    assert NOBODY in str(error.value) and "--data-files" in str(error.value)
    assert "\n" not in str(error.value)
    assert not builder.data_path.exists()


@pytest.mark.parametrize("name", ["wmt14_translate/de-en", "multi30k/en-de"])
def test_so_do_known_datasets(name, tmp_path, monkeypatch):
    def unreachable(url, **kwargs):
        assert kwargs["timeout"]
        raise requests.ConnectTimeout

    monkeypatch.setattr(requests, "get", unreachable)
    with pytest.raises(ValueError, match=r"can't be downloaded \(no answer from https?://"):
        prepare(find_builder(name, tmp_path))


def test_a_file_that_is_missing_among_one_s_own_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr("training.datasets.multi30k.multi30k_dataset_builder.SOURCE", NOBODY + "/")
    files = tmp_path / "files"
    files.mkdir()
    (files / "train.de.gz").touch()
    lacks = (
        rf"no answer from {NOBODY}/raw/\S+\.gz\).* or put that file, which {files} lacks, into it$"
    )
    with pytest.raises(ValueError, match=lacks):
        prepare(find_builder("multi30k/en-de", tmp_path / "data"), str(files))


def test_multi30k_says_one_line(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("training.datasets.multi30k.multi30k_dataset_builder.SOURCE", NOBODY)
    with pytest.raises(ValueError, match="no answer"):
        prepare(find_builder("multi30k/en-de", tmp_path))
    assert capsys.readouterr() == ("", "")


def test_a_host_that_answers_is_asked_once_more_than_needed(server, tmp_path, monkeypatch):
    address, asked = server
    monkeypatch.setattr(FarLetters, "url", f"{address}/letters.txt")
    builder = FarLetters(data_dir=tmp_path)
    prepare(builder)
    prepare(builder)  # There it is.
    assert asked == ["/letters.txt"] * 2
    texts = [example["text"] for example in tfds.as_numpy(builder.as_dataset(split="train"))]
    assert sorted(texts) == [b"a", b"b", b"c"]


def test_a_file_that_is_gone(server, tmp_path, monkeypatch):
    monkeypatch.setattr(FarLetters, "url", f"{server[0]}/gone.txt")
    with pytest.raises(ValueError, match=r"gone\.txt\. HTTP code: 404"):
        prepare(FarLetters(data_dir=tmp_path))


def test_files_that_one_gets_by_hand(tmp_path):
    with pytest.raises(ValueError, match=r"--data-files: Ask Nobody for letters\.txt\.$"):
        prepare(ByHand(data_dir=tmp_path))
    files = tmp_path / "files"
    files.mkdir()
    (files / "letters.txt").write_text("d\n")
    builder = ByHand(data_dir=tmp_path)
    prepare(builder, files)
    assert [example["text"] for example in tfds.as_numpy(builder.as_dataset(split="train"))] == [
        b"d"
    ]
    with pytest.raises(FileNotFoundError, match="no folder nowhere"):
        prepare(builder, "nowhere")  # Though it is not needed any more.
