"""A request's tensors are held against the signature before an array is made of them."""

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.framework.tensor_pb2 import TensorProto
from tensorflow.core.protobuf.meta_graph_pb2 import SignatureDef
from tensorflow_serving.apis.predict_pb2 import PredictRequest

from serving.server.signatures import check_inputs
from serving.server.status import StatusError
from serving.server.tensor_protos import from_proto
from serving.server.versions import LoadedVersion


@pytest.fixture(scope="module")
def toy(saved_model):
    return LoadedVersion("toy", 1, saved_model)


def repeated(dtype, *sizes):
    """A few bytes that stand for a large tensor."""
    value = {"string_val": [b"a"]} if dtype == tf.string else {"double_val": [0.5]}
    shape = tf.TensorShape(sizes).as_proto()
    return TensorProto(dtype=dtype.as_datatype_enum, tensor_shape=shape, **value)


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        (
            {f"a{number}": repeated(tf.float64, 2**20) for number in range(200)},
            "input size does not match signature: 200!=1",
        ),
        ({"text": repeated(tf.float64, 2**20)}, "input text has type float64, expected string"),
        ({"text": repeated(tf.string, 1, 2**20)}, "input text has shape [1, 1048576], expected"),
        ({"text": repeated(tf.string, 2**20)}, "input text has 1048576 rows; expected 1024"),
        ({"text": TensorProto(dtype=99)}, "tensor parsing error: text: "),
    ],
)
def test_what_the_signature_does_not_take_is_not_built(toy, monkeypatch, inputs, message):
    built = []
    monkeypatch.setattr("serving.server.versions.from_proto", lambda *tensor: built.append(tensor))
    request = PredictRequest(model_spec={"name": "toy"}, inputs=inputs)
    with pytest.raises(StatusError) as error:
        toy.answer(request)
    assert error.value.message.startswith(message)
    assert built == []


def test_a_value_that_its_dtype_cannot_hold_is_a_parsing_error():
    """A half-precision float, which is stored as 16 bits, of more bits."""
    proto = TensorProto(dtype=tf.float16.as_datatype_enum, half_val=[2**16])
    with pytest.raises(StatusError, match=r"^tensor parsing error: x: "):
        from_proto("x", proto)


def test_an_unknown_input_in_place_of_one_that_has_a_default():
    signature = SignatureDef()
    signature.inputs["text"].dtype = tf.string.as_datatype_enum
    signature.inputs["optional"].dtype = tf.float32.as_datatype_enum
    signature.defaults["optional"].dtype = tf.float32.as_datatype_enum
    inputs = {name: np.array(["a"], object) for name in ("text", "unknown")}
    with pytest.raises(StatusError, match=r"Sent extra: {unknown}. Missing but required: {}\.$"):
        check_inputs(signature, inputs, 10)
