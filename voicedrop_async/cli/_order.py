"""What ``voicedrop send`` is to send: a campaign and its recipients, checked as far as it goes without the service."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from attrs import evolve, field, frozen

from voicedrop_async import ConfigError, VoiceCampaign
from voicedrop_async.cli import _campaign_file, _recipients
from voicedrop_async.cli._say import say
from voicedrop_async.routee import check_send

_PLACE: Final = re.compile(r"to\[([0-9]+)\]")


@frozen
class Order:
    """A campaign that was checked, and where its numbers come from."""

    campaign: VoiceCampaign
    places: Mapping[str, str] = field(repr=False)
    """Where each number stands, as sentences name it."""


def read(file: Path, to: Path | None, column: str | None, ref: str | None) -> Order:
    """Read the campaign of a file, with the recipients that it has, or those of another file.

    Args:
        file: The campaign.
        to: Its recipients, if it has none of its own.
        column: Where ``to`` holds the numbers.
        ref: The caller's own key for the send, if it gets one.

    Raises:
        ConfigError: Both files have recipients, or ``send_campaign`` would refuse what they hold. The text names file and line, or
            the key, and shows no number.
    """
    campaign = _campaign_file.read(file)
    if to is None:
        if column is not None:
            raise ConfigError("--column: only together with --to, whose column it names")
        source, places = str(file), {number: f"to[{place}]" for place, number in enumerate(campaign.to)}
    else:
        if campaign.to or campaign.contacts or campaign.groups:
            raise ConfigError(f"--to: {file} has recipients of its own; take one of the two away, so that it is clear who is meant")
        listed = _recipients.read(to, column)
        if listed.repeats:
            say(f"{listed.source}: numbers that stand there again, and are called once: {listed.repeats:,}")
        campaign = evolve(campaign, to=tuple(listed.lines))
        source, places = listed.source, {number: f"line {line}" for number, line in listed.lines.items()}
    order = Order(campaign, places)
    try:
        check_send(campaign, ref)
    except ConfigError as error:
        raise ConfigError(_named(str(error), str(file), source, order)) from None
    return order


def _named(text: str, file: str, source: str, order: Order) -> str:
    """Name option, file or line, where ``send_campaign`` names its argument."""
    argument, _, fault = text.partition(": ")
    if argument == "ref":
        return f"--{text}"
    if found := _PLACE.fullmatch(argument):
        return f"{source}, {order.places[order.campaign.to[int(found[1])]]}: {fault}"
    return f"{source if argument == 'to' else file}: {text}"
