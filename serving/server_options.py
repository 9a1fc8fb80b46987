"""What a server can be told beyond models and ports."""

from dataclasses import dataclass
from pathlib import Path

# What only the local server knows: the least of each.
BOUNDS = {"max_pending": 1, "max_request_bytes": 1, "max_rows": 1, "grace_seconds": 0}


@dataclass(frozen=True)
class ServerOptions:
    """The files are TensorFlow Serving's, in its own text formats.

    Attributes:
        batching: Run requests together that arrive together.
        batching_parameters_file: How to; ``serving/deploy/config/batching.config`` by default.
        monitoring_config_file: Whether and where there are metrics; at the usual path by default.
        ssl_config_file: Keys and certificates for both ports; none by default.
        tensorflow_session_config_file: Threads, and what is done to graphs at loading;
            ``serving/deploy/config/session.config`` by default.
        max_pending: The most requests at once; those beyond it are refused. As many as are answered
            in a second or less: what is admitted in a rush is what the next one waits for.
        max_request_bytes: The largest request.
        max_rows: The most rows of a request: they run at once, in memory that grows with them.
        grace_seconds: How long requests may take to end once the server stops.
    """

    batching: bool = True
    batching_parameters_file: str | Path | None = None
    monitoring_config_file: str | Path | None = None
    ssl_config_file: str | Path | None = None
    tensorflow_session_config_file: str | Path | None = None
    max_pending: int = 64
    max_request_bytes: int = 16 * 2**20
    max_rows: int = 1024
    grace_seconds: int = 10

    def __post_init__(self) -> None:
        if self.batching_parameters_file and not self.batching:
            raise ValueError(
                "--batching-parameters-file says how to batch, which --no-batching switches off: "
                "leave one out."
            )
        for name, least in BOUNDS.items():
            value = getattr(self, name)
            if not least <= value < 2**31:
                flag = name.replace("_", "-")
                raise ValueError(f"--{flag} is {least} to {2**31 - 1}; got {value}")
