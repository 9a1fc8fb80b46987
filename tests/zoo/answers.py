"""What every layer and every model answers on this backend: `python -m tests.zoo.answers FILE`.

Weights and inputs come from NumPy, so that the answers may be compared across backends.
"""

import sys

import keras
import numpy as np

import zoo.models
from tests.zoo.layers.conftest import ATTENTIONS, DIM, OTHERS
from zoo.models import PRESETS

SIZES = {
    "recurrent": {"embedding_dim": 10, "units": 16},
    "transformer": {"dim": 16, "num_layers": 2, "hidden_dim": 20},
    "classifier": {"num_classes": 3, "dim": 16, "num_heads": 2, "hidden_dim": 20},
}
VOCABULARIES = {
    "classifier": {"vocabulary_size": 12},
    "recurrent": {"source_vocabulary_size": 12, "target_vocabulary_size": 13},
    "transformer": {"source_vocabulary_size": 12, "target_vocabulary_size": 13},
}


def weigh(layer, rng, spread):
    layer.set_weights([rng.normal(0, spread, weight.shape) for weight in layer.get_weights()])


def of_layer(row):
    rng = np.random.default_rng(0)
    x, memory = rng.normal(size=(3, 4, DIM)), rng.normal(size=(3, 5, row.memory_dim))
    given = x.astype("float32"), memory.astype("float32"), np.arange(5) < [[5], [3], [0]]
    layer = row.make()
    row.call(layer, *given)
    weigh(layer, rng, 0.5)
    return row.call(layer, *given)


def of_model(name):
    rng, kind = np.random.default_rng(0), PRESETS[name].model
    model = zoo.models.build(name, **SIZES[kind], **VOCABULARIES[kind])
    weigh(model, rng, 0.3)
    source = rng.integers(1, 12, (3, 6)) * (np.arange(6) < [[6], [4], [1]])
    target = rng.integers(1, 13, (3, 5))
    return model(source if kind == "classifier" else (source, target))


def main(file):
    answers = {f"layer {name}": of_layer(row) for name, row in (ATTENTIONS | OTHERS).items()}
    answers |= {f"model {name}": of_model(name) for name in PRESETS}
    np.savez(file, **{name: keras.ops.convert_to_numpy(x) for name, x in answers.items()})


if __name__ == "__main__":
    main(sys.argv[1])
