"""What is ordered: reading a campaign's body, checking it, and finding out whom it calls.

Source: Routee, "Send a voice campaign", "Analyze a voice campaign".
"""

import re
from collections import Counter
from datetime import UTC, datetime
from typing import NamedTuple, TypeVar

import msgspec
from msgspec import UNSET

from ._people import contact_number, group_members, rate
from ._refusals import api_error, unreadable
from ._wire import Analysis, AnalysisBody, CampaignBody, Contact, DialPlanAnalysis, Problem

_NUMBER = re.compile(r"\+[1-9][0-9]{6,14}")
_SCHEDULED_DATE = re.compile(r"2\d{3}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)")

Body = TypeVar("Body", bound=AnalysisBody)


class Recipient(NamedTuple):
    """Someone to call, and the groups that brought them here."""

    number: str
    groups: tuple[str, ...] = ()


def read_order(raw: bytes, shape: type[Body]) -> Body:
    """Read a body and check it against the documented rules, those for single numbers left out.

    Raises:
        Refusal: 400.
    """
    try:
        body = msgspec.json.decode(raw, type=shape)
    except (ValueError, RecursionError) as error:
        raise unreadable(error) from None
    if not (body.to or body.contacts or body.groups):
        raise api_error(400, "One of to, contacts and groups is required", number=2)
    if not (body.file_url or body.message):
        raise api_error(400, "One of fileURL and message is required", number=3)
    return body


def sort_out(numbers: list[str]) -> tuple[list[str], list[Problem]]:
    """The numbers that can be called, and a problem for each other one."""
    good = [number for number in numbers if _NUMBER.fullmatch(number)]
    bad = [number for number in numbers if not _NUMBER.fullmatch(number)]
    return good, [Problem("400013004", "Invalid recipient, E.164 expected", number) for number in bad]


def scheduled(body: CampaignBody) -> datetime | None:
    """The scheduled moment in UTC, None if there is none.

    Raises:
        Refusal: 400 for anything but ``YYYY-MM-DDThh:mm:ss`` with ``Z`` or an offset, and for another millennium.
    """
    if body.scheduled_date is UNSET:
        return None
    try:
        if _SCHEDULED_DATE.fullmatch(body.scheduled_date):
            return datetime.fromisoformat(body.scheduled_date).astimezone(UTC)
    except ValueError:
        pass
    raise api_error(400, "scheduledDate: YYYY-MM-DDThh:mm:ss and Z or an offset expected", number=5)


def recipients_of(seed: int, body: AnalysisBody, good: list[str]) -> list[Recipient]:
    """Everyone to call: each number of ``to`` as often as it is there, contacts, then members of groups not called already."""
    recipients = [Recipient(number) for number in good]
    recipients += [Recipient(contact_number(seed, contact)) for contact in body.contacts]
    called = {recipient.number for recipient in recipients}
    members: dict[str, tuple[str, ...]] = {}
    for group in body.groups:
        for number in group_members(seed, group):
            members[number] = (*members.get(number, ()), group)
    return recipients + [Recipient(number, groups) for number, groups in members.items() if number not in called]


def analysis_of(seed: int, body: AnalysisBody, good: list[str], problems: list[Problem]) -> Analysis:
    """The analysis of an order, as its answer shows it."""
    recipients = recipients_of(seed, body, good)
    countries = {recipient.number: rate(recipient.number)[0] for recipient in recipients}
    known = {number: country for number, country in countries.items() if country is not None}
    contacts = {contact: contact_number(seed, contact) for contact in body.contacts}
    return Analysis(
        contacts={contact: Contact(number, known.get(number, UNSET)) for contact, number in contacts.items()},
        dial_plan_analysis=DialPlanAnalysis(),
        number_of_recipients=len(recipients),
        recipient_countries=known,
        recipients_per_country=dict(Counter(known[one.number] for one in recipients if one.number in known)),
        recipients_per_group={group: len(group_members(seed, group)) for group in body.groups},
        total_in_groups=sum(1 for recipient in recipients if recipient.groups),
        errors=problems or UNSET,
    )
