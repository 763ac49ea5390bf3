"""What ``voicedrop send`` is to send: a campaign and its recipients, checked as far as it goes without the service."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from attrs import evolve, field, frozen

from voicedrop_async import ConfigError, VoiceCampaign
from voicedrop_async.cli._commands.send import campaign_file, recipients
from voicedrop_async.cli._process import say
from voicedrop_async.routee import MAX_RECIPIENTS, check_send

_PLACE: Final = re.compile(r"to\[([0-9]+)\]")


@frozen
class Order:
    """A campaign that was checked, and where its numbers come from."""

    campaign: VoiceCampaign
    places: Mapping[str, str] = field(repr=False)
    """Where each number stands, as sentences name it."""

    @property
    def count(self) -> int:
        """How many campaigns it takes."""
        return max(1, -(-len(self.campaign.to) // MAX_RECIPIENTS))

    def campaigns(self) -> Iterator[VoiceCampaign]:
        """Yield them, one after another."""
        if self.count == 1:
            yield self.campaign
            return
        for first in range(0, len(self.campaign.to), MAX_RECIPIENTS):
            yield evolve(self.campaign, to=self.campaign.to[first : first + MAX_RECIPIENTS])


def read(file: Path, to: Path | None, column: str | None, ref: str | None) -> Order:
    """Read the campaign of a file, with the recipients that it has, or those of another file, which may be more than a campaign takes.

    Args:
        file: The campaign.
        to: Its recipients, if it has none of its own.
        column: Where ``to`` holds the numbers.
        ref: The caller's own key for the send, if it gets one.

    Raises:
        ConfigError: Both files have recipients, or ``send_campaign`` would refuse what they hold. The text names file and line, or
            the key, and shows no number.
    """
    campaign = campaign_file.read(file)
    if to is None:
        if column is not None:
            raise ConfigError("--column: only together with --to, whose column it names")
        source, places = str(file), {number: f"to[{place}]" for place, number in enumerate(campaign.to)}
    else:
        if campaign.to or campaign.contacts or campaign.groups:
            raise ConfigError(f"--to: {file} has recipients of its own; take one of the two away, so that it is clear who is meant")
        listed = recipients.read(to, column)
        if listed.repeats:
            say(f"{listed.source}: numbers that stand there again, and are called once: {listed.repeats:,}")
        campaign = evolve(campaign, to=tuple(listed.lines))
        source, places = listed.source, {number: f"line {line}" for number, line in listed.lines.items()}
    order = Order(campaign, places)
    for part in [campaign] if to is None else order.campaigns():
        try:
            check_send(part, ref)
        except ConfigError as error:
            raise ConfigError(_named(str(error), str(file), source, places, part)) from None
    return order


def _named(text: str, file: str, source: str, places: Mapping[str, str], campaign: VoiceCampaign) -> str:
    """Name option, file or line, where ``send_campaign`` names its argument."""
    argument, _, fault = text.partition(": ")
    if argument == "ref":
        return f"--{text}"
    if found := _PLACE.fullmatch(argument):
        return f"{source}, {places[campaign.to[int(found[1])]]}: {fault}"
    return f"{source if argument == 'to' else file}: {text}"
