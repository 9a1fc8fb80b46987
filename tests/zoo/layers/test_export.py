"""Every layer in a SavedModel that runs without Keras and XLA."""

import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose

from serving.session import ask
from tests.zoo.layers.conftest import ATTENTIONS, DIM, OTHERS

tf = pytest.importorskip("tensorflow")
if keras.backend.backend() != "tensorflow":
    pytest.skip("exports are TensorFlow's", allow_module_level=True)

# It takes long to trace them all.
pytestmark = pytest.mark.slow

ROWS = ATTENTIONS | OTHERS


def given(row):
    """Inputs by name; memories of three lengths, among them none."""
    rng = np.random.default_rng(0)
    memory = rng.normal(size=(3, 5, row.memory_dim))
    return {
        "x": rng.normal(size=(3, 4, DIM)).astype("float32"),
        "memory": memory.astype("float32"),
        "mask": np.arange(5) < np.array([[5], [3], [0]]),
    }


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """What each row answers here, and from one SavedModel of all, in a fresh process."""
    module, functions, here, requests = tf.Module(), {}, {}, {}
    module.variables_ = []
    for name, row in ROWS.items():
        keras.utils.set_random_seed(0)
        layer, tensors = row.make(), given(row)
        here[name] = keras.ops.convert_to_numpy(row.call(layer, *tensors.values()))
        module.variables_ += [variable.value for variable in layer.variables]
        specs = [
            tf.TensorSpec([None, None, *array.shape[2:]], array.dtype, name=key)
            for key, array in tensors.items()
        ]
        call = tf.function(
            lambda *x, row=row, layer=layer: {"y": row.call(layer, *x)}, input_signature=specs
        )
        functions[name] = call.get_concrete_function()
        inputs = functions[name].structured_input_signature[0]
        requests[name] = {key: tensors[key].tolist() for key in tensors if inputs}
    folder = tmp_path_factory.mktemp("layers")
    tf.saved_model.save(module, str(folder / "1"), signatures=functions)
    answers = ask(folder / "1", list(requests.items()))
    return here, dict(zip(requests, answers, strict=True))


@pytest.mark.shows("export")
@pytest.mark.parametrize("name", ROWS)
def test_an_export_answers_the_same(name, served):
    here, there = served
    assert_allclose(there[name]["y"], here[name], rtol=1e-5, atol=1e-6)
