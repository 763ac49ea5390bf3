"""What the desk shows of things: in short for a list, and whole, without secrets."""

from typing import Any

from ._campaigns import AcceptedCampaign
from ._log import PostedCallback, ReceivedRequest
from ._masking import masked, masked_body, masked_headers, masked_query, masked_text
from ._time import iso

_UNDER_WAY = {"Queued", "Initiated", "Ringing", "InProgress"}


def brief_request(request: ReceivedRequest) -> dict[str, Any]:
    """A request, as a list shows it."""
    return {
        "number": request.number,
        "site": request.site,
        "method": request.method,
        "path": request.path,
        "status": request.status,
        "fault": request.fault,
        "bytes": len(request.body),
        "at": iso(request.at),
    }


def full_request(request: ReceivedRequest) -> dict[str, Any]:
    """A request with its query, headers and body."""
    return {
        **brief_request(request),
        "query": masked_query(request.query),
        "headers": masked_headers(request.headers),
        "body": masked_body(request.body).decode(errors="replace"),
    }


def brief_campaign(campaign: AcceptedCampaign) -> dict[str, Any]:
    """A campaign, and how far it is, as a list shows it."""
    statuses = campaign.statuses
    return {
        "tracking_id": campaign.tracking_id,
        "name": campaign.name,
        "state": campaign.state,
        "recipients": len(campaign.recipients),
        "over": sum(count for status, count in statuses.items() if status not in _UNDER_WAY),
        "statuses": {status: count for status, count in statuses.items() if count},
        "created_at": iso(campaign.created_at),
        "starts_at": iso(campaign.starts_at),
        "ends_at": iso(campaign.ends_at),
    }


def full_campaign(campaign: AcceptedCampaign) -> dict[str, Any]:
    """A campaign with what was sent."""
    return {**brief_campaign(campaign), "body": masked(campaign.body)}


def brief_callback(callback: PostedCallback) -> dict[str, Any]:
    """An attempt to post, as a list shows it."""
    body = callback.body
    of_message = "messageId" in body
    return {
        "number": callback.number,
        "url": masked_text(callback.url),
        "about": "message" if of_message else "campaign",
        "id": body["messageId"] if of_message else body["trackingId"],
        "news": body["status"]["name"] if of_message else body["state"],
        "attempt": callback.attempt,
        "status": callback.status,
        "note": callback.note,
        "at": iso(callback.at),
    }


def full_callback(callback: PostedCallback) -> dict[str, Any]:
    """An attempt to post with its body."""
    return {**brief_callback(callback), "body": masked(callback.body)}
