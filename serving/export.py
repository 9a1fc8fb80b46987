"""From a trained model's folder to a SavedModel version that stands alone."""

import shutil
import uuid
from pathlib import Path

import tensorflow as tf

import zoo
from serving.warmup_requests import write_warmup_requests

SIGNATURES = {
    "serving_default": "translate",
    "translate_with_alignment": "translate_with_alignment",
}


def export(folder, *, version=None, **decoding):
    """Export the model of a folder such as `saved_models/dates` to `<folder>/<version>/`.

    The version is written beside its place and renamed into it, so that a server that polls the
    folder never sees half a model. It needs neither Keras nor this package to run: it is a plain
    `tf.Module` of variables, lookup tables and functions, each weight once.

    Args:
        folder: what training wrote: model, tokenizers and card.
        version: a positive integer; one more than the highest that is there when not given.
        **decoding: fields of `zoo.Decoding` that differ from the card's.

    Returns:
        The path of the version.

    Raises:
        FileNotFoundError: where no trained model is.
        FileExistsError: if the version exists; none is ever overwritten.
        ValueError: for a version or a decoding that is none.
    """
    folder = Path(folder)
    translator = zoo.Translator.load(folder, **decoding)
    place = folder / str(_version(folder, version))
    beside = folder / f".writing-{uuid.uuid4().hex}"
    try:
        _save(translator, beside)
        write_warmup_requests(beside, _warmup_texts(translator), list(SIGNATURES))
        if place.exists():
            raise FileExistsError(_taken(place))
        beside.rename(place)
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return place


def _version(folder, version):
    existing = [int(path.name) for path in folder.iterdir() if path.name.isdecimal()]
    if version is None:
        return max(existing, default=0) + 1
    if version < 1:
        raise ValueError(f"a version is a positive integer, got {version}")
    if version in existing:
        raise FileExistsError(_taken(folder / str(version)))
    return version


def _taken(place):
    return f"{place} exists, and versions are never overwritten; leave --version out for the next"


def _save(translator, path):
    _without_cudnn(translator.model)
    module = tf.Module()
    # The variables themselves, not the Keras objects that hold them: TensorFlow Serving's loader
    # finds no variable that is reached through one of those.
    module.variables_ = [variable.value for variable in translator.model.variables]
    module.tokenizers = [translator.source, translator.target]
    functions = {
        signature: getattr(translator, method).get_concrete_function()
        for signature, method in SIGNATURES.items()
    }
    tf.saved_model.save(module, str(path), signatures=functions)


def _without_cudnn(model):
    """cuDNN's ops, which recurrent layers trace to where a GPU is, do not run on a CPU server."""
    for layer in model.layers:
        for part in (layer, *(getattr(layer, f"{way}_layer", None) for way in WAYS)):
            if hasattr(part, "use_cudnn"):
                part.use_cudnn = False


WAYS = ("forward", "backward")


def _warmup_texts(translator):
    return [translator.known.get("recipe", {}).get("example") or "a"]
