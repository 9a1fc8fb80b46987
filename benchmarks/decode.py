"""How long decoding takes, as TensorFlow Serving does it, against CTranslate2 and PyTorch.

    python -m benchmarks.decode [--models tiny base gru] [--rounds 9]

The same weights, one thread each, in one interleaved run, in turns of `TURN` seconds, since a
server is at it all the time. Medians, milliseconds a batch, and what part of a peer's time ours is.
Sources have 16 tokens, and every translation `STEPS`. Ours is the SavedModel from text to text, in
a session, once with TensorFlow's oneDNN kernels and once without (`TF_ENABLE_ONEDNN_OPTS`), neither
with XLA, and the signature that XLA compiles; the peers get ids. Then the time a token takes in
translations of 200 tokens, over that in those of 20. CTranslate2 runs Transformers alone.
"""

import argparse
import os
import statistics
import tempfile
import time
from pathlib import Path

os.environ.update(OMP_NUM_THREADS="1", TF_CPP_MIN_LOG_LEVEL="3", KERAS_BACKEND="tensorflow")

import numpy as np

from benchmarks.served_model import MODELS, fresh_process

BEAMS, BATCHES = (1, 5), (1, 8, 32)
COMPILED = "translate_compiled"
VOCABULARY, SOURCE, STEPS = 8000, 16, 15
SHORT, LONG = 20, 200
# Seconds of a turn, and calls in it, at the least: the first find another's memory in the caches.
TURN, FEWEST = 0.3, 3


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--models", nargs="+", choices=MODELS, default=list(MODELS))
    parser.add_argument("--rounds", type=int, default=9)
    asked = parser.parse_args()
    for name in asked.models:
        with tempfile.TemporaryDirectory() as folder, fresh_process() as maker:
            maker.submit(make, folder, name).result()
            compare(folder, name, maker, asked.rounds)


def compare(folder, model, maker, rounds):
    """Print the table of one model; `maker` is the process that has it and the peers."""
    ways = {}
    for name, flag in (("ours", "1"), ("ours, no oneDNN", "0")):
        os.environ["TF_ENABLE_ONEDNN_OPTS"] = flag
        ways[name] = fresh_process(), saved_model
    ways["ours, XLA"] = ways["ours"][0], compiled
    if MODELS[model][0].startswith("transformer"):
        ways |= {"CTranslate2": (maker, ctranslate2), "int8": (maker, ctranslate2_int8)}
    ways["PyTorch"] = maker, torch
    peers = [name for name in ("CTranslate2", "PyTorch") if name in ways]
    print(f"\n| {model} | batch | {' | '.join(ways)} | {' | '.join(f'over {p}' for p in peers)} |")
    print("|---" * (2 + len(ways) + len(peers)) + "|")
    for beam in BEAMS:
        for batch in BATCHES:
            times = {name: [] for name in ways}
            for _ in range(rounds):
                for name, (process, way) in ways.items():
                    call = process.submit(timed, way, folder, beam, batch, STEPS)
                    times[name].append(call.result())
            found = {name: statistics.median(taken[1:]) for name, taken in times.items()}
            best = min(found["ours"], found["ours, no oneDNN"])
            cells = [f"{1e3 * seconds:.1f}" for seconds in found.values()]
            cells += [f"{best / found[peer]:.2f}" for peer in peers]
            print(f"| beam {beam} | {batch} | {' | '.join(cells)} |", flush=True)
    for name in ("ours", "ours, no oneDNN"):
        process, way = ways[name]
        for batch in (1, 32):
            parts = [
                [
                    process.submit(timed, way, folder, 1, batch, n).result() / n
                    for n in (SHORT, LONG)
                ]
                for _ in range(rounds)
            ]
            short, long = map(statistics.median, zip(*parts[1:], strict=True))
            print(f"{name}, batch {batch}: a token of {LONG} takes {long / short:.2f} of {SHORT}'s")
        process.shutdown()


def timed(way, folder, beam, batch, steps):
    """Seconds that a translation of `batch` sources takes a process that is at it."""
    call, times = _kept(way, folder, beam, batch, steps), []
    while len(times) < FEWEST or sum(times) < TURN:
        began = time.perf_counter()
        call()
        times.append(time.perf_counter() - began)
    return statistics.median(times)


_CALLS = {}


def _kept(way, *key):
    """What times the same call again is made once in a process."""
    if (way, *key) not in _CALLS:
        _CALLS[way, *key] = way(*key)
    return _CALLS[way, *key]


def ids(batch):
    return np.random.default_rng(0).integers(4, VOCABULARY, (batch, SOURCE)).astype("int32")


# What the making process keeps.
MADE = {}


def make(folder, name):
    """An untrained model, as SavedModels, one a search and length, and for CTranslate2."""
    import keras

    import zoo
    from serving.as_ctranslate2 import write_ctranslate2
    from serving.export import save
    from zoo.models.folded import folded
    from zoo.text import WordTokenizer
    from zoo.text.vocabulary import SPECIAL_PIECES

    keras.utils.set_random_seed(0)
    words = [*SPECIAL_PIECES, *(f"w{i}" for i in range(4, VOCABULARY))]
    sizes = dict.fromkeys(("source_vocabulary_size", "target_vocabulary_size"), VOCABULARY)
    preset, overrides = MODELS[name]
    model = zoo.build(preset, **sizes, **overrides)
    for beam, steps in ((1, STEPS), (5, STEPS), (1, SHORT), (1, LONG)):
        decoding = zoo.Decoding(
            beam_size=beam,
            max_source_length=SOURCE + 1,
            min_target_length=steps,
            max_target_length=steps,
            length_penalty=1.0 if beam > 1 else 0.0,
        )
        tokenizer = WordTokenizer(words)
        translator = zoo.Translator(folded(model), tokenizer, tokenizer, decoding)
        served = {"serving_default": translator.translate, COMPILED: translator.compiled()}
        weights = [variable.value for variable in translator.model.variables]
        save(Path(folder, f"{beam}-{steps}"), served, weights, [tokenizer])
    if preset.startswith("transformer"):
        plain = zoo.Translator(model, tokenizer, tokenizer, decoding)
        write_ctranslate2(plain, Path(folder, "ctranslate2"))
    MADE.update(model=model, words=words)


def saved_model(folder, beam, batch, steps, signature="serving_default"):
    """As TensorFlow Serving runs it: in a session, set up as `session.config` says."""
    import tensorflow as tf

    from serving.server.loaded_graph import read_config

    v1, config = tf.compat.v1, read_config()
    config.inter_op_parallelism_threads = config.intra_op_parallelism_threads = 1
    session = v1.Session(graph=tf.Graph(), config=config)
    with session.graph.as_default():
        path = str(Path(folder, f"{beam}-{steps}"))
        loaded = v1.saved_model.loader.load(session, ["serve"], path)
    signature = loaded.signature_def[signature]
    outputs = {name: info.name for name, info in signature.outputs.items()}
    texts = [" ".join(f"w{i}" for i in row) for row in ids(batch)]
    return lambda: session.run(outputs, {signature.inputs["text"].name: texts})


def compiled(*how):
    return saved_model(*how, signature=COMPILED)


def ctranslate2(folder, beam, batch, steps, compute_type="float32"):
    import ctranslate2

    threads = {"inter_threads": 1, "intra_threads": 1}
    path = str(Path(folder, "ctranslate2"))
    translator = ctranslate2.Translator(path, compute_type=compute_type, **threads)
    pieces = [[*(MADE["words"][i] for i in row), "</s>"] for row in ids(batch)]
    how = {"beam_size": beam, "min_decoding_length": steps, "max_decoding_length": steps}
    return lambda: translator.translate_batch(pieces, length_penalty=float(beam > 1), **how)


def ctranslate2_int8(*how):
    return ctranslate2(*how, compute_type="int8")


def torch(folder, beam, batch, steps):
    import torch

    from benchmarks.torch_recurrent import TorchRecurrent
    from benchmarks.torch_transformer import TorchTransformer

    torch.set_num_threads(1)
    recurrent = hasattr(MADE["model"], "bridge")
    translator = (TorchRecurrent if recurrent else TorchTransformer)(MADE["model"])
    source = np.pad(ids(batch), [(0, 0), (0, 1)], constant_values=3)
    return lambda: translator.translate(source, beam, steps)


if __name__ == "__main__":
    main()
