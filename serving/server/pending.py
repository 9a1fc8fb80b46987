"""How many requests the server works on at once, and the bound on it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from grpc import StatusCode

from serving.server.status import StatusError


class Pending:
    """Counts the requests of both protocols, and refuses those beyond the limit.

    Attributes:
        limit: The most requests at once.
        count: How many there are now.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.count = 0
        self._lock = threading.Lock()

    @contextmanager
    def admitted(self) -> Iterator[None]:
        """Counts a request for as long as the block runs; raises UNAVAILABLE where it is full."""
        with self._lock:
            if self.count >= self.limit:
                message = f"Busy with as many requests as allowed, {self.limit}; try later"
                raise StatusError(StatusCode.UNAVAILABLE, message)
            self.count += 1
        try:
            yield
        finally:
            with self._lock:
                self.count -= 1
