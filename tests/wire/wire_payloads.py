"""Answers to be read: as documented, odd, and broken."""

from decimal import Decimal

import msgspec
from hypothesis import settings
from hypothesis import strategies as st
from wire_samples import DOCUMENTED

from voicedrop_async.calls import Reply
from voicedrop_async.models import (
    CampaignReceipt,
    VoiceAnalysis,
    VoicemailDropRecord,
    VoiceMessage,
)

ENCODER = msgspec.json.Encoder(decimal_format="number")
PATIENT = settings(deadline=None)
"""Examples may take their time: the machine may be busy with something else."""


def answer(body, **changes):
    """Return the reply that a JSON value, or bytes, came in."""
    body = body if isinstance(body, bytes) else ENCODER.encode(body)
    return Reply(**{"status": 200, "headers": {}, "body": body, "attempts": 1, "elapsed": 0.1} | changes)


def raw(text):
    """Return a piece of JSON that goes out as it is written here."""
    return msgspec.Raw(text.encode())


# --- as documented ---------------------------------------------------------------------------------------------------

text = st.text(st.characters(codec="utf-8"), max_size=8)
some_id = text.filter(bool)
number = st.integers(0, 10**6)
count = st.integers(-(2**70), 2**70)
seconds = st.one_of(number, st.floats(0, 1e6), st.just(raw("3.0")), st.just(raw("1e2")))
price = st.one_of(number, st.decimals(0, 100, places=5), st.just(Decimal("0.10")))
moment = st.builds(
    lambda moment, digits: moment.isoformat() + (f".{moment.microsecond:06}"[: digits + 1] if digits else "") + "Z",
    st.datetimes().map(lambda moment: moment.replace(microsecond=0)),
    st.sampled_from([0, 2, 3]),
)


def row(needed=None, /, **optional):
    """Return rows that may leave out what is not needed."""
    names = {"sender": "from"}
    return st.fixed_dictionaries(needed or {}, optional={names.get(key, key): value for key, value in optional.items()})


def words(*known):
    """Return a documented word, or one newer than the document."""
    return st.sampled_from([*known, "Newer"])


statuses = words(
    "Queued", "Initiated", "Ringing", "InProgress", "Completed", "Busy", "NoAnswer", "Failed", "Unsent", "Terminated", "Unknown"
)
status = row(status=statuses, date=moment, reason=text)
spoken = row(text=text, language=text, gender=words("male", "female"))
recording = row(
    trackingId=text, start=moment, end=moment, sender=text, to=text, url=text,
    voiceTrackingIds=st.lists(text, max_size=2), conversationTrackingId=text, duration=seconds,
)  # fmt: skip
MESSAGE = {
    "messageId": some_id, "conversationTrackingId": text, "to": text, "from": text, "groups": st.lists(text, max_size=2), "country": text,
    "status": status, "campaign": text, "applicationName": text, "originatingService": text, "direction": words("Inbound", "Outbound"),
    "duration": seconds, "fileURL": text, "message": spoken, "price": price, "chargeInterval": seconds, "collectedTones": text,
    "recordings": st.lists(recording, max_size=2), "answeredBy": words("HUMAN", "MACHINE", "UNKNOWN"),
}  # fmt: skip
DROP = {
    "id": count, "campaign": count, "job": count, "number": text, "reference": text, "state": st.integers(0, 5), "team": count,
    "timestamp": moment,
}  # fmt: skip
callback = row(strategy=words("OnChange", "OnCompletion"), url=text)
problem = row(code=text, developerMessage=text, property=st.lists(text, max_size=2))
ANALYSIS = {
    "contacts": st.dictionaries(text, st.dictionaries(text, text, max_size=2), max_size=2),
    "dialPlanAnalysis": st.dictionaries(text, text, max_size=2), "numberOfRecipients": count,
    "recipientCountries": st.dictionaries(text, text, max_size=2), "recipientsPerCountry": st.dictionaries(text, count, max_size=2),
    "recipientsPerGroup": st.dictionaries(text, count, max_size=2), "totalInGroups": count, "errors": st.lists(problem, max_size=2),
}  # fmt: skip
RECEIPT = {
    "trackingId": some_id, "type": text, "state": words("Scheduled", "Queued", "Running", "Sent"), "campaignName": text, "from": text,
    "to": st.lists(text, max_size=2), "contacts": st.lists(text, max_size=2), "groups": st.lists(text, max_size=2), "createdAt": moment,
    "scheduledDate": moment, "cost": price, "fileURL": text, "message": spoken, "respectQuietHours": st.booleans(), "hangupDelay": seconds,
    "callback": callback, "campaignCallback": callback, "collectDtmfDigits": st.booleans(), "collectDtmfAwaitSeconds": seconds,
    "statuses": st.dictionaries(statuses, count, max_size=3), "voiceAnalysis": row(None, **ANALYSIS),
    "errors": st.lists(problem, max_size=2),
}  # fmt: skip


def rows_of(model):
    """Return documented rows of ``model``: its id always, anything else perhaps."""
    fields = {VoiceMessage: MESSAGE, VoicemailDropRecord: DROP, CampaignReceipt: RECEIPT, VoiceAnalysis: ANALYSIS}[model]
    needed = [name for name in fields if name in {"messageId", "id", "trackingId"}]
    return st.fixed_dictionaries({name: fields[name] for name in needed}, optional={k: v for k, v in fields.items() if k not in needed})


# --- not as documented -----------------------------------------------------------------------------------------------

ODD = [
    None, True, False, 0, 3, -1, 2**70, 5.9, "", " ", "3", "3.0", "1e2", "5.9", "-7", "false", "true", "NaN", "Infinity", "sNaN", "1_000",
    " 5 ", "\u0663", "9" * 50, "None", "+30 69", [], {}, [None], [[]], {"a": None}, ["x", 3], [{"trackingId": 5, "start": "soon"}, 7],
    "2015-01-06T10:21:14Z", "2015-01-06T10:21:14.44Z", "2015-01-06T10:21:14.123456789Z", "2015-01-06T10:21:14+0200",
    "2015-01-06T10:21:14.000+00:00", "2015-01-06 10:21:14Z", "2015-01-06T10:21:14", "2015-01-06T10:21Z", "2015-01-06", "20150106",
    "2015-01-06t10:21:14z", "0000-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59.9999999Z", "2015-01-06T24:00:00Z",
    "1420539674", 1420539674, 1420539674243, "Wed, 06 Jan 2015 10:21:14 GMT",
    {"status": 5, "date": 1420539674243}, {"name": "Completed", "updatedDate": "2015-01-06T10:21:14Z"}, {"status": "Busy", "odd": [1.5]},
    {"code": 7, "property": "+30"}, {"errorCode": "004"}, [{"errorCode": "004"}], {"Completed": "3", "Newer": 1}, {"Completed": True},
    raw("3.0"), raw("1e2"), raw("1e400"), raw("-0.0"), raw("0.30000000000000000000000000000000000000004"), raw('{"to":1,"to":"x"}'),
]  # fmt: skip
"""Values that some field somewhere takes in another spelling, or does not take at all."""

odd_values = st.sampled_from(ODD)
json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), text),
    lambda parts: st.lists(parts, max_size=3) | st.dictionaries(text, parts, max_size=3),
    max_leaves=8,
)


def odd_rows_of(model):
    """Return rows of ``model`` with one or several fields odd, or with keys of no document."""
    names = [*DOCUMENTED[model].split(), "odd", "name", "updatedDate", "errorCode", "extra", "message_id"]
    odd = st.dictionaries(st.sampled_from(names), odd_values, min_size=1, max_size=3)
    return st.builds(lambda documented, odd: documented | odd, rows_of(model), odd)


def lists_of(model):
    """Return lists in which rows are as documented, odd, or no rows at all."""
    return st.lists(st.one_of(rows_of(model), odd_rows_of(model), odd_values), max_size=3)


counts = st.sampled_from([0, 1, 3, -1, 2**70, "3", None, True, 5.9, raw("3.0"), raw("1e2"), "x"])
ENVELOPE = dict.fromkeys(("totalPages", "totalElements", "number", "size", "numberOfElements"), counts) | {
    "last": st.sampled_from([True, False, None, "false", "true", 1]),
    "first": st.booleans(),
    "odd": json_values,
}


def envelopes_of(model):
    return st.fixed_dictionaries({"content": lists_of(model)}, optional=ENVELOPE)
