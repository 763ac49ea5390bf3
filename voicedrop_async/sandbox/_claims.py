"""What a test claims about the campaigns that were accepted, and the sentence that says why it does not hold."""

from collections import Counter
from collections.abc import Iterable, Sequence

from ._campaigns import AcceptedCampaign
from ._log import ReceivedRequest


def sent_once(campaigns: Sequence[AcceptedCampaign], requests: Sequence[ReceivedRequest], name: str | None) -> AcceptedCampaign:
    """The only campaign, or the only one of that name.

    Raises:
        AssertionError: There is none, or there are several.
    """
    __tracebackhide__ = True
    meant = [campaign for campaign in campaigns if name in (None, campaign.name)]
    if len(meant) == 1:
        return meant[0]
    of = "a campaign" if name is None else repr(name)
    raise AssertionError(f"{_sends(len(meant))} of {of}, expected 1; {_told(campaigns, requests)}")


def nothing_sent(campaigns: Sequence[AcceptedCampaign], requests: Sequence[ReceivedRequest]) -> None:
    """No campaign was accepted.

    Raises:
        AssertionError: One was.
    """
    __tracebackhide__ = True
    if campaigns:
        raise AssertionError(f"{_sends(len(campaigns))}, expected none; {_told(campaigns, requests)}")


def nobody_called_twice(campaigns: Sequence[AcceptedCampaign]) -> None:
    """No number is called by two campaigns, or twice by one.

    Raises:
        AssertionError: One is; it is named without its middle.
    """
    __tracebackhide__ = True
    calls = Counter(number for campaign in campaigns for number in campaign.recipients)
    twice = [f"{number[:5]}***{number[-2:]} {count} times" for number, count in calls.items() if count > 1]
    if twice:
        more = f", and {len(twice) - 5} others" if len(twice) > 5 else ""
        raise AssertionError(f"called more than once: {', '.join(twice[:5])}{more}; {_names(campaigns)}")


def _sends(count: int) -> str:
    return f"{count} send" if count == 1 else f"{count} sends"


def _told(campaigns: Iterable[AcceptedCampaign], requests: Iterable[ReceivedRequest]) -> str:
    """What was accepted, and how each request to send was answered."""
    statuses = [
        "not answered" if request.status is None else str(request.status)
        for request in requests
        if (request.method, request.path) == ("POST", "/voice/campaign")
    ]
    return f"{_names(campaigns)}; POST /voice/campaign: {', '.join(statuses) or 'no request'}"


def _names(campaigns: Iterable[AcceptedCampaign]) -> str:
    names = Counter(campaign.name for campaign in campaigns)
    shown = [f"{'one without a name' if name is None else repr(name)} ({count})" for name, count in names.items()]
    return f"accepted: {', '.join(shown) or 'none'}"
