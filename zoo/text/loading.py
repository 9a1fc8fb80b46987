"""Reads a saved tokenizer of any kind."""

import hashlib
import json
from pathlib import Path

from zoo.text.character_tokenizer import CharacterTokenizer
from zoo.text.sentencepiece_tokenizer import SentencePieceTokenizer
from zoo.text.word_tokenizer import WordTokenizer

_KINDS = {kind.kind: kind for kind in (CharacterTokenizer, WordTokenizer, SentencePieceTokenizer)}


def load_tokenizer(folder, name: str):
    """Gives the tokenizer that `tokenizer.save(folder, name)` wrote."""
    path = Path(folder) / f"{name}.json"
    options = _options(path)
    tokenizer = _KINDS[options.pop("kind")]
    vocabulary = path.with_name(f"{name}{tokenizer.suffix}")
    data = _read(vocabulary)
    if hashlib.sha256(data).hexdigest() != options.pop("sha256"):
        raise ValueError(
            f"{vocabulary} is not the vocabulary that {path} was saved with: "
            "one was damaged or edited; restore both from the same save, or train anew"
        )
    try:
        return tokenizer.from_bytes(data, **options)
    except TypeError as error:
        raise _not_saved(path) from error


def _options(path):
    try:
        options = json.loads(_read(path))
        if options["kind"] in _KINDS and options["sha256"]:
            return options
    except (ValueError, TypeError, KeyError):
        pass
    raise _not_saved(path)


def _not_saved(path):
    return ValueError(
        f"{path} is not a saved tokenizer: expected JSON with a sha256 and a kind that is one of "
        f"{', '.join(_KINDS)}; restore it, or train anew"
    )


def _read(path):
    if not path.is_file():
        raise FileNotFoundError(f"no {path}: expected a file written by a tokenizer's save()")
    return path.read_bytes()
