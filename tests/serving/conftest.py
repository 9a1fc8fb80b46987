"""A toy model, exported as TensorFlow Serving wants it, and a server on it."""

import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import pytest
import tensorflow as tf

from serving.serve import BINARY
from serving.server import LocalServer
from tests.serving.server_process import tensorflow_serving


class Toy(tf.Module):
    """Upper-cases, after a prefix; scores by length in bytes; aligns all words with all words."""

    def __init__(self, prefix: str) -> None:
        super().__init__()
        self.prefix = tf.Variable(prefix)

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="text")])
    def translate(self, text):
        upper = tf.strings.join([self.prefix, tf.strings.upper(text)])
        return {"text": upper, "score": tf.cast(tf.strings.length(text), tf.float32) / 10}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="text")])
    def align(self, text):
        words = tf.strings.split(text).to_tensor(default_value="")
        size = tf.shape(words)
        alignment = tf.ones([size[0], size[1], size[1]]) / tf.cast(size[1], tf.float32)
        return {"source_tokens": words, "alignment": alignment, "raw_bytes": text}

    @tf.function(
        input_signature=[
            tf.TensorSpec([None, 2], tf.float32, name="x"),
            tf.TensorSpec([None], tf.int32, name="n"),
        ]
    )
    def arithmetic(self, x, n):
        n = tf.cast(n, tf.float32)[:, None]
        return {"quotient": x / n, "positive": x > 0, "count": tf.shape(x, tf.int64)[:1] + 0 * 1}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="text")])
    def size(self, text):
        return {"size": tf.strings.length(text)}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="text")])
    def number(self, text):
        return {"number": tf.strings.to_number(text)}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="path")])
    def gated(self, path):
        """Writes to one named pipe after another: each takes until its reader comes."""

        def write(pipe):
            with tf.control_dependencies([tf.io.write_file(pipe, "here")]):
                return tf.identity(pipe)

        return {"path": tf.map_fn(write, path, parallel_iterations=1)}


def export_toy(folder, prefix=""):
    """Writes beside its place and renames into it, so that a server sees a whole version."""
    toy = Toy(prefix)
    signatures = {
        "serving_default": toy.translate,
        "align": toy.align,
        "arithmetic": toy.arithmetic,
        "size": toy.size,
        "number": toy.number,
        "gated": toy.gated,
    }
    unfinished = folder.parent / f"unfinished-{folder.name}"
    tf.saved_model.save(toy, str(unfinished), signatures=signatures)
    unfinished.rename(folder)


@pytest.fixture(scope="session")
def saved_model(tmp_path_factory):
    """A version's folder, to be copied or served, not changed."""
    folder = tmp_path_factory.mktemp("export") / "toy" / "1"
    folder.parent.mkdir()
    export_toy(folder)
    return folder


@pytest.fixture(scope="session", params=["local", *filter(shutil.which, [BINARY])])
def server(request, saved_model, tmp_path_factory):
    """The local server, and TensorFlow Serving's own where it is on the machine: their ports."""
    models = saved_model.parents[1]
    if request.param == BINARY:
        config = tmp_path_factory.mktemp("config") / "models.config"
        with tensorflow_serving(models, config) as running:
            yield running
    else:
        with LocalServer(models, rest_port=0, grpc_port=0) as running:
            yield running


@pytest.fixture
def folder(saved_model, tmp_path):
    """A folder of our own with version 1 of the toy beside files that are no versions."""
    base = tmp_path / "saved_models" / "toy"
    shutil.copytree(saved_model, base / "1")
    (base / "card.json").write_text("{}")
    (base / "checkpoints").mkdir()
    (base.parent / "untrained").mkdir()
    return base.parent


@pytest.fixture
def add_version(folder):
    return lambda version, prefix="": export_toy(folder / "toy" / str(version), prefix)


class Gate:
    """Two named pipes: a request that holds their paths has begun once the first is read, and
    ends once the second is."""

    def __init__(self, folder):
        self.paths = [str(folder / "began"), str(folder / "gate")]
        for path in self.paths:
            os.mkfifo(path)

    @contextmanager
    def holds(self, ask):
        """Runs `ask`, which sends the paths; the block begins when the model is at work on them,
        and its end lets the model go on."""
        with self.holds_for_ever(ask) as answer:
            try:
                yield answer
            finally:
                Path(self.paths[1]).read_bytes()

    @contextmanager
    def holds_for_ever(self, ask):
        """The same, but only the death of the process ends the model's work."""
        with ThreadPoolExecutor(1) as pool:
            answer = pool.submit(ask, self.paths)
            Path(self.paths[0]).read_bytes()
            yield answer


@pytest.fixture
def gate(tmp_path):
    return Gate(tmp_path)
