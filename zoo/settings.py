"""How to decode, as one frozen record."""

import dataclasses
from typing import Annotated


@dataclasses.dataclass(frozen=True)
class Decoding:
    """How to decode: which search, and what its strings have to be.

    Lengths are in tokens, END counted. Where a length is given both outright and as a ratio to the
    source's, the stricter one holds.

    Attributes:
        beam_size: live hypotheses for each source; 1 for greedy.
        length_penalty: GNMT's alpha, 0 for none (Wu et al. 2016, eq. 14); at most
            `LARGEST_PENALTY`; needs a beam.
        max_source_length, max_target_length: a longer source is cut.
        n_best: how many strings n-best translation gives; at most `beam_size`, 0 for as many.
        coverage_penalty: GNMT's beta, 0 for none (Wu et al. 2016, eq. 14); needs a beam and an
            attention.
        diversity: gamma, 0 for none (Li et al. 2016, section 3); needs a beam.
        min_target_length: the shortest string.
        min_length_ratio, max_length_ratio: of the string's length to the source's, between which
            it is, where a whole number is; 0 for none.
        no_repeat_ngrams: n; no n-gram of tokens occurs twice. 0 for no such rule.
        replace_unknown: read an unknown word as the source word it looked at most; needs word
            tokenizers and an attention.
    """

    beam_size: Annotated[int, "live hypotheses for each text; 1 for greedy"] = 4
    length_penalty: Annotated[float, "GNMT's alpha, 0 for none; needs a beam"] = 0.6
    max_source_length: Annotated[int, "in tokens; a longer text is cut"] = 128
    max_target_length: Annotated[int, "the longest translation, in tokens"] = 128
    n_best: Annotated[int, "translations an n-best gives; 0 for as many as the beam"] = 0
    coverage_penalty: Annotated[float, "GNMT's beta, 0 for none; needs attention"] = 0.0
    diversity: Annotated[float, "of an n-best: Li's gamma, 0 for none; needs a beam"] = 0.0
    min_target_length: Annotated[int, "the shortest translation, in tokens"] = 1
    min_length_ratio: Annotated[float, "to the text's length; 0 for none"] = 0.0
    max_length_ratio: Annotated[float, "to the text's length; 0 for none"] = 0.0
    no_repeat_ngrams: Annotated[int, "no n-gram of tokens twice; 0 for no rule"] = 0
    replace_unknown: Annotated[bool, "copy the word looked at for an unknown one"] = False

    def __post_init__(self):
        for name, (least, most, kind) in RANGES.items():
            value = getattr(self, name)
            if not isinstance(value, kind) or not least <= value <= most:
                raise ValueError(f"`{name}` must be a number from {least} to {most}; got {value!r}")
        if not isinstance(self.replace_unknown, bool):
            raise ValueError(f"`replace_unknown` is true or false; got {self.replace_unknown!r}")
        if self.n_best > self.beam_size:
            raise ValueError(
                f"`n_best` {self.n_best} is more than `beam_size` {self.beam_size} can find; "
                "raise `beam_size`"
            )
        if self.min_target_length > self.max_target_length:
            raise ValueError(
                f"`min_target_length` {self.min_target_length} is above `max_target_length` "
                f"{self.max_target_length}"
            )
        if self.beam_size == 1 and (self.coverage_penalty or self.diversity):
            raise ValueError("`coverage_penalty` and `diversity` need a `beam_size` of 2 or more")

    @property
    def count(self):
        """How many strings n-best translation gives."""
        return self.n_best or self.beam_size


NUMBER = (int, float)
# With it, the longest string's penalty is 1e20; much above it, the penalty is no finite number.
LARGEST_PENALTY = 5.0
RANGES = {
    "beam_size": (1, 1024, int),
    "length_penalty": (0, LARGEST_PENALTY, NUMBER),
    "max_source_length": (1, 2**16, int),
    "max_target_length": (1, 2**16, int),
    "n_best": (0, 1024, int),
    "coverage_penalty": (0, 100, NUMBER),
    "diversity": (0, 100, NUMBER),
    "min_target_length": (1, 2**16, int),
    "min_length_ratio": (0, 100, NUMBER),
    "max_length_ratio": (0, 100, NUMBER),
    "no_repeat_ngrams": (0, 2**16, int),
}
