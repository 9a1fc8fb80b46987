"""A request's body, read as it comes, and no further than a limit."""

from starlette.requests import Request


async def read_body(request: Request, limit: int) -> bytes | None:
    """The body; `None` for one larger than the limit, which is neither awaited nor kept."""
    if int(request.headers.get("content-length", 0)) > limit:
        return None
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > limit:
            return None
        chunks.append(chunk)
    return b"".join(chunks)
