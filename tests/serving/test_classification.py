"""The order and the words of TensorFlow Serving's own checks, on signatures of every kind."""

import pytest
from grpc import StatusCode
from tensorflow.core.protobuf.meta_graph_pb2 import SignatureDef, TensorInfo

from serving.server.classification import refuse
from serving.server.status import StatusError


def signature(inputs, outputs):
    return SignatureDef(
        inputs={name: TensorInfo() for name in inputs.split()},
        outputs={name: TensorInfo() for name in outputs.split()},
        method_name="tensorflow/serving/predict",
    )


@pytest.mark.parametrize(
    ("method", "inputs", "outputs", "message"),
    [
        ("classify", "a b", "classes", "Expected one input Tensor."),
        ("classify", "inputs", "a b c", "Expected one or two output Tensors, found 3"),
        ("classify", "text", "classes", "No classification inputs found in SignatureDef: "),
        (
            "classify",
            "inputs",
            "text score",
            "Expected classification signature outputs to contain at least one of "
            '"classes" or "scores". Signature was: ',
        ),
        ("regress", "a b", "outputs", "Expected one input Tensor."),
        ("regress", "inputs", "a b", "Expected one output Tensor."),
        ("regress", "text", "outputs", "No regression inputs found in SignatureDef: "),
        ("regress", "inputs", "text", "No regression outputs found in SignatureDef: "),
    ],
)
def test_what_is_made_to_predict_is_invalid(method, inputs, outputs, message):
    with pytest.raises(StatusError) as error:
        refuse(method, "", {"serving_default": signature(inputs, outputs)})
    assert error.value.code is StatusCode.INVALID_ARGUMENT
    assert error.value.message.startswith(message)


@pytest.mark.parametrize(("method", "output"), [("classify", "scores"), ("regress", "outputs")])
def test_what_would_classify_elsewhere_is_unimplemented_here(method, output):
    with pytest.raises(StatusError) as error:
        refuse(method, "own", {"own": signature("inputs", output)})
    assert error.value.code is StatusCode.UNIMPLEMENTED
