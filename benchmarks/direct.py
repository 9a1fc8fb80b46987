"""The SavedModel without a server: how fast it is, how long it takes to load, how large it gets."""

import functools
import itertools
import os
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from benchmarks.served_model import NAME, memory, sentences


def rate(version, size, callers, seconds):
    """Sentences a second, of `callers` that each call the signature on `size` texts at a time."""
    call, texts = _loaded(version).call("serving_default"), itertools.cycle(sentences())
    batches = [np.array(list(itertools.islice(texts, size)), object) for _ in range(8)]
    call({"text": batches[0]})
    began = time.monotonic()

    def work(first):
        done = 0
        while time.monotonic() < began + seconds:
            call({"text": batches[(first + done) % len(batches)]})
            done += 1
        return done

    with ThreadPoolExecutor(callers) as pool:
        return size * sum(pool.map(work, range(callers))) / (time.monotonic() - began)


@functools.cache
def _loaded(version):
    from serving.server.loaded_graph import LoadedGraph

    return LoadedGraph(version)


def start_up(version):
    """`{step: (seconds, megabytes after it)}` of a server's process, without its ports."""
    steps = {}

    def step(name, function):
        began = time.monotonic()
        result = function()
        steps[name] = time.monotonic() - began, memory(os.getpid())
        return result

    step("importing TensorFlow", _import_tensorflow)
    step("importing the server", _import_server)
    from serving.server.batching import read
    from serving.server.versions import LoadedVersion
    from serving.server.warmup import warm_up
    from zoo.freed_memory import give_back_memory

    loaded = step("loading a version", lambda: LoadedVersion(NAME, 1, version, read()))
    step("giving back what loading freed", give_back_memory)
    step("warming it up", lambda: warm_up(loaded, version))
    step("giving back what warming up freed", give_back_memory)
    weights = (version / "variables" / "variables.data-00000-of-00001").stat().st_size / 1e6
    return {**steps, "its weights alone": (0, weights)}


def _import_tensorflow():
    import tensorflow as tf

    tf.constant(1) + 1


def _import_server():
    import serving.server  # noqa: F401
