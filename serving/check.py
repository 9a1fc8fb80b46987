"""Does an exported version stand alone, and say what the model in process says?"""

from collections import Counter
from pathlib import Path

import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

from serving.session import ask
from serving.warmup_requests import columns
from zoo.signatures import COMPILED

# Releases of TensorFlow Serving whose ops are in `stock_ops/`; a version must run in the last.
# 2.14 to 2.19 have tensorflow-text 2.12's, 2.20 has tensorflow-text 2.20's.
RELEASES = ("2.19", "2.20")

BATCH_SIZE = 32
TOLERANCE = 1e-4  # of numbers, absolute and relative: a session rounds otherwise

# A constant of the shape of such a weight is one that is stored a second time.
LARGE = 1024


def check_version(version, signatures, weights, texts):
    """Check a version, and tell what was checked.

    Args:
        version: its folder.
        signatures: the `tf.function`s that it was made of, by name.
        weights: the variables that it was made of.
        texts: what both are asked to translate, in every signature.

    Returns:
        A line for each part of the check.

    Raises:
        ValueError: with the first thing that is wrong.
    """
    version = Path(version)
    graph = _Graph(version)
    try:
        return [
            _check_ops(graph),
            _check_weights(version, graph, weights),
            _check_answers(version, signatures, texts),
        ]
    except ValueError as error:
        raise ValueError(f"the export failed its check, and is not kept: {error}") from error


def stock_ops(release):
    """Names of the ops in the stock binary of a release of TensorFlow Serving."""
    path = Path(__file__).parent / "stock_ops" / f"{release}.txt"
    lines = path.read_text(encoding="utf-8").splitlines()
    return {line for line in lines if not line.startswith("#")}


def read_sentences(path):
    """The texts of a file, one a line, and their translations, which follow a tab; None without.

    Raises:
        ValueError: for a file without text, with translations of some only, or not in UTF-8.
    """
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is not UTF-8 text: {error}") from error
    rows = [line.split("\t") for line in lines if line.strip()]
    if not rows or {len(row) for row in rows} not in ({1}, {2}):
        raise ValueError(
            f"{path} must hold a text a line, or text, tab and translation in every line"
            + ("" if rows else "; it is empty")
        )
    texts, *references = map(list, zip(*rows, strict=True))
    return texts, references[0] if references else None


class _Graph:
    """All nodes of a version, those within functions too."""

    def __init__(self, version):
        saved = SavedModel.FromString((version / "saved_model.pb").read_bytes())
        graphs = [meta.graph_def for meta in saved.meta_graphs]
        self.nodes = [node for graph in graphs for node in graph.node]
        for graph in graphs:
            self.nodes += [node for each in graph.library.function for node in each.node_def]
        self.ops = {node.op for node in self.nodes}


def _check_ops(graph):
    *older, newest = RELEASES
    lacking = sorted(graph.ops - stock_ops(newest))
    if lacking:
        raise ValueError(
            f"TensorFlow Serving {newest}'s stock binary has no CPU kernel for {', '.join(lacking)}"
        )
    told = f"ops: all {len(graph.ops)} are in the stock binary of TensorFlow Serving {newest}"
    for release in older:
        lacking = sorted(graph.ops - stock_ops(release))
        told += f", but {release} lacks {', '.join(lacking)}" if lacking else f" and {release}"
    return told


def _check_weights(version, graph, weights):
    checkpoint = tf.train.load_checkpoint(str(version / "variables" / "variables"))
    types = checkpoint.get_variable_to_dtype_map()
    stored = {
        name: (types[name].name, tuple(shape))
        for name, shape in checkpoint.get_variable_to_shape_map().items()
        if name != "_CHECKPOINTABLE_OBJECT_GRAPH"
    }
    expected = Counter((weight.dtype.name, tuple(weight.shape)) for weight in weights)
    if Counter(stored.values()) != expected:
        raise ValueError(
            f"{len(stored)} variables are stored, which are not the model's {len(weights)} weights "
            "(an optimizer's, or weights stored twice)"
        )
    large = {shape for _, shape in expected if len(shape) > 1 and np.prod(shape) >= LARGE}
    for node in graph.nodes:
        held = node.attr["value"].tensor if node.op == "Const" else None
        if held and tuple(size.size for size in held.tensor_shape.dim) in large:
            raise ValueError(f"a weight is stored a second time, as the constant {node.name}")
    size = sum(tf.as_dtype(kind).size * int(np.prod(shape)) for kind, shape in stored.values())
    return f"weights: {len(stored)}, {size / 1e6:.2f} MB, each stored once, none of an optimizer"


def _check_answers(version, signatures, texts):
    compiled = {name: each for name, each in signatures.items() if name == COMPILED}
    others = {name: each for name, each in signatures.items() if name != COMPILED}
    _compare(version, others, texts)
    _compare(version, compiled, texts, xla=True)
    return (
        f"answers: the model's own for {len(texts)} texts in each of {len(others)} signatures, "
        "from a process without Keras, this project and XLA"
        + (f"; and in {COMPILED}, with XLA" if compiled else "")
    )


def _compare(version, signatures, texts, xla=False):
    batches = [texts[i : i + BATCH_SIZE] for i in range(0, len(texts), BATCH_SIZE)]
    requests = [
        (name, batch, columns(function, batch))
        for name, function in signatures.items()
        for batch in batches
    ]
    answers = ask(version, [(name, given) for name, _, given in requests], xla)
    for (name, batch, given), answer in zip(requests, answers, strict=True):
        expected = signatures[name](*(tf.constant(column) for column in given.values()))
        for output, tensor in expected.items():
            row = first_difference(answer[output], tensor.numpy())
            if row is not None:
                raise ValueError(
                    f"`{output}` of the signature {name} is not the model's own for the text "
                    f"{batch[row]!r}"
                )


def first_difference(got, expected):
    """The first row where two outputs differ, numbers by more than rounding; None if none does."""
    got = np.asarray(got)
    if got.shape != expected.shape:
        return 0
    if expected.dtype == object:
        same = got == expected
    else:
        same = np.isclose(got, expected, rtol=TOLERANCE, atol=TOLERANCE, equal_nan=True)
    rows = np.flatnonzero(~same.reshape(len(same), -1).all(axis=1))
    return int(rows[0]) if len(rows) else None
