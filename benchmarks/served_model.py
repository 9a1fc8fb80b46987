"""A model of the size that is served, untrained, exported; and the processes that run it.

One of `MODELS`, 8,000 words on either side, beam of 4, sentences of 5 to 15 words. It has learned
nothing, so it ends no sentence: each takes as many steps as any.
"""

import multiprocessing
import os
import random
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from benchmarks.clients import Request, rest_request
from zoo.freed_memory import keep_freed_memory

NAME = "served"
MODELS = {
    "tiny": ("transformer-lite", {"dim": 128, "num_layers": 4, "num_heads": 4, "hidden_dim": 512}),
    "base": ("transformer-lite", {"dim": 512, "num_layers": 6, "num_heads": 8, "hidden_dim": 2048}),
    "gru": ("bahdanau-gru", {"units": 256, "embedding_dim": 128}),
}
WORDS = 7996
SENTENCES = 64
STEPS = 24


def fresh_process(cores=None, environment=None):
    """A pool of one process that has imported no TensorFlow yet, on some of the cores, or all.

    What it frees it keeps, as `attention-zoo serve` and `train` do. It begins with the first call,
    so that what its environment is to have beside this one's is given here.
    """
    start = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(1, start, _begin, (cores, environment or {}))


def _begin(cores, environment):
    os.environ.update(environment)
    keep_freed_memory()
    if cores:
        os.sched_setaffinity(0, cores)


def make(folder, name="tiny"):
    """Saves and exports the model to `folder`; the requests, with the answers that they are due."""
    import keras
    import tensorflow as tf

    import zoo
    from serving.export import export
    from zoo.text import WordTokenizer

    keras.utils.set_random_seed(0)
    tokenizer = WordTokenizer.train([f"w{i}" for i in range(WORDS)], WORDS + 4)
    size = len(tokenizer.vocabulary)
    preset, overrides = MODELS[name]
    sizes = dict.fromkeys(("source_vocabulary_size", "target_vocabulary_size"), size)
    model = zoo.build(preset, **sizes, **overrides)
    model((tf.ones((1, 2), tf.int32), tf.ones((1, 2), tf.int32)))
    decoding = zoo.Decoding(max_target_length=STEPS)
    texts = sentences()
    known = {"recipe": {"preset": preset, "tokenizer": "words", "example": texts[0]}}
    translator = zoo.Translator(model, tokenizer, tokenizer, decoding, known)
    translator.save(folder / NAME)
    export(folder / NAME)
    answers = translator.translate_all(texts)
    return [_request(text, answer) for text, answer in zip(texts, answers, strict=True)]


def sentences():
    drawn = random.Random(0)
    return [
        " ".join(f"w{drawn.randrange(WORDS)}" for _ in range(drawn.randint(5, 15)))
        for _ in range(SENTENCES)
    ]


def _request(text, answer):
    import tensorflow as tf
    from tensorflow_serving.apis.predict_pb2 import PredictRequest

    message = PredictRequest(model_spec={"name": NAME})
    message.inputs["text"].CopyFrom(tf.make_tensor_proto([text]))
    return Request(rest_request(NAME, text), message.SerializeToString(), answer.encode())


@contextmanager
def served(folder, *flags, cores=None):
    """The local server's process, once it answers, and its ports by protocol."""
    command = [sys.executable, "-m", "attention_zoo", "serve", str(folder), "--local", *flags]
    process = subprocess.Popen(
        [*command, "--rest-port", "0", "--grpc-port", "0"],
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=partial(os.sched_setaffinity, 0, cores) if cores else None,
    )
    try:
        rest, grpc = (part.split()[0] for part in process.stdout.readline().split("127.0.0.1:")[1:])
        yield process, {"gRPC": int(grpc), "REST": int(rest.rstrip(","))}
    finally:
        process.terminate()
        process.wait()


def memory(process):
    """Its resident megabytes now."""
    pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    return pages * 4096 / 1e6
