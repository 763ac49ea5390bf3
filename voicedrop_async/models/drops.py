"""What Spacivox lists: records of what went out to one number, alike for each way it went."""

from datetime import datetime

from attrs import field, frozen

from voicedrop_async.models._open import NO_EXTRA, Extra, OpenNumber
from voicedrop_async.models._words import DropState


@frozen
class SpacivoxRecord:
    """What every kind of record has. Source: Spacivox, "Voicemail drop records", "Fields", and the same of its neighbours."""

    id: int
    """The record's unique id."""
    campaign: int | None = field(default=None, kw_only=True)
    """The campaign that the job belongs to."""
    job: int | None = field(default=None, kw_only=True)
    """The job that it was made for."""
    number: str | None = field(default=None, repr=False, kw_only=True)
    """Recipient, in international format. Hidden from ``repr``: logs outlive consent."""
    reference: str | None = field(default=None, kw_only=True)
    """Your reference for the job; unique within its campaign only."""
    state: OpenNumber[DropState] | None = field(default=None, kw_only=True)
    """A known state, or the bare number of one newer than this library. A later look can show another."""
    team: int | None = field(default=None, kw_only=True)
    """Whose record it is: the ``team`` that a listing can be restricted to."""
    timestamp: datetime | None = field(default=None, kw_only=True)
    """When it happened; aware, UTC. None only if the service sent none that can be read."""
    extra: Extra = field(default=NO_EXTRA, repr=False, hash=False, kw_only=True)
    """What the service sent beyond its document, and what could not be read, by wire name."""


@frozen
class VoicemailDropRecord(SpacivoxRecord):
    """One direct-to-voicemail drop. Source: Spacivox, "Voicemail drop records", "Fields"."""


@frozen
class TextRecord(SpacivoxRecord):
    """One text message (SMS), sent or received. Source: Spacivox, "Text records", "Fields"."""

    portal: int | None = field(default=None, kw_only=True)
    """The portal to which a link of its own stood in the text; None if there was none."""
    body: str | None = field(default=None, repr=False, kw_only=True)
    """The text; None if it was not asked for. Hidden from ``repr``, as the number is."""
