"""Messages of every kind, a page of them, and a report as it is read back."""

from page_tables import Report
from tracked import page

HOSTILE = "</script><img src=x onerror=alert(1)>\u2028\u202e=1+1"


def at(clock, status, **more):
    return {"status": {"status": status, "date": f"2026-03-02T{clock}", **more}}


ROWS = [
    {**at("09:00:10Z", "Completed"), "answeredBy": "HUMAN", "country": "GR", "duration": 12, "price": 0.1, "collectedTones": "1"},
    {**at("09:00:50Z", "Completed"), "answeredBy": "HUMAN", "country": "GR", "duration": 61.5, "price": 0.2, "collectedTones": "1"},
    {**at("09:07:00Z", "Completed"), "answeredBy": "MACHINE", "country": "DE", "duration": 7, "price": 1e-9, "collectedTones": "0042"},
    {**at("09:08:00Z", "NoAnswer"), "to": "+306912345678", "country": "GR", "duration": 0, "price": 0},
    {**at("11:00:00+01:00", "Failed", reason="no route to +306912345678"), "to": "=1+1", "country": HOSTILE},
    {"status": {"status": HOSTILE}, "answeredBy": "ALIEN", "collectedTones": ""},
    {},
]


def messages_of(rows, **said):
    """A page of messages called m0, m1 and so on."""
    return page([{"messageId": f"m{place}", **row} for place, row in enumerate(rows)], **said)


def read(path):
    return Report(path.read_text("utf-8"))
