"""The client that speaks protobuf over gRPC."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from serving.client.answers import (
    Client,
    ServerError,
    address_of,
    batch,
    not_spoken,
    not_there,
    not_trusted,
    too_slow,
)
from serving.client.tls import Tls


class GrpcClient(Client):
    """Speaks protobuf over gRPC; brings TensorFlow with tensorflow-serving-api."""

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 8500,
        *,
        timeout: float = 60,
        tls: Tls | None = None,
    ) -> None:
        from tensorflow_serving.apis.model_service_pb2_grpc import ModelServiceStub
        from tensorflow_serving.apis.prediction_service_pb2_grpc import PredictionServiceStub

        self._address = address_of(host, port)
        self._timeout = timeout
        self._channel = _channel(self._address, tls)
        self._models = ModelServiceStub(self._channel)
        self._predictions = PredictionServiceStub(self._channel)

    def predict(
        self,
        model: str,
        inputs: dict[str, Sequence],
        *,
        signature: str = "serving_default",
        version: int | None = None,
        label: str | None = None,
    ) -> dict[str, np.ndarray]:
        """The inputs of a signature by name, an entry for each text; its outputs likewise."""
        from tensorflow_serving.apis.predict_pb2 import PredictRequest

        request = PredictRequest()
        request.model_spec.CopyFrom(_model_spec(model, version, label))
        request.model_spec.signature_name = signature
        for name, values in inputs.items():
            request.inputs[name].CopyFrom(_tensor_proto(batch(values)))
        response = self._ask(self._predictions.Predict, request)
        return {name: _decoded(t) for name, t in response.outputs.items()}

    def status(self, model: str) -> list[dict[str, Any]]:
        """A dict for each version: ``version``, ``state`` and ``status``, newest first."""
        from google.protobuf.json_format import MessageToDict
        from tensorflow_serving.apis.get_model_status_pb2 import GetModelStatusRequest

        request = GetModelStatusRequest(model_spec=_model_spec(model))
        response = self._ask(self._models.GetModelStatus, request)
        answer = MessageToDict(response, always_print_fields_with_no_presence=True)
        return answer["model_version_status"]

    def metadata(self, model: str) -> dict[str, Any]:
        """Name and version that answer, and each signature with its inputs and outputs."""
        from google.protobuf.json_format import MessageToDict
        from tensorflow_serving.apis.get_model_metadata_pb2 import (
            GetModelMetadataRequest,
            SignatureDefMap,
        )

        request = GetModelMetadataRequest(
            model_spec=_model_spec(model), metadata_field=["signature_def"]
        )
        response = self._ask(self._predictions.GetModelMetadata, request)
        signatures = SignatureDefMap()
        response.metadata["signature_def"].Unpack(signatures)
        options = {
            "always_print_fields_with_no_presence": True,
            "preserving_proto_field_name": True,
        }
        return {
            "model_spec": MessageToDict(response.model_spec, **options),
            "metadata": {"signature_def": MessageToDict(signatures, **options)},
        }

    def close(self) -> None:
        self._channel.close()

    def _ask(self, method: Any, request: Any) -> Any:
        import grpc

        try:
            return method(request, timeout=self._timeout)
        except grpc.RpcError as error:
            if error.code() is grpc.StatusCode.UNAVAILABLE:
                self._explain(error)
            if error.code() is grpc.StatusCode.DEADLINE_EXCEEDED:
                raise too_slow(self._address, self._timeout) from error
            raise ServerError(error.code().name, error.details()) from error

    def _explain(self, error: Any) -> None:
        """Raises what came before any answer; else the server says itself why it has none."""
        details = error.details()
        if "handshake failed" in details:
            raise not_trusted(self._address, details.rpartition("failed ")[2]) from error
        if any(words in details for words in ("HTTP/2", "Socket closed", "ALPN")):
            raise not_spoken(self._address, "gRPC") from error
        if "failed to connect" in details:
            raise not_there(self._address) from error


def _channel(where: str, tls: Tls | None) -> Any:
    import grpc

    options = [("grpc.max_receive_message_length", -1)]
    if not tls:
        return grpc.insecure_channel(where, options=options)
    files = tls.roots, tls.key, tls.certificate
    held = (Path(file).read_bytes() if file else None for file in files)
    return grpc.secure_channel(where, grpc.ssl_channel_credentials(*held), options=options)


def _tensor_proto(values: list) -> Any:
    """Whole numbers as int32 and others as float32, which is what exported signatures take."""
    import tensorflow as tf

    if not values or isinstance(values[0], str | bytes):
        return tf.make_tensor_proto(values, tf.string, [len(values)])
    whole = np.asarray(values).dtype.kind == "i"
    return tf.make_tensor_proto(values, tf.int32 if whole else tf.float32)


def _decoded(tensor: Any) -> np.ndarray:
    import tensorflow as tf

    array = tf.make_ndarray(tensor)
    if array.dtype != object:
        return array
    return np.frompyfunc(lambda text: text.decode("utf-8", "replace"), 1, 1)(array)


def _model_spec(model: str, version: int | None = None, label: str | None = None) -> Any:
    from tensorflow_serving.apis.model_pb2 import ModelSpec

    spec = ModelSpec(name=model, version_label=label)
    if version is not None:
        spec.version.value = version
    return spec
