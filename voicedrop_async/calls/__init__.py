"""One HTTP call as values, and the rules on repeating it. No clock, no dice, no loop, no network.

How a call may be repeated is declared by its ``Kind``, never read off the HTTP method: searching the tracking is a
POST that reads, a campaign is a POST that rings telephones.

    Request, Reply, Event    a call as it goes out, as it comes back, step by step           _values
    Retry, Spending          when it is repeated, and what that may cost                     _retry
    refusal, unknown         what an answer outside 2xx means, and a send without a clear one    _refusals
"""

from voicedrop_async.calls._refusals import TRANSIENT, Author, Complaint, refusal, retry_after, unknown
from voicedrop_async.calls._retry import Retry, Spending
from voicedrop_async.calls._values import CHANGES, MIB, MOST_BYTES, Download, Event, Kind, Reply, Request, Timeouts, TokenResponse

__all__ = [
    "CHANGES",
    "MIB",
    "MOST_BYTES",
    "TRANSIENT",
    "Author",
    "Complaint",
    "Download",
    "Event",
    "Kind",
    "Reply",
    "Request",
    "Retry",
    "Spending",
    "Timeouts",
    "TokenResponse",
    "refusal",
    "retry_after",
    "unknown",
]
