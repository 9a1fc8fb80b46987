"""A request's body, read as it comes, no further than a limit and no longer than a while."""

import asyncio

from grpc import StatusCode
from starlette.requests import ClientDisconnect, Request

from serving.server.status import StatusError

ARRIVAL_SECONDS = 10  # for a whole message, over REST and gRPC: it takes a place while it comes


class BodyError(StatusError):
    """A body that is not there; `http_code` is REST's own for it."""

    def __init__(self, http_code: int, code: StatusCode, message: str) -> None:
        super().__init__(code, message)
        self.http_code = http_code


async def read_body(request: Request, limit: int) -> bytes:
    """The body; a larger one, or what is left of a slow one, is neither awaited nor kept.

    Raises:
        BodyError: 413 for too large, 408 for too slow, 499 where the client has gone.
    """
    try:
        async with asyncio.timeout(ARRIVAL_SECONDS):
            return await _read(request, limit)
    except TimeoutError as error:
        message = f"The request did not come within {ARRIVAL_SECONDS:g} s"
        raise BodyError(408, StatusCode.DEADLINE_EXCEEDED, message) from error
    except ClientDisconnect as error:
        raise BodyError(499, StatusCode.CANCELLED, "The client has gone") from error


async def _read(request: Request, limit: int) -> bytes:
    _check_size(int(request.headers.get("content-length", 0)), limit)
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        _check_size(size, limit)
        chunks.append(chunk)
    return b"".join(chunks)


def _check_size(size: int, limit: int) -> None:
    if size > limit:
        message = f"The request is larger than {limit} bytes, the limit here"
        raise BodyError(413, StatusCode.RESOURCE_EXHAUSTED, message)
