"""Errors in the local server's own words: TensorFlow Serving has others, or none, for these."""

import grpc
import pytest
import requests
from tensorflow_serving.apis.predict_pb2 import PredictRequest
from tensorflow_serving.apis.prediction_service_pb2_grpc import PredictionServiceStub

from serving.server import LocalServer


@pytest.fixture(scope="module")
def local(saved_model):
    with LocalServer(saved_model.parents[1], rest_port=0, grpc_port=0) as server:
        yield server


@pytest.fixture(scope="module")
def channel(local):
    with grpc.insecure_channel(f"127.0.0.1:{local.grpc_port}") as channel:
        yield channel


def test_a_long_message_is_cut_by_its_bytes(channel):
    """A header has room for so many; of one that is too long, nothing arrives."""
    request = PredictRequest(model_spec={"name": "👍" * 3000})
    with pytest.raises(grpc.RpcError) as error:
        PredictionServiceStub(channel).Predict(request)
    assert error.value.code() is grpc.StatusCode.NOT_FOUND
    said, _, rest = error.value.details().partition("...TRUNCATED")
    assert said.endswith("👍")
    assert 1020 < len(said.encode()) <= 1024
    assert not rest


@pytest.mark.parametrize(
    "method", ["PredictionService/MultiInference", "ModelService/HandleReloadConfigRequest"]
)
def test_what_is_not_offered_leaves_no_traceback(channel, method, caplog):
    with pytest.raises(grpc.RpcError, match="Method not implemented!") as error:
        channel.unary_unary(f"/tensorflow.serving.{method}")(b"")
    assert error.value.code() is grpc.StatusCode.UNIMPLEMENTED
    assert not caplog.records


@pytest.mark.parametrize("number", [10**400, -(10**400)], ids=["above", "below"])
def test_a_whole_number_beyond_any_float_is_400(local, number, caplog):
    body = {"inputs": {"x": [[number, 2]], "n": [1]}, "signature_name": "arithmetic"}
    url = f"http://127.0.0.1:{local.rest_port}/v1/models/toy:predict"
    answer = requests.post(url, json=body, timeout=30)
    assert answer.status_code == 400
    message = answer.json()["error"]
    assert message.endswith("... Type: Number is not of expected type: float")
    assert not caplog.records
