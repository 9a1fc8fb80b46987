"""The zoo's models by name. A preset states what differs from its base."""

import dataclasses
import inspect

from zoo.models.recurrent_translator import RecurrentTranslator
from zoo.models.transformer_translator import TransformerTranslator

MODELS = {"recurrent": RecurrentTranslator, "transformer": TransformerTranslator}

SUTSKEVER = "Sutskever, Vinyals, Le 2014, Sequence to Sequence Learning with Neural Networks"
CHO = "Cho et al. 2014, Learning Phrase Representations using RNN Encoder-Decoder"
ELMAN = "Elman 1990, Finding Structure in Time"
BAHDANAU = "Bahdanau, Cho, Bengio 2015, Neural Machine Translation by Jointly Learning to Align"
LUONG = "Luong, Pham, Manning 2015, Effective Approaches to Attention-based NMT"
VASWANI = "Vaswani et al. 2017, Attention Is All You Need"


@dataclasses.dataclass(frozen=True)
class Preset:
    """A named model: which class builds it, with which arguments, after which paper."""

    model: str
    paper: str
    settings: dict

    def differing(self, paper=None, **settings):
        """This preset but for `settings`."""
        return Preset(self.model, paper or self.paper, {**self.settings, **settings})


_seq2seq = Preset("recurrent", CHO, {"cell": "gru", "attention": None})
_bahdanau = Preset("recurrent", BAHDANAU, {"cell": "gru", "attention": "bahdanau"})
_luong = Preset("recurrent", LUONG, {"cell": "lstm", "attention": "luong", "score": "general"})
_transformer = Preset("transformer", VASWANI, {})

PRESETS = {
    "seq2seq-rnn": _seq2seq.differing(ELMAN, cell="rnn"),
    "seq2seq-gru": _seq2seq,
    "seq2seq-lstm": _seq2seq.differing(SUTSKEVER, cell="lstm", bidirectional=False),
    "bahdanau-rnn": _bahdanau.differing(cell="rnn"),
    "bahdanau-gru": _bahdanau,
    "bahdanau-lstm": _bahdanau.differing(cell="lstm"),
    "luong-dot": _luong.differing(score="dot", bidirectional=False),
    "luong-general": _luong,
    "luong-concat": _luong.differing(score="concat"),
    "luong-gru": _luong.differing(cell="gru"),
    "luong-rnn": _luong.differing(cell="rnn"),
    "transformer-lite": _transformer,
    "transformer-tiny": _transformer.differing(num_layers=4, dropout=0.3),
}


def preset(name):
    """The preset of that name.

    Raises:
        ValueError: for a name that is none, with the names there are.
    """
    if name not in PRESETS:
        raise ValueError(f"No preset {name!r}; the presets are: {', '.join(PRESETS)}.")
    return PRESETS[name]


def build(name, /, **overrides):
    """An untrained model: the preset's arguments, but for `overrides`.

    Args:
        name: a key of `PRESETS`.
        **overrides: arguments of the model's class; the two vocabulary sizes at least.

    Raises:
        ValueError: for an unknown preset, or an argument that its model does not take.
    """
    chosen = preset(name)
    model, settings = MODELS[chosen.model], {**chosen.settings, **overrides}
    known = [argument for argument in inspect.signature(model).parameters if argument != "kwargs"]
    unknown = sorted(set(settings) - {*known, "name"})
    if unknown:
        raise ValueError(
            f"Preset {name!r} takes no {', '.join(unknown)}; it takes: {', '.join(known)}."
        )
    return model(**settings)
