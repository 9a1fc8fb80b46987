"""Classify and regress: how TensorFlow Serving refuses them for signatures made to predict.

Its checks, in its order and words (``classifier.cc``, ``regressor.cc``); it looks at a signature's
tensors, not at its method name, unless told ``--enable_signature_method_name_check``.
"""

from collections.abc import Mapping

from grpc import StatusCode
from tensorflow.core.protobuf.meta_graph_pb2 import SignatureDef

from serving.server.json_values import show
from serving.server.status import StatusError, invalid
from serving.server.versions import DEFAULT_SIGNATURE


def refuse(method: str, signature_name: str, signatures: Mapping[str, SignatureDef]) -> None:
    """Raises why the signature does not do what the method, classify or regress, asks for."""
    name = signature_name or DEFAULT_SIGNATURE
    if name not in signatures:
        raise invalid(f"No signature was found with the name: {name}")
    signature = signatures[name]
    if len(signature.inputs) != 1:
        raise invalid("Expected one input Tensor.")
    {"classify": _check_classification, "regress": _check_regression}[method](signature)
    message = f"The local server does not {method}; TensorFlow Serving does"
    raise StatusError(StatusCode.UNIMPLEMENTED, message)


def check_examples(document: dict) -> None:
    """What a REST request must hold to get as far as the model."""
    value = f"JSON Value: {show(document)}"
    if "examples" not in document:
        raise invalid(
            f"{value} When method is classify, key 'examples' is expected and was not found"
        )
    if not isinstance(document["examples"], list):
        raise invalid(f"{value} Expecting 'examples' value to be an list/array")
    if not document["examples"]:
        raise invalid(f"{value} 'examples' value is an empty array")


def _check_classification(signature: SignatureDef) -> None:
    if len(signature.outputs) not in (1, 2):
        raise invalid(f"Expected one or two output Tensors, found {len(signature.outputs)}")
    if "inputs" not in signature.inputs:
        raise invalid(f"No classification inputs found in SignatureDef: {signature}")
    if not {"classes", "scores"} & signature.outputs.keys():
        raise invalid(
            "Expected classification signature outputs to contain at least one of "
            f'"classes" or "scores". Signature was: {signature}'
        )


def _check_regression(signature: SignatureDef) -> None:
    if len(signature.outputs) != 1:
        raise invalid("Expected one output Tensor.")
    if "inputs" not in signature.inputs:
        raise invalid(f"No regression inputs found in SignatureDef: {signature}")
    if "outputs" not in signature.outputs:
        raise invalid(f"No regression outputs found in SignatureDef: {signature}")
