"""What a campaign and a search may be: what the service would refuse, or would call somebody twice for, is refused before it is sent.

Source: Routee, "Send a voice campaign"; "Other voice messaging concepts" for the length of the text.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Final

from voicedrop_async._checks import NOT_E164, check_amount, check_kind, check_moment, check_reachable_url, check_text, is_e164
from voicedrop_async._masking import PHONE_NUMBER, type_of
from voicedrop_async.errors import ConfigError
from voicedrop_async.models import Callback, SpokenMessage, TrackingFilter, VoiceCampaign

MAX_RECIPIENTS: Final = 1000
_MAX_TEXT: Final = 1000
_NATIONAL: Final = 9
"""Digits at the end of a number that are no other number by chance."""
_NAME: Final = re.compile(r"[A-Za-z0-9 -]{2,30}", re.ASCII)


def check_campaign(campaign: object) -> None:
    """Refuse a campaign that the service would refuse, or that calls somebody twice."""
    if not isinstance(campaign, VoiceCampaign):
        raise ConfigError(f"campaign: {type_of(campaign)} is no VoiceCampaign")
    if not check_text("sender", campaign.sender).isprintable():
        raise ConfigError("sender: must not hold a line break or another control character")
    for argument, kind in (("message", SpokenMessage), ("file_url", str), ("callback", Callback), ("campaign_callback", Callback)):
        check_kind(argument, getattr(campaign, argument), kind)
    _check_recipients(campaign)
    if campaign.name is not None and not (isinstance(campaign.name, str) and _NAME.fullmatch(campaign.name)):
        raise ConfigError("name: must be 2 to 30 Latin letters, digits, spaces and hyphens")
    _check_sound(campaign.message, campaign.file_url)
    _check_times(campaign)
    for argument in ("respect_quiet_hours", "ignore_dnd", "collect_dtmf_digits"):
        check_kind(argument, getattr(campaign, argument), bool)
    _check_callback("callback", campaign.callback)
    _check_callback("campaign_callback", campaign.campaign_callback)


def _check_times(campaign: VoiceCampaign) -> None:
    if campaign.scheduled_date is not None:
        check_moment("scheduled_date", campaign.scheduled_date)
    if campaign.hangup_delay is not None:
        check_amount("hangup_delay", campaign.hangup_delay)
    if campaign.collect_dtmf_await_seconds is not None:
        check_amount("collect_dtmf_await_seconds", campaign.collect_dtmf_await_seconds, zero=True)
        if not campaign.collect_dtmf_digits:
            raise ConfigError("collect_dtmf_await_seconds: only has a meaning with collect_dtmf_digits=True")


def _check_recipients(campaign: VoiceCampaign) -> None:
    if not (campaign.to or campaign.contacts or campaign.groups):
        raise ConfigError("to: no recipients; give at least one of to, contacts and groups")
    for argument, values in (("to", campaign.to), ("contacts", campaign.contacts), ("groups", campaign.groups)):
        if len(values) > MAX_RECIPIENTS:
            raise ConfigError(f"{argument}: {len(values)} is above {MAX_RECIPIENTS}, the most of one campaign")
        _check_each(argument, values)


def _check_each(argument: str, values: Sequence[object]) -> None:
    places: dict[object, int] = {}
    for place, given in enumerate(values):
        value = check_text(f"{argument}[{place}]", given)
        if argument == "to" and not is_e164(value):
            raise ConfigError(f"to[{place}]: {NOT_E164}")
        if places.setdefault(value, place) != place:
            raise ConfigError(f"{argument}[{place}]: repeats {argument}[{places[value]}]; it would be called and charged twice")


def _check_sound(message: SpokenMessage | None, file_url: str | None) -> None:
    if message is not None and file_url is not None:
        raise ConfigError("message: given together with file_url; a campaign plays one of the two")
    if file_url is not None:
        check_reachable_url("file_url", file_url)
    elif message is None:
        raise ConfigError("message: missing; a campaign needs message or file_url")
    else:
        text = check_text("message.text", message.text)
        if len(text) > _MAX_TEXT:
            raise ConfigError(f"message.text: {len(text)} characters are above {_MAX_TEXT}, the most of one message")
        for argument, word in (("language", message.language), ("gender", message.gender)):
            if word is not None:
                check_text(f"message.{argument}", word)


def _check_callback(argument: str, callback: Callback | None) -> None:
    if callback is None:
        return
    if callback.strategy is None:
        raise ConfigError(f"{argument}.strategy: missing; it says when the URL is called")
    check_text(f"{argument}.strategy", callback.strategy)
    check_kind(f"{argument}.url", callback.url, str)
    check_reachable_url(f"{argument}.url", callback.url)


def check_names_nobody(argument: str, text: str, numbers: Iterable[str]) -> None:
    """Refuse a text kept and shown in clear that holds one of ``numbers``, also without its country code."""
    # A slash can stand within a number, and between the ref of a list and the number of its chunk.
    found = [match[0] for words in (text, *text.split("/")) for match in PHONE_NUMBER.finditer(words)]
    runs = [re.sub(r"[^0-9]", "", number).lstrip("0") for number in found]
    for digits in (number.lstrip("+") for number in (numbers if runs else ())):
        if any(digits in run or (len(run) >= _NATIONAL and digits.endswith(run)) for run in runs):
            raise ConfigError(f"{argument}: holds the number of a recipient; it is kept and shown in clear, so use another word")


def check_filters(filters: object) -> tuple[TrackingFilter, ...]:
    """Return conditions; refuse what is none, or compares with what is no text."""
    if isinstance(filters, TrackingFilter) or not isinstance(filters, Iterable):
        raise ConfigError(f"filters: {type_of(filters)} is no list of TrackingFilter")
    conditions = tuple(filters)
    for place, condition in enumerate(conditions):
        if not isinstance(condition, TrackingFilter):
            raise ConfigError(f"filters[{place}]: {type_of(condition)} is no TrackingFilter")
        for name in ("field", "value", "operator"):
            check_text(f"filters[{place}].{name}", getattr(condition, name))
    return conditions
