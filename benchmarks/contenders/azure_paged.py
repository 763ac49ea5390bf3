"""azure-core's pipeline and paging, as the clients that stand on it do: one request, one extraction a page, to dictionaries.

Source: azure-core, "AsyncItemPaged".
"""

from collections.abc import AsyncIterator
from typing import Any

from azure.core import AsyncPipelineClient
from azure.core.async_paging import AsyncItemPaged, AsyncList
from azure.core.rest import AsyncHttpResponse, HttpRequest


async def walk(url: str, size: int, _at_once: int) -> int:
    """Walk item by item."""
    seen = 0
    async with AsyncPipelineClient(base_url=url) as client:

        async def get_next(token: str | None) -> AsyncHttpResponse:
            params = {"page": token or "0", "size": str(size)}
            request = HttpRequest("POST", "/voice/tracking", params=params, headers={"Authorization": "Bearer t"}, json=[])
            request.url = client.format_url(request.url)
            response: AsyncHttpResponse = await client.send_request(request)
            response.raise_for_status()
            return response

        async def extract_data(response: AsyncHttpResponse) -> tuple[str | None, AsyncIterator[Any]]:
            page = response.json()
            return None if page["last"] else str(page["number"] + 1), AsyncList(page["content"])

        async for _message in AsyncItemPaged(get_next, extract_data):
            seen += 1
    return seen
