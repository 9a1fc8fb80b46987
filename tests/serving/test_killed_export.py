"""An export that is killed leaves nothing that a server would load."""

import multiprocessing
import random
import shutil
import time

import pytest
import tensorflow as tf

import zoo
from serving.export import export

KILLS = 100


@pytest.mark.slow
def test_versions_are_whole_wherever_their_export_was_killed(tiny_model, tmp_path):
    """Kills at random moments: of the whole export, and of its writing, which is the shorter."""
    folder = shutil.copytree(tiny_model, tmp_path / "dates")
    # Forked where all is imported and nothing has run, or each would import TensorFlow first.
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload(["serving.export", "zoo.translator"])
    drawn = random.Random(0)

    def start():
        process = processes.Process(target=export, args=(folder,))
        process.start()
        return process, time.monotonic()

    start()[0].join()  # the imports
    process, began = start()
    wait_for_writing(folder, process)
    before_writing = time.monotonic() - began
    process.join()
    whole = time.monotonic() - began
    assert len(versions(folder)) == 2

    in_writing = 0
    for kill in range(KILLS):
        process, _ = start()
        if kill % 2:
            wait_for_writing(folder, process)
        time.sleep(drawn.uniform(0, whole - before_writing if kill % 2 else whole))
        process.kill()
        process.join()
        in_writing += bool(list(folder.glob(f".writing-{process.pid}-*")))

    assert in_writing > KILLS / 10
    expected = zoo.Translator.load(folder).translate(["14 June 1904"])
    for version in [*versions(folder), export(folder)]:
        loaded = tf.saved_model.load(version)
        answer = loaded.signatures["serving_default"](tf.constant(["14 June 1904"]))
        assert answer["text"].numpy().tolist() == expected["text"].numpy().tolist(), version
        extra = {path.name for path in (version / "assets.extra").iterdir()}
        assert extra == {"export.json", "tf_serving_warmup_requests"}, version
    assert not list(folder.glob(".writing-*"))


def versions(folder):
    return [path for path in folder.iterdir() if path.name.isdecimal()]


def wait_for_writing(folder, process):
    """Until the process writes a version, which is after it has swept what others left."""
    while process.is_alive() and not list(folder.glob(f".writing-{process.pid}-*")):
        time.sleep(0.01)
