"""``voicedrop track``."""

from voicedrop_async import RouteeSession
from voicedrop_async.cli import _walks
from voicedrop_async.cli._words import condition, moment


async def track(
    *,
    start: str | None = None,
    end: str | None = None,
    campaign: str | None = None,
    filter: list[str] | None = None,
    page_size: int = 100,
    max_items: int | None = None,
) -> int:
    """Write tracked messages as lines of JSON, one a message.

    The keys are the field names of VoiceMessage.

    Args:
        start: ISO 8601 moment with its zone, such as 2026-03-02T09:00:00Z. The service's own range if left out.
        end: Likewise.
        campaign: Only messages of the campaign with this tracking id.
        filter: FIELD=VALUE or FIELD:OPERATOR=VALUE, such as recipient:starts_with=+30. Repeatable: all must hold.
        page_size: Messages a request.
        max_items: Stop after so many.
    """
    conditions = [condition("--filter", text) for text in filter or ()]
    async with RouteeSession.from_env() as routee:
        messages = routee.track_messages(
            start=None if start is None else moment("--start", start),
            end=None if end is None else moment("--end", end),
            campaign_id=campaign,
            filters=conditions,
            page_size=page_size,
            max_items=max_items,
        )
        return await _walks.write(messages, "messages", max_items=max_items)
