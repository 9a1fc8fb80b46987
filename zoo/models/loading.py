"""A trained model from its folder."""

from pathlib import Path

import keras

# Imported to be registered with Keras, which builds them by name.
from zoo.models import (  # noqa: F401
    recurrent_translator,
    text_classifier,
    transformer_translator,
)


def load(folder):
    """The trained Keras model of a folder such as `saved_models/dates`, not compiled.

    Raises:
        FileNotFoundError: where there is none.
    """
    path = Path(folder) / "model.keras"
    if not path.is_file():
        raise FileNotFoundError(
            f"no trained model in {folder}: expected {path}; train one with `attention-zoo train`"
        )
    return keras.saving.load_model(path, compile=False)
