"""Functional sequence-to-sequence models, each seen whole and one token at a time."""

from zoo.models.ensemble import Ensemble
from zoo.models.loading import load
from zoo.models.presets import PRESETS, Preset, build
from zoo.models.recurrent_translator import RecurrentTranslator
from zoo.models.text_classifier import TextClassifier
from zoo.models.transformer_translator import TransformerTranslator

__all__ = [
    "PRESETS",
    "Ensemble",
    "Preset",
    "RecurrentTranslator",
    "TextClassifier",
    "TransformerTranslator",
    "build",
    "load",
]
