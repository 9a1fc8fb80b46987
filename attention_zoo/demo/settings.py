"""How a server is to decode, where it is not as the model was exported."""

import dataclasses

# The largest length penalty that there is any use for.
MOST_PENALTY = 2.0


@dataclasses.dataclass(frozen=True)
class Settings:
    """Settings of the signature `translate_with_settings`.

    Attributes:
        prefix: what the translation starts with, "" for nothing.
        length_penalty: GNMT's alpha, from 0 to `MOST_PENALTY`; the larger, the longer.
        min_length, max_length: in tokens; 0 leaves it to the export.

    Raises:
        ValueError: for a setting that is none.
    """

    prefix: str = ""
    length_penalty: float = 0.6
    min_length: int = 0
    max_length: int = 0

    def __post_init__(self):
        if self.length_penalty is None or not 0 <= self.length_penalty <= MOST_PENALTY:
            raise ValueError(
                f"a length penalty is 0 to {MOST_PENALTY:g}; got {self.length_penalty}: change it"
            )
        for name, length in (("least", self.min_length), ("longest", self.max_length)):
            if length is None or not 0 <= length < 2**31 or length != int(length):
                raise ValueError(
                    f"the {name} length is a whole number of tokens, 0 as exported; got {length}: "
                    "change it"
                )
        if 0 < self.max_length < self.min_length:
            raise ValueError(
                f"the least length, {self.min_length}, is above the longest, {self.max_length}: "
                "change one"
            )

    def inputs(self):
        """The signature's inputs beside `text`, for one text."""
        return {
            "prefix": [self.prefix],
            "length_penalty": [float(self.length_penalty)],
            "min_length": [int(self.min_length)],
            "max_length": [int(self.max_length)],
        }
