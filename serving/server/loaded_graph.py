"""A SavedModel in a session, as TensorFlow Serving holds it: what fails there fails here."""

import contextlib
import importlib.util
import logging
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import tensorflow as tf
from grpc import StatusCode
from tensorflow.core.protobuf.config_pb2 import ConfigProto, RunOptions
from tensorflow.core.protobuf.meta_graph_pb2 import SignatureDef, TensorInfo
from tensorflow_serving.apis.get_model_metadata_pb2 import SignatureDefMap

from serving.config_messages import read_message
from serving.server.batching import Arrays, Batching, Call
from serving.server.status import StatusError

DEFAULTS = Path(__file__).parents[1] / "deploy" / "config" / "session.config"
# The session's own threads are as many as cores: while batches run on them, requests would not even
# reach the queue where the next batch forms.
_IN_CALLERS_THREAD = RunOptions(inter_op_thread_pool=-1)
_FRAMES = re.compile(r"^(\{\{[^}]*\}\} )+")  # the functions around the op
_CALLS = ("PartitionedCall", "StatefulPartitionedCall")


class _Session(tf.compat.v1.Session):
    """One whose errors are an op's own words.

    TensorFlow's searches them for nodes to explain: it takes minutes, and every thread's turn, over
    one that quotes the functions of a graph.
    """

    def _do_call(self, fn: Callable, *args: object) -> object:
        try:
            return fn(*args)
        except tf.errors.OpError as error:
            words = _FRAMES.sub("", error.message.partition("\n\t [[")[0])
            raise type(error)(error.node_def, error.op, words) from error


class LoadedGraph:
    """A graph and its variables; its session ends with the last reference to it.

    Args:
        folder: A version's.
        config: Of the session; ``serving/deploy/config/session.config`` by default.

    Attributes:
        signatures: All that it states, a `SignatureDefMap`.
        names: Of those that can be called.
    """

    def __init__(self, folder: Path, config: ConfigProto | None = None) -> None:
        self._session, self.signatures = _load(folder, config or read_config())
        self._graph = self._session.graph
        signatures = self.signatures.signature_def
        self.names = [name for name in signatures if _is_of_tensors(signatures[name])]

    def call(self, name: str) -> Call:
        """A signature, from arrays by name to arrays by name; several threads may call it."""
        signature = self.signatures.signature_def[name]
        return self._run(signature, self._tensors(signature.outputs))

    def batched_call(self, name: str, batching: Batching) -> Call | None:
        """The same through a queue in which calls form batches, in TensorFlow's own batching op.

        Returns:
            `None` for a signature that is not one function of its inputs, as exports of TensorFlow
            1 may have them.
        """
        signature = self.signatures.signature_def[name]
        inputs, outputs = self._tensors(signature.inputs), self._tensors(signature.outputs)
        operation = next(iter(outputs.values())).op
        is_one = operation.type in _CALLS and all(out.op is operation for out in outputs.values())
        given, captured = operation.inputs[: len(inputs)], operation.inputs[len(inputs) :]
        if not is_one or {tensor.ref() for tensor in given} != {t.ref() for t in inputs.values()}:
            return None
        with self._graph.as_default():
            results = tf.raw_ops.BatchFunction(
                in_tensors=given,
                captured_tensors=captured,
                f=operation.get_attr("f"),
                Tout=operation.get_attr("Tout"),
                num_batch_threads=batching.num_batch_threads,
                max_batch_size=batching.max_batch_size,
                batch_timeout_micros=batching.batch_timeout_micros,
                max_enqueued_batches=batching.max_enqueued_batches,
                allowed_batch_sizes=batching.allowed_batch_sizes,
                shared_name="batches",  # the threads: one pool for all signatures
                batching_queue=name,
            )
        places = {alias: tensor.value_index for alias, tensor in outputs.items()}
        return self._run(signature, {alias: results[place] for alias, place in places.items()})

    def _tensors(self, infos: dict[str, TensorInfo]) -> dict[str, tf.Tensor]:
        return {a: self._graph.get_tensor_by_name(info.name) for a, info in infos.items()}

    def _run(self, signature: SignatureDef, outputs: dict[str, tf.Tensor]) -> Call:
        inputs, session = self._tensors(signature.inputs), self._session

        def run(arrays: Arrays) -> Arrays:
            fed = {inputs[alias]: array for alias, array in arrays.items()}
            answer = session.run(outputs, fed, _IN_CALLERS_THREAD)
            return {alias: _array(value) for alias, value in answer.items()}

        return run


def _is_of_tensors(signature: SignatureDef) -> bool:
    """Not of sparse ones, which have several names, and not the graph's initialization."""
    infos = [*signature.inputs.values(), *signature.outputs.values()]
    return bool(signature.outputs) and all(":" in info.name for info in infos)


def read_config(path: str | Path = DEFAULTS) -> ConfigProto:
    """Reads a file of a session's `ConfigProto`.

    Raises:
        ValueError: In one line, what is wrong with it.
    """
    return read_message(path, ConfigProto)


def _load(folder: Path, config: ConfigProto) -> tuple[tf.compat.v1.Session, SignatureDefMap]:
    """A session with a version's graph and variables, and the signatures that it states.

    TensorFlow Serving has the ops of tensorflow-text built in. Here SentencePiece's are loaded, of
    6 MB, and the others, of 129, only for a model that lacks one.
    """
    _register_sentencepiece_ops()
    with contextlib.suppress(StatusError):
        return _in_session(folder, config)
    with contextlib.suppress(ImportError):
        import tensorflow_text  # noqa: F401
    return _in_session(folder, config)


def _register_sentencepiece_ops() -> None:
    """Once in a process, however often it is called."""
    found = importlib.util.find_spec("tensorflow_text")
    for folder in found.submodule_search_locations if found else ():
        for library in Path(folder).glob("python/ops/_sentencepiece_tokenizer.so"):
            tf.load_op_library(str(library))


def _in_session(folder: Path, config: ConfigProto) -> tuple[tf.compat.v1.Session, SignatureDefMap]:
    """What `_load` gives, with the ops that there are."""
    session = _Session(graph=tf.Graph(), config=config)
    log = tf.get_logger()
    level = log.level
    log.setLevel(logging.ERROR)  # sessions are TensorFlow 1's, as it says each time
    try:
        with session.graph.as_default():
            loaded = tf.compat.v1.saved_model.load(session, ["serve"], str(folder))
    except (OSError, RuntimeError, tf.errors.NotFoundError) as error:
        if "Op type not registered" not in str(error):
            raise
        message = f"{error} If it is an op of tensorflow-text: pip install 'attention-zoo[text]'."
        raise StatusError(StatusCode.NOT_FOUND, message) from error
    finally:
        log.setLevel(level)
    return session, SignatureDefMap(signature_def=loaded.signature_def)


def _array(value: np.ndarray | bytes) -> np.ndarray:
    """A scalar string comes as `bytes`, which NumPy would strip of its trailing NULs."""
    return np.asarray(value, dtype=object if isinstance(value, bytes) else None)
