"""The services' lists of words. None is promised to be closed, so a field may also hold a word that is not here."""

from enum import IntEnum, StrEnum


class MessageStatus(StrEnum):
    """Where one call stands. Source: Routee, "Voice messaging statuses"."""

    QUEUED = "Queued"
    INITIATED = "Initiated"
    RINGING = "Ringing"
    IN_PROGRESS = "InProgress"
    COMPLETED = "Completed"
    BUSY = "Busy"
    NO_ANSWER = "NoAnswer"
    """Also a call that was rejected."""
    FAILED = "Failed"
    """An internal error of the service."""
    UNSENT = "Unsent"
    """No balance before the call."""
    TERMINATED = "Terminated"
    """No balance during the call."""
    UNKNOWN = "Unknown"

    @property
    def is_final(self) -> bool:
        """Whether the status is the message's last.

        ``UNKNOWN`` counts as not final: versions of the page disagree, and waiting longer loses nothing.
        """
        return self in _FINAL


_FINAL = frozenset(
    {
        MessageStatus.COMPLETED,
        MessageStatus.BUSY,
        MessageStatus.NO_ANSWER,
        MessageStatus.FAILED,
        MessageStatus.UNSENT,
        MessageStatus.TERMINATED,
    }
)


class CampaignState(StrEnum):
    """Where a campaign stands. Source: Routee, "Voice messaging statuses"."""

    SCHEDULED = "Scheduled"
    QUEUED = "Queued"
    RUNNING = "Running"
    SENT = "Sent"
    """All messages are handed over; not all are answered yet."""
    FINISHED = "Finished"
    FAILED = "Failed"

    @property
    def is_final(self) -> bool:
        """Whether nothing more will happen. The page does not say; inferred from the words."""
        return self in (CampaignState.FINISHED, CampaignState.FAILED)


class DropState(IntEnum):
    """What became of a voicemail drop. Source: Spacivox, "Voicemail drop records", field ``state``."""

    SENT = 0
    DELIVERED = 1
    FAILED = 2
    REJECTED = 3

    @property
    def is_final(self) -> bool:
        """Whether a later look at the record can no longer show another state; inferred from the words."""
        return self is not DropState.SENT


class AnsweredBy(StrEnum):
    """Who took the call. Source: Routee, "Track multiple voice messages", ``content.answeredBy``."""

    HUMAN = "HUMAN"
    MACHINE = "MACHINE"
    UNKNOWN = "UNKNOWN"


class Direction(StrEnum):
    """Which way a call went. Source: Routee, "Voice conversation callbacks"."""

    INBOUND = "Inbound"
    OUTBOUND = "Outbound"


class Gender(StrEnum):
    """The speaking voice. Source: Routee, "Say verb"."""

    MALE = "male"
    FEMALE = "female"


class CallbackStrategy(StrEnum):
    """When a callback URL is called. Source: Routee, "Send a voice campaign", ``callback.strategy``."""

    ON_CHANGE = "OnChange"
    """On every change of status."""
    ON_COMPLETION = "OnCompletion"
    """When a final status arrives."""


class FilterField(StrEnum):
    """What a tracking search can filter by; these are not the names of the answer.

    Source: Routee, "Track multiple voice messages", accepted values of ``fieldName``.
    """

    ID = "id"
    """The message's id, ``message_id`` in the answer."""
    RECIPIENT = "recipient"
    """The called number, ``to`` in the answer."""
    FROM = "from"
    COLLECTED_TONES = "collectedTones"
    GROUPS = "groups"
    COUNTRY = "country"
    STATUS = "status.status"
    CAMPAIGN = "campaign"
    """The campaign's name, not its id."""


class FilterOperator(StrEnum):
    """How a filter compares. Source: Routee, "Track multiple voice messages", search operators."""

    IS = "is"
    IS_NOT = "is_not"
    CONTAINS = "contains"
    STARTS_WITH = "starts_with"
    ENDS_WITH = "ends_with"
