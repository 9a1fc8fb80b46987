"""A client that needs no server: it asks a model of this process."""

import pytest
import tensorflow as tf

import zoo
from serving.client.answers import Client


class InProcess(Client):
    """Answers as a server would that has this one model."""

    def __init__(self, translator):
        self.translator = translator

    def predict(self, model, inputs, *, signature="serving_default"):
        inputs = {name: tf.constant(values) for name, values in inputs.items()}
        outputs = self.translator.signatures[signature](**inputs)
        return {name: tensor.numpy() for name, tensor in outputs.items()}


@pytest.fixture(scope="session")
def client(tiny_model):
    return InProcess(zoo.Translator.load(tiny_model, beam_size=3))
