"""The zoo's models by name. A preset states what differs from its base."""

import dataclasses
import inspect

from zoo.layers.arguments import check_flag, check_rate, check_whole
from zoo.models.recurrent_translator import RecurrentTranslator
from zoo.models.text_classifier import TextClassifier
from zoo.models.transformer_translator import TransformerTranslator

MODELS = {
    "classifier": TextClassifier,
    "recurrent": RecurrentTranslator,
    "transformer": TransformerTranslator,
}

SUTSKEVER = "Sutskever, Vinyals, Le 2014, Sequence to Sequence Learning with Neural Networks"
CHO = "Cho et al. 2014, Learning Phrase Representations using RNN Encoder-Decoder"
ELMAN = "Elman 1990, Finding Structure in Time"
BAHDANAU = "Bahdanau, Cho, Bengio 2015, Neural Machine Translation by Jointly Learning to Align"
LUONG = "Luong, Pham, Manning 2015, Effective Approaches to Attention-based NMT"
SALIMANS = "Salimans, Kingma 2016, Weight Normalization"
TU = "Tu et al. 2016, Modeling Coverage for Neural Machine Translation"
WU = "Wu et al. 2016, Google's Neural Machine Translation System"
RAFFEL_MONOTONIC = (
    "Raffel et al. 2017, Online and Linear-Time Attention by Enforcing Monotonic Alignments"
)
CHIU = "Chiu, Raffel 2018, Monotonic Chunkwise Attention"
VASWANI = "Vaswani et al. 2017, Attention Is All You Need"
GEHRING = "Gehring et al. 2017, Convolutional Sequence to Sequence Learning"
SHAW = "Shaw, Uszkoreit, Vaswani 2018, Self-Attention with Relative Position Representations"
RAFFEL = "Raffel et al. 2020, Exploring the Limits of Transfer Learning (T5)"
SU = "Su et al. 2021, RoFormer: Enhanced Transformer with Rotary Position Embedding"
PRESS = "Press, Smith, Lewis 2022, Train Short, Test Long: Attention with Linear Biases"
AINSLIE = "Ainslie et al. 2023, GQA: Training Generalized Multi-Query Transformer Models"
SHAZEER_MQA = "Shazeer 2019, Fast Transformer Decoding: One Write-Head is All You Need"
SHAZEER_GLU = "Shazeer 2020, GLU Variants Improve Transformer"
YANG = "Yang et al. 2016, Hierarchical Attention Networks for Document Classification"


@dataclasses.dataclass(frozen=True)
class Preset:
    """A named model: which class builds it, with which arguments, after which paper."""

    model: str
    paper: str
    settings: dict

    def differing(self, paper=None, **settings):
        """This preset but for `settings`."""
        return Preset(self.model, paper or self.paper, {**self.settings, **settings})


_seq2seq = Preset("recurrent", CHO, {"cell": "gru", "attention": None, "bidirectional": False})
_bahdanau = Preset("recurrent", BAHDANAU, {"cell": "gru", "attention": "bahdanau"})
_luong = Preset(
    "recurrent",
    LUONG,
    {"cell": "lstm", "attention": "luong", "score": "general", "bidirectional": False},
)
_transformer = Preset("transformer", VASWANI, {})

PRESETS = {
    "seq2seq-rnn": _seq2seq.differing(ELMAN, cell="rnn"),
    "seq2seq-gru": _seq2seq,
    "seq2seq-lstm": _seq2seq.differing(SUTSKEVER, cell="lstm"),
    "bahdanau-rnn": _bahdanau.differing(cell="rnn"),
    "bahdanau-gru": _bahdanau,
    "bahdanau-lstm": _bahdanau.differing(cell="lstm"),
    "bahdanau-normed": _bahdanau.differing(SALIMANS, attention="bahdanau-normed"),
    "bahdanau-coverage": _bahdanau.differing(TU, attention="bahdanau-coverage"),
    "bahdanau-monotonic": _bahdanau.differing(RAFFEL_MONOTONIC, attention="bahdanau-monotonic"),
    "mocha": _bahdanau.differing(CHIU, attention="bahdanau-chunkwise", window=2),
    "gnmt": _bahdanau.differing(
        WU,
        cell="lstm",
        attention="bahdanau-normed",
        attend="between",
        encoder_layers=2,
        decoder_layers=3,
        residual=True,
    ),
    "luong-dot": _luong.differing(score="dot"),
    "luong-general": _luong,
    "luong-concat": _luong.differing(score="concat"),
    "luong-scaled": _luong.differing(VASWANI, score="scaled"),
    "luong-location": _luong.differing(score="location"),
    "luong-local-m": _luong.differing(attention="luong-local-m"),
    "luong-local-p": _luong.differing(attention="luong-local-p"),
    "luong-monotonic": _luong.differing(RAFFEL_MONOTONIC, attention="luong-monotonic"),
    "luong-gru": _luong.differing(cell="gru"),
    "luong-rnn": _luong.differing(cell="rnn"),
    "transformer-lite": _transformer,
    "transformer-tiny": _transformer.differing(num_layers=4, dropout=0.3),
    "transformer-noise": _transformer.differing(positions="noise"),
    "transformer-learned": _transformer.differing(GEHRING, positions="learned"),
    "transformer-shaw": _transformer.differing(SHAW, positions="shaw"),
    "transformer-t5": _transformer.differing(RAFFEL, positions="t5", norm="rms"),
    "transformer-rope": _transformer.differing(SU, positions="rotary"),
    "transformer-alibi": _transformer.differing(PRESS, positions="alibi"),
    "transformer-mqa": _transformer.differing(SHAZEER_MQA, num_kv_heads=1),
    "transformer-gqa": _transformer.differing(AINSLIE, num_kv_heads=2),
    "transformer-swiglu": _transformer.differing(
        SHAZEER_GLU,
        activation="silu",
        gated_feed_forward=True,
        norm="rms",
        positions="rotary",
        tie_embeddings=True,
    ),
    "attention-classifier": Preset("classifier", YANG, {}),
}


def preset(name):
    """The preset of that name.

    Raises:
        ValueError: for a name that is none, with the names there are.
    """
    if name not in tuple(PRESETS):
        raise ValueError(f"No preset {name!r}; the presets are: {', '.join(PRESETS)}.")
    return PRESETS[name]


def build(name, /, **overrides):
    """An untrained model: the preset's arguments, but for `overrides`.

    Args:
        name: a key of `PRESETS`.
        **overrides: arguments of the model's class; the two vocabulary sizes at least.

    Raises:
        ValueError: for an unknown preset, or an argument that its model does not take, or needs.
    """
    chosen = preset(name)
    model, settings = MODELS[chosen.model], {**chosen.settings, **overrides}
    known = dict(inspect.signature(model).parameters)
    del known["kwargs"]
    unknown = sorted(set(settings) - {*known, "name"})
    if unknown:
        raise ValueError(
            f"Preset {name!r} takes no {', '.join(unknown)}; it takes: {', '.join(known)}."
        )
    missing = [a for a in known if known[a].default is known[a].empty and a not in settings]
    if missing:
        raise ValueError(
            f"Preset {name!r} needs {', '.join(missing)}, which it has no default for."
        )
    for argument, value in settings.items():
        if argument in known:
            _check(model.__name__, argument, value, known[argument].default)
    return model(**settings)


def _check(model, argument, value, default):
    """Refuse a value of another kind than the argument's default, if that is one of a kind.

    Sizes have no default. Names, what may be None and which sizes may be 0 are the model's own to
    check.
    """
    if isinstance(default, bool):
        check_flag(model, **{argument: value})
    elif isinstance(default, float):
        check_rate(model, **{argument: value})
    elif isinstance(default, int) or default is inspect.Parameter.empty:
        check_whole(model, 0, 2**24, **{argument: value})
