"""Attention Zoo: Luong, Bahdanau and self-attention for Keras 3, from layers to raw-text serving.

    import zoo
    from zoo.layers import LuongAttention

    model = zoo.build("luong-general", source_vocabulary_size=8000, target_vocabulary_size=8000)
    model = zoo.load("saved_models/dates-luong")
    translator = zoo.Translator.load("saved_models/dates-luong")

`zoo.layers` and `zoo.models` run on every Keras backend; `zoo.text`, `zoo.decoding` and
`zoo.Translator` are TensorFlow's graph. Names are imported when they are first asked for.
"""

import importlib

_HOMES = {
    "PRESETS": "zoo.models",
    "Decoding": "zoo.settings",
    "Translator": "zoo.translator",
    "build": "zoo.models",
    "decoding": None,
    "explain": None,
    "layers": None,
    "load": "zoo.models",
    "models": None,
    "text": None,
}

__all__ = sorted(_HOMES)


def __getattr__(name):
    if name not in _HOMES:
        raise AttributeError(f"module 'zoo' has no attribute {name!r}")
    home = _HOMES[name]
    return (
        getattr(importlib.import_module(home), name)
        if home
        else importlib.import_module(f"zoo.{name}")
    )


def __dir__():
    return __all__
