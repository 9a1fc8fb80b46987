"""gRPC through tensorflow-serving-api's own stubs."""

import grpc
import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis.get_model_metadata_pb2 import GetModelMetadataRequest, SignatureDefMap
from tensorflow_serving.apis.get_model_status_pb2 import GetModelStatusRequest, ModelVersionStatus
from tensorflow_serving.apis.model_service_pb2_grpc import ModelServiceStub
from tensorflow_serving.apis.predict_pb2 import PredictRequest
from tensorflow_serving.apis.prediction_service_pb2_grpc import PredictionServiceStub


@pytest.fixture(scope="module")
def channel(server):
    with grpc.insecure_channel(f"127.0.0.1:{server.grpc_port}") as channel:
        yield channel


@pytest.fixture(scope="module")
def predictions(channel):
    return PredictionServiceStub(channel)


@pytest.fixture(scope="module")
def models(channel):
    return ModelServiceStub(channel)


def request(inputs, signature="", version=None, label=None, output_filter=(), name="toy"):
    message = PredictRequest(output_filter=output_filter)
    message.model_spec.name = name
    message.model_spec.signature_name = signature
    if version is not None:
        message.model_spec.version.value = version
    if label is not None:
        message.model_spec.version_label = label
    for alias, value in inputs.items():
        message.inputs[alias].CopyFrom(tf.make_tensor_proto(value))
    return message


def test_predict(predictions):
    response = predictions.Predict(request({"text": ["a", "bc\0"]}))
    assert tf.make_ndarray(response.outputs["text"]).tolist() == [b"A", b"BC\0"]
    assert list(response.outputs["score"].float_val) == pytest.approx([0.1, 0.3])
    assert response.model_spec.name == "toy"
    assert response.model_spec.version.value == 1
    assert response.model_spec.signature_name == "serving_default"


def test_all_types_and_ranks(predictions):
    inputs = {"x": np.array([[1, -2]], np.float32), "n": np.array([2], np.int32)}
    outputs = predictions.Predict(request(inputs, "arithmetic")).outputs
    assert tf.make_ndarray(outputs["quotient"]).tolist() == [[0.5, -1]]
    assert tf.make_ndarray(outputs["positive"]).tolist() == [[True, False]]
    assert list(outputs["count"].int64_val) == [1]
    alignment = predictions.Predict(request({"text": ["a b"]}, "align")).outputs["alignment"]
    assert tf.make_ndarray(alignment).shape == (1, 2, 2)


def test_output_filter(predictions):
    response = predictions.Predict(request({"text": ["a"]}, output_filter=["score"]))
    assert list(response.outputs) == ["score"]


def test_invalid_utf8_and_empty_batch(predictions):
    outputs = predictions.Predict(request({"text": [b"\xff"]}, "align")).outputs
    assert outputs["raw_bytes"].string_val[:] == [b"\xff"]
    empty = request({"text": np.array([], object)})
    assert tf.make_ndarray(predictions.Predict(empty).outputs["text"]).shape == (0,)


def overflowing():
    """A half-precision float, which is stored as 16 bits, of more bits."""
    message = request({})
    message.inputs["text"].dtype = tf.float16.as_datatype_enum
    message.inputs["text"].half_val.append(2**16)
    return message


def shaped(*sizes):
    """A request of one text that claims another shape."""
    message = request({"text": "a"})
    for size in sizes:
        message.inputs["text"].tensor_shape.dim.add(size=size)
    return message


def test_the_last_value_fills_the_shape(predictions):
    response = predictions.Predict(shaped(3))
    assert tf.make_ndarray(response.outputs["text"]).tolist() == [b"A"] * 3


INVALID, NOT_FOUND = grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.NOT_FOUND


@pytest.mark.parametrize(
    ("message", "code", "details"),
    [
        (PredictRequest(), INVALID, "Missing ModelSpec"),
        (request({}, name=""), INVALID, "ModelSpec has no name specified."),
        (request({}, name="none"), NOT_FOUND, "Servable not found for request: Latest(none)"),
        (request({}, version=9), NOT_FOUND, "Servable not found for request: Specific(toy, 9)"),
        (request({}, label="x"), INVALID, "Unrecognized servable version label: x"),
        (
            request({}, "none"),
            grpc.StatusCode.FAILED_PRECONDITION,
            'Serving signature key "none" not found.',
        ),
        (request({}), INVALID, "Sent extra: {}. Missing but required: {text}."),
        (request({"txt": ["a"]}), INVALID, "Signature input alias: text not found in request"),
        (request({"text": [1.0]}), INVALID, "input text has type float32, expected string"),
        (request({"text": [["a"]]}), INVALID, "input text has shape [1, 1], expected (None,)"),
        (shaped(0), INVALID, "tensor parsing error: text: "),
        (overflowing(), INVALID, "input text has type float16, expected string"),
        (shaped(3, -2), INVALID, "text: shape [3, -2]; expected sizes of 0 or more"),
        (shaped(-1), INVALID, "text: shape [-1]; expected sizes of 0 or more"),
        (shaped(10**12), INVALID, "shape [1000000000000] is larger than the values sent"),
        (shaped(2**32, 2**32), INVALID, "is larger than the values sent"),
        (shaped(*[1] * 99), INVALID, "shape of 99 dimensions; expected 16 at most"),
        (
            request({"text": ["a"]}, output_filter=["none"]),
            INVALID,
            "output tensor alias not found in signature: none",
        ),
        (
            request({"text": ["a"]}, output_filter=["text", "text"]),
            INVALID,
            "duplicate output tensor alias: text",
        ),
        (request({"text": ["a" * 5000]}, "number"), INVALID, "...TRUNCATED"),
    ],
)
def test_errors(predictions, message, code, details):
    with pytest.raises(grpc.RpcError) as error:
        predictions.Predict(message)
    assert error.value.code() is code
    assert details in error.value.details()


@pytest.mark.parametrize("data", [b"\0", request({"text": ["a"]}).SerializeToString()[:-1]])
def test_bytes_that_are_no_message(channel, data, caplog):
    with pytest.raises(grpc.RpcError, match="Error parsing message") as error:
        channel.unary_unary("/tensorflow.serving.PredictionService/Predict")(data)
    assert error.value.code() is INVALID
    assert not caplog.records


def test_status(models):
    message = GetModelStatusRequest()
    message.model_spec.name = "toy"
    (status,) = models.GetModelStatus(message).model_version_status
    assert (status.version, status.state) == (1, ModelVersionStatus.AVAILABLE)
    message.model_spec.version.value = 9
    with pytest.raises(grpc.RpcError) as error:
        models.GetModelStatus(message)
    assert error.value.code() is NOT_FOUND


def test_metadata(predictions):
    message = GetModelMetadataRequest(metadata_field=["signature_def"])
    message.model_spec.name = "toy"
    response = predictions.GetModelMetadata(message)
    signatures = SignatureDefMap()
    response.metadata["signature_def"].Unpack(signatures)
    assert response.model_spec.version.value == 1
    assert signatures.signature_def["serving_default"].inputs["text"].dtype == tf.string


@pytest.mark.parametrize(
    ("fields", "details"),
    [([], "must specify at least one metadata_field"), (["x"], "field x is not supported")],
)
def test_metadata_fields(predictions, fields, details):
    message = GetModelMetadataRequest(metadata_field=fields)
    message.model_spec.name = "toy"
    with pytest.raises(grpc.RpcError) as error:
        predictions.GetModelMetadata(message)
    assert error.value.code() is INVALID
    assert details in error.value.details()


def test_what_predicts_does_not_classify_or_regress(predictions):
    from tensorflow_serving.apis.classification_pb2 import ClassificationRequest
    from tensorflow_serving.apis.regression_pb2 import RegressionRequest

    spec = {"name": "toy", "signature_name": "size"}
    for call, message, details in (
        (predictions.Classify, ClassificationRequest(), "Missing ModelSpec"),
        (predictions.Classify, ClassificationRequest(model_spec=spec), "No classification inputs"),
        (predictions.Regress, RegressionRequest(model_spec=spec), "No regression inputs found in"),
    ):
        with pytest.raises(grpc.RpcError) as error:
            call(message)
        assert error.value.code() is INVALID
        assert error.value.details().startswith(details)
