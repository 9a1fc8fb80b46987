"""An export that is killed leaves nothing that a server would load."""

import multiprocessing
import random
import shutil
import time

import pytest
import tensorflow as tf

import zoo
from serving.export import export
from zoo.signatures import Signatures

KILLS = 100
KEPT = ("serving_default", "encode")


@pytest.mark.slow
def test_versions_are_whole_wherever_their_export_was_killed(tiny_model, tmp_path):
    """Kills at random moments: of the whole export, and of its writing, which is the shorter."""
    folder = shutil.copytree(tiny_model, tmp_path / "dates")
    # Forked where all is imported and nothing has run, or each would import TensorFlow first.
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload([__name__])
    drawn = random.Random(0)

    def start():
        process = processes.Process(target=export_few, args=(folder,))
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
    start()[0].join()
    check_versions(folder, versions(folder))
    assert not list(folder.glob(".writing-*"))


def export_few(folder):
    """An export of few signatures: tracing takes most of its time, and writes nothing."""
    functions = Signatures.functions
    Signatures.functions = lambda self: {name: functions(self)[name] for name in KEPT}
    export(folder)


def versions(folder):
    return [path for path in folder.iterdir() if path.name.isdecimal()]


def wait_for_writing(folder, process):
    """Until the process writes a version, which is after it has swept what others left."""
    while process.is_alive() and not list(folder.glob(f".writing-{process.pid}-*")):
        time.sleep(0.01)


def check_versions(folder, found):
    """Each answers as the model does, and has the same files with the same graph.

    What differs is drawn by chance: dropout's seeds, and a fingerprint with an id of 128 bits in
    decimal digits, whose size varies by a few bytes.
    """
    expected = zoo.Translator.load(folder).translate(["14 June 1904"])
    first = {path.relative_to(found[0]) for path in found[0].rglob("*")}
    graph = (found[0] / "saved_model.pb").read_bytes()
    for version in found:
        loaded = tf.saved_model.load(version)
        answer = loaded.signatures["serving_default"](tf.constant(["14 June 1904"]))
        assert answer["text"].numpy().tolist() == expected["text"].numpy().tolist(), version
        assert {path.relative_to(version) for path in version.rglob("*")} == first
        assert (version / "saved_model.pb").read_bytes() == graph
