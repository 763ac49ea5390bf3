"""The one reader of bodies: to the last byte, and never more of them than memory can spare."""

import aiohttp
from aiohttp import hdrs
from aiohttp.http_exceptions import ContentEncodingError

from voicedrop_async.calls import MIB, MOST_BYTES
from voicedrop_async.errors import WireError


async def read_body(response: aiohttp.ClientResponse, attempts: int) -> bytes:
    """Return the body to its last byte, but no longer one than ``MOST_BYTES``.

    Raises:
        WireError: It is longer, or not compressed in the way its head says.
    """
    chunks: list[bytes] = []
    length = 0
    try:
        async for chunk in response.content.iter_any():
            chunks.append(chunk)
            length += len(chunk)
            del chunk
            if length > MOST_BYTES:
                why = f"the answer is longer than {MOST_BYTES // MIB} MiB; ask for less at once"
                raise _unread(response, attempts, length, why, too_long=True)
        return chunks[0] if len(chunks) == 1 else b"".join(chunks)
    except aiohttp.ClientPayloadError as fault:
        if not isinstance(fault.__cause__, ContentEncodingError):
            raise
        # The line holds; what came over it is not what the head says.
        raise _unread(response, attempts, length, "the answer is not compressed in the way it says", too_long=False) from None
    finally:
        chunks.clear()  # an error reporter would show them with the other locals


def _unread(response: aiohttp.ClientResponse, attempts: int, length: int, why: str, *, too_long: bool) -> WireError:
    return WireError(
        summary=why,
        attempts=attempts,
        may_pass=not too_long,
        status=response.status,
        content_type=response.headers.get(hdrs.CONTENT_TYPE),
        length=length,
        too_long=too_long,
    )
