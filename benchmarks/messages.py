"""Tracked messages as the service sends them, the same ones for the same seed: what every contender reads.

On average 720 bytes each, one in five with a recording, one in a hundred with a status that no document names, some with
Greek text. Ids are numbers in the shape of a uuid, so that a list of any length can be made from these.
"""

from collections.abc import Iterator
from random import Random
from typing import Any

import msgspec

SPEECHES = (
    ("Your parcel arrives today between two and four. Please have your code ready when the courier rings, or press one.", "en-GB"),
    ("Η παραγγελία σας είναι έτοιμη για παραλαβή από το κατάστημα, κάθε μέρα έως τις οκτώ.", "el-GR"),
    ("Ihr Termin ist morgen um neun Uhr. Bringen Sie Ihre Karte und den letzten Befund mit, oder sagen Sie mit der Zwei ab.", "de-DE"),
    ("Votre rendez-vous est confirmé pour demain à onze heures. Appuyez sur deux pour un autre, sur trois pour l'annuler.", "fr-FR"),
)
NAMES = ("Parcel today", "Παραλαβή", "Termin morgen", "Rendez-vous")
PLACES = (("+3069", "GR"), ("+4915", "DE"), ("+4477", "GB"), ("+3361", "FR"), ("+3934", "IT"))
ENDINGS = ("Completed", "Completed", "Completed", "Completed", "NoAnswer", "Busy", "Failed")
NEWER = "Deferred"


def message_id(place: int) -> str:
    """Return the id of the message at a place of the list."""
    return f"00000000-0000-4000-8000-{place:012}"


def messages(count: int, *, drifted: bool = False) -> Iterator[dict[str, Any]]:
    """Make so many messages; ``drifted`` ones come from a service newer than the library: two keys and a status more."""
    dice = Random(7)
    for place in range(count):
        row = _message(dice, place)
        if drifted:
            row["status"]["status"] = "Screened"
            row |= {"carrier": "Cosmote", "routing": {"attempt": 1, "via": "ath-2"}}
        yield row


def encoded(count: int, *, drifted: bool = False) -> list[bytes]:
    """Return the same as JSON, each message by itself."""
    return [msgspec.json.encode(row) for row in messages(count, drifted=drifted)]


def page(rows: list[bytes], messages: int, number: int, size: int) -> bytes:
    """Return the JSON of a page of a list of so many messages."""
    count = -(-messages // size)
    facts = {
        "totalPages": count,
        "last": number + 1 >= count,
        "totalElements": messages,
        "first": number == 0,
        "numberOfElements": len(rows),
        "number": number,
        "size": size,
    }
    return b'{"content":[' + b",".join(rows) + b"]," + msgspec.json.encode(facts)[1:]


def _message(dice: Random, place: int) -> dict[str, Any]:
    prefix, country = dice.choice(PLACES)
    number = f"{prefix}{dice.randrange(10**8):08}"
    kind = dice.randrange(len(SPEECHES))
    text, language = SPEECHES[kind]
    ended = NEWER if dice.random() < 0.01 else dice.choice(ENDINGS)
    answered = ended == "Completed"
    seconds = dice.randrange(3, 60) if answered else 0
    row: dict[str, Any] = {
        "messageId": message_id(place),
        "conversationTrackingId": message_id(10**9 + place),
        "to": number,
        "from": f"30210{kind:07}",
        "country": country,
        "status": {"status": ended, "date": _moment(place + seconds, dice.randrange(1000))},
        "campaign": f"{NAMES[kind]} {place // 2500}",
        "applicationName": "Reminders",
        "originatingService": "Voice",
        "direction": "Outbound",
        "duration": seconds,
        "message": {"text": text, "language": language, "gender": "female"},
        "price": round(seconds * 0.0006, 4),
        "chargeInterval": 1,
        "recordings": [],
    }
    if dice.random() < 0.3:
        row["groups"] = ["customers", "Κατάστημα Αθηνών"]
    if answered:
        row["answeredBy"] = dice.choice(("HUMAN", "MACHINE", "UNKNOWN"))
        row["collectedTones"] = str(dice.randrange(10**4))
    if dice.random() < 0.2:
        row["recordings"] = [_recording(row, place, seconds)]
    return row


def _recording(row: dict[str, Any], place: int, seconds: int) -> dict[str, Any]:
    own = message_id(2 * 10**9 + place)
    return {
        "trackingId": own,
        "start": _moment(place, 0),
        "end": _moment(place + seconds, 0),
        "from": row["from"],
        "to": row["to"],
        "url": f"https://connect.example.com/recordings/my/downloads/{own}",
        "voiceTrackingIds": [row["messageId"]],
        "conversationTrackingId": message_id(10**9 + place),
        "duration": seconds,
    }


def _moment(second: int, thousandths: int) -> str:
    minutes, second = divmod(second, 60)
    hours, minute = divmod(minutes, 60)
    return f"2026-{1 + hours // 672 % 12:02}-{1 + hours // 24 % 28:02}T{hours % 24:02}:{minute:02}:{second:02}.{thousandths:03}Z"
