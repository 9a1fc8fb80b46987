"""One loaded version of one model: the single place through which every prediction goes."""

import contextlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf
from grpc import StatusCode
from tensorflow.core.protobuf.meta_graph_pb2 import SignatureDef
from tensorflow.core.protobuf.saved_model_pb2 import SavedModel
from tensorflow_serving.apis.get_model_metadata_pb2 import SignatureDefMap
from tensorflow_serving.apis.model_pb2 import ModelSpec
from tensorflow_serving.apis.predict_pb2 import PredictRequest, PredictResponse

from serving.server.batching import Batching, of_version, wrap
from serving.server.signatures import check_inputs, check_output_filter
from serving.server.status import StatusError, status_of
from serving.server.tensor_protos import from_proto, to_proto
from serving.server_options import ServerOptions

# Registers the ops of SentencePiece models; TensorFlow Serving has them built in.
with contextlib.suppress(ImportError):
    import tensorflow_text  # noqa: F401

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
    ) -> None:
        self.spec = ModelSpec(name=name, version={"value": version})
        self._model = _load(folder)
        self._max_rows = max_rows
        self.signatures = _read_signatures(folder)
        parameters = of_version(folder, batching)
        self._calls = wrap(self._model.signatures, self.signatures.signature_def, parameters)

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
        check_output_filter(signature, output_filter)
        defaults = {a: from_proto(a, p) for a, p in signature.defaults.items() if a not in inputs}
        try:
            tensors = {
                alias: tf.constant(array, signature.inputs[alias].dtype)
                for alias, array in {**defaults, **inputs}.items()
            }
            outputs = self._calls[signature_name](**tensors)
        except tf.errors.OpError as error:
            raise status_of(error) from error
        return {alias: _array(outputs[alias]) for alias in output_filter or outputs}

    def answer(self, request: PredictRequest) -> PredictResponse:
        """`predict` from protobuf to protobuf: for gRPC and for recorded requests."""
        signature_name = request.model_spec.signature_name or DEFAULT_SIGNATURE
        inputs = {alias: from_proto(alias, proto) for alias, proto in request.inputs.items()}
        outputs = self.predict(signature_name, inputs, request.output_filter)
        response = PredictResponse(model_spec=self.spec)
        response.model_spec.signature_name = signature_name
        for alias, array in outputs.items():
            response.outputs[alias].CopyFrom(to_proto(array))
        return response


def _load(folder: Path):
    try:
        return tf.saved_model.load(str(folder), tags=["serve"])
    except (OSError, tf.errors.NotFoundError) as error:
        if "Op type not registered" not in str(error):
            raise
        message = f"{error} If it is an op of tensorflow-text: pip install 'attention-zoo[text]'."
        raise StatusError(StatusCode.NOT_FOUND, message) from error


def _read_signatures(folder: Path) -> SignatureDefMap:
    saved_model = SavedModel.FromString((folder / "saved_model.pb").read_bytes())
    graph = next(graph for graph in saved_model.meta_graphs if "serve" in graph.meta_info_def.tags)
    return SignatureDefMap(signature_def=graph.signature_def)


def _array(tensor: tf.Tensor) -> np.ndarray:
    """A scalar string comes as `bytes`, which NumPy would strip of its trailing NULs."""
    return np.asarray(tensor.numpy(), dtype=object if tensor.dtype == tf.string else None)
