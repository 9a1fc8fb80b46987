"""A trained model from its folder."""

from pathlib import Path

import keras

from zoo.models.presets import MODELS

# Of the models that come with a clone of the repository.
SHIPPED = Path(__file__).parents[2] / "saved_models"


def folder_of(model):
    """The folder of a trained model: itself, or that of a model of this name that ships."""
    folder = Path(model)
    return SHIPPED / folder if not folder.exists() and (SHIPPED / folder).is_dir() else folder


def load(folder):
    """The trained Keras model of a folder such as `saved_models/dates`, not compiled.

    Args:
        folder: a path, or the name of a model that ships, such as `tatoeba-en-fr-transformer`.

    Raises:
        FileNotFoundError: where there is none.
        ValueError: for one that is damaged, or none of the zoo's.
    """
    path = folder_of(folder) / "model.keras"
    if not path.is_file():
        raise FileNotFoundError(f"no {path}; train a model with `attention-zoo train`")
    try:
        model = keras.saving.load_model(path, compile=False)
    except Exception as error:  # what Keras raises depends on where the damage is
        raise ValueError(f"{path} is damaged; restore it, or train the model again") from error
    if type(model) not in MODELS.values():
        raise ValueError(f"{path} is no model of this zoo; train one with `attention-zoo train`")
    return model
