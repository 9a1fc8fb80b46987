"""What to train, on what, for how long.

Every field is a flag of `attention-zoo train`. Importing this module imports nothing heavy.
"""

from dataclasses import dataclass, field
from typing import Annotated

from zoo.settings import LARGEST_PENALTY

TOKENIZERS = ("characters", "words", "sentencepiece")
OPTIMIZERS = ("sgd", "adam", "adamw", "adafactor", "lion")
SCHEDULES = ("constant", "inverse-sqrt", "cosine", "halving")
PRECISIONS = ("float32", "mixed_float16", "mixed_bfloat16")
LONGER = ("drop", "cut")
STORED = ("float32", "float16")
METRICS = ("exact_match", "bleu", "chrf", "loss")


@dataclass(frozen=True)
class Recipe:
    """One training run: model, data, tokenizer, optimisation, and how success is measured."""

    preset: Annotated[str, "which model: see `attention-zoo list`"] = "luong-general"
    overrides: Annotated[dict, "arguments of the model that differ from its preset's"] = field(
        default_factory=dict
    )
    dataset: Annotated[
        str, "a dataset of this package or of TFDS, such as name/config, or a folder"
    ] = ""
    corpus: Annotated[
        tuple[str, ...],
        "your own data in place of the dataset: a tab-separated file, or two files aligned by line",
    ] = ()
    source: Annotated[str, "the dataset's feature that is translated"] = ""
    target: Annotated[str, "the dataset's feature that it is translated into"] = ""
    licence: Annotated[str, "the data's licence, if the dataset does not state it"] = ""
    max_length_ratio: Annotated[
        float, "drop pairs so many-fold off the data's own ratio of characters; 0 for none"
    ] = 0.0
    max_characters: Annotated[int, "drop pairs with more on either side; 0 for none"] = 0
    max_words: Annotated[int, "drop pairs with more on either side; 0 for none"] = 0
    drop_identical: Annotated[bool, "drop pairs whose source is their target"] = False
    example: Annotated[str, "a text to try the model with, for its card and its warm-up"] = ""
    tokenizer: Annotated[str, f"one of {', '.join(TOKENIZERS)}"] = "words"
    vocabulary_size: Annotated[int, "pieces on either side, at most"] = 12000
    joint_vocabulary: Annotated[bool, "one tokenizer, learned from both sides"] = False
    lower: Annotated[bool, "fold case"] = False
    max_source_length: Annotated[int, "in tokens, the end counted"] = 64
    max_target_length: Annotated[int, "in tokens, the end counted"] = 64
    longer: Annotated[
        str, "drop or cut the training pairs that are longer; others are always cut"
    ] = "drop"
    max_examples: Annotated[int, "train on so many pairs only, evenly spaced; 0 for all"] = 0
    batch_size: Annotated[int, "most pairs in a batch, where --batch-tokens is 0"] = 64
    batch_tokens: Annotated[
        int, "most tokens in a batch, on its longer side and padding counted; 0 to count pairs"
    ] = 0
    epochs: Annotated[int, "passes over the data"] = 10
    optimizer: Annotated[str, f"one of {', '.join(OPTIMIZERS)}"] = "adam"
    weight_decay: Annotated[float, "of matrices, for adamw and lion; 0 for none"] = 0.0
    accumulate: Annotated[int, "batches whose mean gradient makes one update"] = 1
    precision: Annotated[str, f"of the arithmetic: {', '.join(PRECISIONS)}"] = "float32"
    jit: Annotated[bool, "compile the step with XLA, once for each shape of a batch"] = False
    learning_rate: Annotated[float, "its peak, where the schedule changes it"] = 1e-3
    schedule: Annotated[str, f"one of {', '.join(SCHEDULES)}"] = "constant"
    warmup_steps: Annotated[int, "updates of linear warm-up, for inverse-sqrt and cosine"] = 0
    halve_after: Annotated[float, "epochs at the full rate, for halving"] = 5.0
    halve_every: Annotated[float, "epochs from one halving to the next"] = 1.0
    label_smoothing: Annotated[float, "probability taken from the label and spread evenly"] = 0.0
    scheduled_sampling: Annotated[
        float, "how often, at the end, the decoder reads its own guess in training; 0 for never"
    ] = 0.0
    r_drop: Annotated[float, "alpha of R-Drop; wants dropout; 0 for none"] = 0.0
    guided_alignment: Annotated[
        float, "weight of the attention's loss against gold spans, as dates has them; 0 for none"
    ] = 0.0
    clip_norm: Annotated[float, "largest global norm of a gradient"] = 1.0
    seed: Annotated[int, "of weights, order and dropout"] = 0
    metric: Annotated[str, f"what the best weights are best at: {', '.join(METRICS)}"] = "bleu"
    validation_examples: Annotated[int, "how many are translated after each epoch"] = 500
    validation_beam: Annotated[int, "its beam size; 1 for greedy"] = 1
    patience: Annotated[int, "epochs without a better one after which to stop; 0 for never"] = 0
    ema: Annotated[float, "decay of a moving average of the weights; 0 for none"] = 0.0
    average_last: Annotated[int, "average the weights of so many last epochs; 0 for none"] = 0
    beam_size: Annotated[int, "of the trained model"] = 4
    length_penalty: Annotated[float, "GNMT's alpha, of the trained model"] = 0.6
    stored: Annotated[str, f"precision of the trained model's file: {', '.join(STORED)}"] = (
        "float32"
    )

    def __post_init__(self):
        known = {
            "tokenizer": TOKENIZERS,
            "longer": LONGER,
            "stored": STORED,
            "optimizer": OPTIMIZERS,
            "precision": PRECISIONS,
            "schedule": SCHEDULES,
            "metric": METRICS,
        }
        for name, values in known.items():
            if getattr(self, name) not in values:
                raise ValueError(
                    f"`{name}` must be one of {', '.join(values)}; got {getattr(self, name)!r}"
                )
        for name, (least, most) in RANGES.items():
            if not least <= getattr(self, name) <= most:  # NaN is in no range
                raise ValueError(
                    f"`{name}` must be from {least} to {most:g}; got {getattr(self, name)}"
                )
        if self.schedule == "inverse-sqrt" and self.warmup_steps < 1:
            raise ValueError("`warmup_steps` must be 1 or more for the schedule inverse-sqrt")
        if self.average_last == 1:
            raise ValueError("`average_last` must be 2 epochs or more, or 0 for none; got 1")
        if self.guided_alignment and self.tokenizer != "characters":
            raise ValueError(
                "`guided_alignment` needs the tokenizer characters, since gold spans count "
                f"characters; got {self.tokenizer!r}"
            )
        if self.weight_decay and self.optimizer not in ("adamw", "lion"):
            raise ValueError(
                f"`weight_decay` {self.weight_decay} is for adamw and lion; "
                f"got the optimizer {self.optimizer!r}"
            )

    @classmethod
    def from_json(cls, fields):
        """The recipe whose `dataclasses.asdict` went through JSON."""
        return cls(**{**fields, "corpus": tuple(fields["corpus"])})


# The least and the largest value of each number.
RANGES = {
    "max_length_ratio": (0, 1e6),
    "max_characters": (0, 2**40),
    "max_words": (0, 2**40),
    "vocabulary_size": (5, 2**24),
    "max_source_length": (2, 2**16),
    "max_target_length": (2, 2**16),
    "max_examples": (0, 2**40),
    "batch_size": (1, 2**20),
    "batch_tokens": (0, 2**30),
    "epochs": (1, 2**20),
    "weight_decay": (0, 1e3),
    "accumulate": (1, 2**20),
    "learning_rate": (1e-12, 1e3),
    "warmup_steps": (0, 2**40),
    "halve_after": (0, 2**20),
    "halve_every": (1e-6, 2**20),
    "label_smoothing": (0, 0.99),
    "scheduled_sampling": (0, 1),
    "r_drop": (0, 1e6),
    "guided_alignment": (0, 1e6),
    "clip_norm": (1e-12, 1e12),
    "seed": (0, 2**31 - 1),
    "validation_examples": (1, 2**40),
    "validation_beam": (1, 1024),
    "patience": (0, 2**20),
    "ema": (0, 1 - 1e-9),
    "average_last": (0, 1024),
    "beam_size": (1, 1024),
    "length_penalty": (0, LARGEST_PENALTY),
}
