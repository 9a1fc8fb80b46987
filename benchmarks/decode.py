"""How long decoding takes, as TensorFlow Serving does it, against CTranslate2 and PyTorch.

    python -m benchmarks.decode [--models tiny base gru] [--tables calls tokens] [--rounds 9]

The same weights, a process of one thread for each way, as one that holds other models too is
slower, in one interleaved run, in turns of `TURN` seconds, since a server is at it all the time.
Medians, milliseconds a batch, and what part of a peer's time ours is.
Sources have 16 tokens, and every translation `STEPS`. Ours is the SavedModel from text to text, in
a session, with the settings that `attention-zoo serve` has; beside it, with TensorFlow's oneDNN
kernels, which those turn off, with weights in int8, and the signature that XLA compiles. The peers
get ids, and give ids and scores. Then the time that another token takes in translations of 200
tokens, over that in those of 20, ours and CTranslate2's, which runs Transformers alone.

Before anything is timed, PyTorch and CTranslate2 have to say greedily what ours says.
"""

import argparse
import functools
import itertools
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

os.environ.update(OMP_NUM_THREADS="1", TF_CPP_MIN_LOG_LEVEL="3", KERAS_BACKEND="tensorflow")

import numpy as np

from benchmarks.served_model import MODELS, fresh_process
from serving.serve import ENVIRONMENT

BEAMS, BATCHES = (1, 5), (1, 8, 32)
PEERS = ("CTranslate2", "PyTorch")
COMPILED, INT8 = "translate_compiled", "-int8"
VOCABULARY, SOURCE, STEPS = 8000, 16, 15
# What another token takes is the difference of two lengths', so that no fixed cost is in it.
SHORT, LONG = (10, 30), (150, 250)
# Seconds of a turn, and calls in it, at the least: the first find another's memory in the caches,
# which is nothing to one that takes several turns' time alone.
TURN, FEWEST = 0.3, 3
SAME = 0.9  # of the greedy translations; in some, two words are as likely but for rounding


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--models", nargs="+", choices=MODELS, default=list(MODELS))
    parser.add_argument("--tables", nargs="+", choices=TABLES, default=list(TABLES))
    parser.add_argument("--rounds", type=int, default=9)
    asked = parser.parse_args()
    if asked.rounds < 2:
        parser.error(f"--rounds {asked.rounds}: the first warms up, so there must be 2 or more")
    for name in asked.models:
        with tempfile.TemporaryDirectory() as made:
            folder = str(Path(made, name))
            with fresh_process() as maker:
                maker.submit(make, folder).result()
            compare(folder, asked.tables, asked.rounds)


def compare(folder, tables, rounds):
    """Print the tables of the model that `make` made there."""
    environments = {
        "ours": (ENVIRONMENT, saved_model),
        "ours, oneDNN": (ENVIRONMENT | {"TF_ENABLE_ONEDNN_OPTS": "1"}, saved_model),
        "ours, int8": (ENVIRONMENT, int8),
        "ours, XLA": (ENVIRONMENT, compiled),
    }
    if MODELS[Path(folder).name][0].startswith("transformer"):
        environments |= {"CTranslate2": ({}, ctranslate2), "int8": ({}, ctranslate2_int8)}
    environments["PyTorch"] = {}, torch
    ways = {
        name: (fresh_process(environment=environment), way)
        for name, (environment, way) in environments.items()
    }
    for peer in ways.keys() & PEERS:
        agree(folder, ways["ours"], ways[peer])
    for table in tables:
        TABLES[table](folder, ways, rounds)
    for process, _ in ways.values():
        process.shutdown()


def print_calls(folder, ways, rounds):
    """What a batch takes each way."""
    peers = [name for name in PEERS if name in ways]
    _print_row([Path(folder).name, "batch", *ways, *(f"over {peer}" for peer in peers)], head=True)
    for beam, batch in itertools.product(BEAMS, BATCHES):
        found = _taking_turns(folder, ways, beam, batch, [STEPS], rounds)
        times = {name: seconds for (name, _), seconds in found.items()}
        cells = [f"{1e3 * seconds:.1f}" for seconds in times.values()]
        shares = [f"{times['ours'] / times[peer]:.2f}" for peer in peers]
        _print_row([f"beam {beam}", batch, *cells, *shares])


def print_tokens(folder, ways, rounds):
    """What another token takes, and how many times that it takes late."""
    ways = {name: ways[name] for name in ("ours", "CTranslate2") if name in ways}
    _print_row([f"{Path(folder).name}, ms a token, and times that of a late one", *ways], head=True)
    for beam, batch in itertools.product(BEAMS, (1, 32)):
        found = _taking_turns(folder, ways, beam, batch, (*SHORT, *LONG), rounds)
        cells = []
        for name in ways:
            short, long = ((found[name, n] - found[name, m]) / (n - m) for m, n in (SHORT, LONG))
            cells.append(f"{1e3 * short:.2f}, {long / short:.2f}")
        _print_row([f"beam {beam}, batch {batch}", *cells])


TABLES = {"calls": print_calls, "tokens": print_tokens}


def _print_row(cells, head=False):
    print("\n" * head + f"| {' | '.join(map(str, cells))} |", flush=True)
    if head:
        print("|---" * len(cells) + "|", flush=True)


def _taking_turns(folder, ways, beam, batch, lengths, rounds):
    """`{(way, length): seconds}`, medians of the rounds after the first."""
    times = {(name, steps): [] for steps in lengths for name in ways}
    for _ in range(rounds):
        for (name, steps), taken in times.items():
            process, way = ways[name]
            taken.append(process.submit(timed, way, folder, beam, batch, steps).result())
    return {key: statistics.median(taken[1:]) for key, taken in times.items()}


def agree(folder, ours, peer):
    """Stop where a peer's greedy translation is not ours, as then it would be timed at other work.

    Ours ranks ends of equal probability otherwise, so that beams need not agree.
    """
    said, expected = (
        process.submit(translations, way, folder, BATCHES[-1]).result()
        for process, way in (peer, ours)
    )
    same = sum(a == b for a, b in zip(said, expected, strict=True))
    if same < SAME * len(expected):
        sys.exit(f"{peer[1].__name__} says {same} of {len(expected)} translations as ours")


def translations(way, folder, batch):
    """The words of each greedy one, but for the last, in whose place ours has the end."""
    said = _kept(way, folder, 1, batch, STEPS)()
    if isinstance(said, dict):
        rows = (text.decode().split() for text in said["text"])
    elif isinstance(said, list):
        rows = ([piece.strip("▁") for piece in one.hypotheses[0]] for one in said)
    else:
        rows = ([words()[i].strip("▁") for i in row] for row in said[0].tolist())
    return [row[: STEPS - 1] for row in rows]


def timed(way, folder, beam, batch, steps):
    """Seconds that a translation of `batch` sources takes a process that is at it."""
    call, times = _kept(way, folder, beam, batch, steps), []
    while sum(times) < (TURN if len(times) >= FEWEST else FEWEST * TURN):
        began = time.perf_counter()
        call()
        times.append(time.perf_counter() - began)
    return statistics.median(times)


# As many as a process takes turns with; any more would only hold memory.
@functools.lru_cache(len(SHORT + LONG))
def _kept(way, *key):
    """What times the same call again is made once in a process."""
    return way(*key)


def ids(batch):
    return np.random.default_rng(0).integers(4, VOCABULARY, (batch, SOURCE)).astype("int32")


@functools.cache
def words():
    from zoo.text.vocabulary import SPECIAL_PIECES

    return [*SPECIAL_PIECES, *(f"▁w{i}" for i in range(4, VOCABULARY))]


@functools.cache
def built(name):
    """An untrained model of `MODELS`, the same in any process."""
    import keras

    import zoo

    keras.utils.set_random_seed(0)
    sizes = dict.fromkeys(("source_vocabulary_size", "target_vocabulary_size"), VOCABULARY)
    preset, overrides = MODELS[name]
    return zoo.build(preset, **sizes, **overrides)


def make(folder):
    """The model that the folder is named after, as SavedModels, one a search and length, and for
    CTranslate2.
    """
    import zoo
    from serving.as_ctranslate2 import write_ctranslate2
    from serving.export import save
    from serving.quantize import stored_as
    from zoo.models.folded import folded
    from zoo.signatures import Signatures
    from zoo.text import WordTokenizer

    model, tokenizer = built(Path(folder).name), WordTokenizer(words())
    lean = folded(model)
    weights = [variable.value for variable in lean.variables]
    read, stored = stored_as("int8", model.variables)
    for beam, steps in itertools.product(BEAMS, (STEPS, *SHORT, *LONG)):
        decoding = zoo.Decoding(
            beam_size=beam,
            max_source_length=SOURCE + 1,
            min_target_length=steps,
            max_target_length=steps,
            length_penalty=1.0 if beam > 1 else 0.0,
        )
        around, path = (tokenizer, tokenizer, decoding), str(Path(folder, f"{beam}-{steps}"))
        signatures = Signatures(lean, *around)
        served = {"serving_default": signatures.functions()["serving_default"]}
        if steps == STEPS:
            small = Signatures(model, *around, read).functions()["serving_default"]
            save(path + INT8, {"serving_default": small}, stored, [tokenizer])
            served[COMPILED] = signatures.compiled()
        save(path, served, weights, [tokenizer])
    if not hasattr(model, "bridge"):
        write_ctranslate2(zoo.Translator(model, *around), Path(folder, "ctranslate2"))


def saved_model(folder, beam, batch, steps, signature="serving_default", kind=""):
    """As TensorFlow Serving runs it: in a session, set up as `session.config` says."""
    import tensorflow as tf

    from serving.server.loaded_graph import read_config

    v1, config = tf.compat.v1, read_config()
    config.inter_op_parallelism_threads = config.intra_op_parallelism_threads = 1
    session = v1.Session(graph=tf.Graph(), config=config)
    with session.graph.as_default():
        path = str(Path(folder, f"{beam}-{steps}{kind}"))
        loaded = v1.saved_model.loader.load(session, ["serve"], path)
    signature = loaded.signature_def[signature]
    outputs = {name: info.name for name, info in signature.outputs.items()}
    texts = [" ".join(f"w{i}" for i in row) for row in ids(batch)]
    return lambda: session.run(outputs, {signature.inputs["text"].name: texts})


def int8(*how):
    return saved_model(*how, kind=INT8)


def compiled(*how):
    return saved_model(*how, signature=COMPILED)


def ctranslate2(folder, beam, batch, steps, compute_type="float32"):
    import ctranslate2

    threads = {"inter_threads": 1, "intra_threads": 1}
    path = str(Path(folder, "ctranslate2"))
    translator = ctranslate2.Translator(path, compute_type=compute_type, **threads)
    pieces = [[*(words()[i] for i in row), "</s>"] for row in ids(batch)]
    lengths = {"min_decoding_length": steps, "max_decoding_length": steps}
    how = {"beam_size": beam, "length_penalty": float(beam > 1), "return_scores": True, **lengths}
    return lambda: translator.translate_batch(pieces, **how)


def ctranslate2_int8(*how):
    return ctranslate2(*how, compute_type="int8")


def torch(folder, beam, batch, steps):
    import torch

    from benchmarks.torch_recurrent import TorchRecurrent
    from benchmarks.torch_transformer import TorchTransformer

    torch.set_num_threads(1)
    model = built(Path(folder).name)
    translator = (TorchRecurrent if hasattr(model, "bridge") else TorchTransformer)(model)
    source = np.pad(ids(batch), [(0, 0), (0, 1)], constant_values=3)
    return lambda: translator.translate(source, beam, steps)


if __name__ == "__main__":
    main()
