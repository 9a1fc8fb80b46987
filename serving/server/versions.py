"""One loaded version of one model: the single place through which every prediction goes."""

import math
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf
from grpc import StatusCode
from tensorflow.core.protobuf.config_pb2 import ConfigProto
from tensorflow.core.protobuf.meta_graph_pb2 import SignatureDef
from tensorflow_serving.apis.model_pb2 import ModelSpec
from tensorflow_serving.apis.predict_pb2 import PredictRequest, PredictResponse

from serving.server.batching import Batching, Call, batched, can_batch, limited, of_version
from serving.server.loaded_graph import LoadedGraph
from serving.server.signatures import check_inputs, check_output_filter
from serving.server.status import StatusError, status_of
from serving.server.tensor_protos import from_proto, stated, to_proto
from serving.server_options import ServerOptions

DEFAULT_SIGNATURE = "serving_default"


class LoadedVersion:
    """A SavedModel in memory.

    Nobody closes it: a request holds a reference to the version it runs on, so a version that
    was replaced lives exactly as long as its last request.
    """

    def __init__(
        self,
        name: str,
        version: int,
        folder: Path,
        batching: Batching | None = None,
        max_rows: int = ServerOptions.max_rows,
        session_config: ConfigProto | None = None,
    ) -> None:
        self.spec = ModelSpec(name=name, version={"value": version})
        self._max_rows = max_rows
        graph, parameters = LoadedGraph(folder, session_config), of_version(folder, batching)
        self.signatures = graph.signatures
        places = threading.BoundedSemaphore((parameters or Batching()).num_batch_threads)
        self._calls = {name: _call(graph, name, parameters, places) for name in graph.names}

    def signature(self, name: str) -> SignatureDef:
        """The SignatureDef of that name, if it is one that can be called."""
        if name not in self._calls:
            message = f'Serving signature key "{name}" not found.'
            raise StatusError(StatusCode.FAILED_PRECONDITION, message)
        return self.signatures.signature_def[name]

    def predict(
        self,
        signature_name: str,
        inputs: Mapping[str, np.ndarray],
        output_filter: Sequence[str] = (),
    ) -> dict[str, np.ndarray]:
        """Runs a signature.

        Args:
            signature_name: One of the model's signatures.
            inputs: An array for each input of the signature; strings are objects of `bytes`.
            output_filter: The outputs wanted; all, if empty.
        """
        signature = self.signature(signature_name)
        check_inputs(signature, inputs, self._max_rows)
        return self._run(signature_name, inputs, output_filter)

    def answer(self, request: PredictRequest, *, bounded: bool = True) -> PredictResponse:
        """`predict` from protobuf to protobuf, which builds no array before all inputs are checked.

        Args:
            request: A client's; or a recorded one, which the bound on rows is not for.
            bounded: Whether it is.
        """
        signature_name = request.model_spec.signature_name or DEFAULT_SIGNATURE
        signature = self.signature(signature_name)
        tensors = {alias: stated(alias, proto) for alias, proto in request.inputs.items()}
        check_inputs(signature, tensors, self._max_rows if bounded else math.inf)
        inputs = {alias: from_proto(alias, proto) for alias, proto in request.inputs.items()}
        outputs = self._run(signature_name, inputs, request.output_filter)
        response = PredictResponse(model_spec=self.spec)
        response.model_spec.signature_name = signature_name
        for alias, array in outputs.items():
            response.outputs[alias].CopyFrom(to_proto(array))
        return response

    def _run(
        self, signature_name: str, inputs: Mapping[str, np.ndarray], output_filter: Sequence[str]
    ) -> dict[str, np.ndarray]:
        """`predict`, of inputs that were checked."""
        signature = self.signatures.signature_def[signature_name]
        check_output_filter(signature, output_filter)
        defaults = {a: from_proto(a, p) for a, p in signature.defaults.items() if a not in inputs}
        try:
            outputs = self._calls[signature_name]({**defaults, **inputs})
        except tf.errors.OpError as error:
            raise status_of(error) from error
        return {alias: outputs[alias] for alias in output_filter or outputs}


def _call(
    graph: LoadedGraph, name: str, batching: Batching | None, places: threading.BoundedSemaphore
) -> Call:
    """A signature, batched where that is asked for and can be; else in one of the places."""
    alone = limited(graph.call(name), places)
    if batching and can_batch(graph.signatures.signature_def[name]):
        together = graph.batched_call(name, batching)
        if together:
            return batched(alone, together, batching)
    return alone
