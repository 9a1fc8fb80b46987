"""What a server can be told beyond models and ports."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class ServerOptions:
    """The files are TensorFlow Serving's, in its own text formats.

    Attributes:
        batching: Run requests together that arrive together.
        batching_parameters_file: How to; ``serving/deploy/batching.config`` by default.
    """

    batching: bool = True
    batching_parameters_file: str | Path | None = None

    def __post_init__(self) -> None:
        if self.batching_parameters_file and not self.batching:
            raise ValueError(
                "--batching-parameters-file says how to batch, which --no-batching switches off: "
                "leave one out."
            )
