"""What to train, on what, for how long. A recipe states what differs from its base.

Every field is a flag of `attention-zoo train`. Importing this module imports nothing heavy.
"""

import dataclasses
from dataclasses import dataclass, replace

TOKENIZERS = ("characters", "words", "sentencepiece")
SCHEDULES = ("constant", "inverse-sqrt")
METRICS = ("exact_match", "bleu", "chrf")

TATOEBA = "CC BY 2.0 FR; attribution: tatoeba.org and www.manythings.org/anki"
OWN_DATES = "Apache-2.0; month and day names from CLDR (Unicode-3.0)"


def _flag(default, text):
    if isinstance(default, dict):
        return dataclasses.field(default_factory=lambda: dict(default), metadata={"help": text})
    return dataclasses.field(default=default, metadata={"help": text})


@dataclass(frozen=True)
class Recipe:
    """One training run: model, data, tokenizer, optimisation, and how success is measured."""

    preset: str = _flag("luong-general", "which model: see `attention-zoo list`")
    overrides: dict = _flag({}, "arguments of the model that differ from its preset's")
    dataset: str = _flag("dates", "a dataset of this package, or a TFDS name with its config")
    corpus: tuple[str, ...] = _flag((), "your own data in place of the dataset: a tab-separated "
                                        "file, or two files aligned by line")  # fmt: skip
    source: str = _flag("text", "the dataset's feature that is translated")
    target: str = _flag("iso", "the dataset's feature that it is translated into")
    licence: str = _flag("not stated", "the data's licence, for the model's card")
    tokenizer: str = _flag("characters", f"one of {', '.join(TOKENIZERS)}")
    vocabulary_size: int = _flag(8000, "pieces on either side, at most")
    lower: bool = _flag(False, "fold case")
    max_source_length: int = _flag(64, "tokens; a longer source is cut")
    max_target_length: int = _flag(64, "tokens; a longer target is cut")
    max_examples: int = _flag(0, "train on the first so many pairs only; 0 for all")
    batch_size: int = _flag(64, "pairs in a batch")
    epochs: int = _flag(10, "passes over the data")
    learning_rate: float = _flag(2e-3, "its peak, where the schedule changes it")
    schedule: str = _flag("constant", f"one of {', '.join(SCHEDULES)}")
    warmup_steps: int = _flag(0, "steps of linear warm-up, for inverse-sqrt")
    label_smoothing: float = _flag(0.0, "probability taken from the label and spread evenly")
    clip_norm: float = _flag(1.0, "largest global norm of a gradient")
    seed: int = _flag(0, "of weights, order and dropout")
    metric: str = _flag("bleu", f"what the best weights are best at: {', '.join(METRICS)}")
    validation_examples: int = _flag(500, "how many are translated after each epoch")
    beam_size: int = _flag(4, "of the trained model; validation is greedy")
    length_penalty: float = _flag(0.6, "GNMT's alpha, of the trained model")

    def __post_init__(self):
        for field, known in (
            ("tokenizer", TOKENIZERS), ("schedule", SCHEDULES), ("metric", METRICS),
        ):  # fmt: skip
            if getattr(self, field) not in known:
                raise ValueError(
                    f"`{field}` must be one of {', '.join(known)}; got {getattr(self, field)!r}"
                )
        for field in ("vocabulary_size", "batch_size", "epochs", "validation_examples"):
            if getattr(self, field) < 1:
                raise ValueError(f"`{field}` must be 1 or more; got {getattr(self, field)}")
        if self.schedule == "inverse-sqrt" and self.warmup_steps < 1:
            raise ValueError("`warmup_steps` must be 1 or more for the schedule inverse-sqrt")


DATES = Recipe(
    overrides={"units": 96, "embedding_dim": 48},
    licence=OWN_DATES,
    max_target_length=12,
    epochs=6,
    metric="exact_match",
    beam_size=1,
    length_penalty=0.0,
)

_EN_FR = Recipe(
    dataset="tatoeba_fra_eng",
    source="en",
    target="fr",
    licence=TATOEBA,
    tokenizer="words",
    vocabulary_size=12000,
    max_source_length=48,
    max_target_length=48,
    learning_rate=1e-3,
    label_smoothing=0.1,
    overrides={"units": 256, "embedding_dim": 192, "dropout": 0.2},
)

RECIPES = {
    "dates": DATES,
    "dates-bahdanau": replace(DATES, preset="bahdanau-gru"),
    "dates-transformer": replace(
        DATES,
        preset="transformer-lite",
        overrides={},
        schedule="inverse-sqrt",
        warmup_steps=500,
        epochs=15,
    ),
    "tatoeba-en-fr-bahdanau": replace(_EN_FR, preset="bahdanau-gru"),
    "tatoeba-en-fr-luong": replace(_EN_FR, preset="luong-general"),
    "tatoeba-en-fr-transformer": replace(
        _EN_FR,
        preset="transformer-lite",
        overrides={"dim": 192, "hidden_dim": 512},
        schedule="inverse-sqrt",
        warmup_steps=2000,
        learning_rate=2e-3,
    ),
    "corpus": replace(_EN_FR, dataset="", source="", target="", licence="not stated"),
}


def recipe(name):
    """The recipe of that name.

    Raises:
        ValueError: for a name that is none, with the names there are.
    """
    if name not in RECIPES:
        raise ValueError(f"no recipe {name!r}; the recipes are: {', '.join(RECIPES)}")
    return RECIPES[name]
