"""The files that make up a trained model, written and told apart."""

import dataclasses
import hashlib
from pathlib import Path

from zoo import card
from zoo.models.storing import store
from zoo.replacing import replacing

TOKENIZERS = ("source.json", "target.json")


def save_model(folder, model, decoding, known, precision="float32"):
    """Write a model beside its tokenizers, and last the card, which holds all files' digests.

    Needs no TensorFlow.

    Args:
        folder: where the tokenizers' files are by now.
        model: built, on any backend.
        decoding: a `Decoding`.
        known: what else the card says, a JSON-able dict.
        precision: of the weights in their file: see `store`.
    """
    folder = Path(folder)
    with replacing(folder / "model.keras") as beside:
        store(model, beside, precision)
    decoding = dataclasses.asdict(decoding)
    card.write(folder, {**known, "decoding": decoding, "files": digests(folder)})


def digests(folder, names=("model.keras", *TOKENIZERS)):
    """What the files that make up a model hold, as SHA-256."""
    return {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in names}
