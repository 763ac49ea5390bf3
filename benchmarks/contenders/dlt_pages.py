"""dlt's REST client and its paginator by page number, to dictionaries. It knows no asyncio.

Source: dlt, "RESTClient", "PageNumberPaginator".
"""

import os

os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"

from dlt.sources.helpers.rest_client import RESTClient
from dlt.sources.helpers.rest_client.auth import BearerTokenAuth
from dlt.sources.helpers.rest_client.paginators import PageNumberPaginator


async def walk(url: str, size: int, _at_once: int) -> int:
    """Walk a page at a time, which is all it offers."""
    seen = 0
    paginator = PageNumberPaginator(base_page=0, total_path="totalPages")
    client = RESTClient(base_url=url, auth=BearerTokenAuth("t"), paginator=paginator, data_selector="content")
    for page in client.paginate("/voice/tracking", method="POST", params={"size": size}, data=b"[]"):
        for _message in page:
            seen += 1
    return seen
