"""What a send would do, as a person reads it before it is done. No number is shown, only where it stands."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, TypeAlias, cast

from voicedrop_async import CampaignProblem, VoiceAnalysis, VoiceCampaign
from voicedrop_async._masking import masked, printable
from voicedrop_async.cli._settings import Settings
from voicedrop_async.routee import BASE_URL

Rows: TypeAlias = Iterator[tuple[str, str]]
"""A word and what there is to say of it."""

_MOST: Final = 5
"""Places that are told one by one."""
_LONGEST: Final = 200
"""Characters of a message that are shown."""


def planned(campaign: VoiceCampaign, settings: Settings, campaigns: int = 1) -> Rows:
    """Yield what is to be sent, to how many, when, and on whose account."""
    yield "Campaign", campaign.name or "(gets a name of its own)"
    yield "Sender", masked(campaign.sender)
    yield _message(campaign)
    recipients = {"number": campaign.to, "contact": campaign.contacts, "group": campaign.groups}
    whom = ", ".join(f"{len(given):,} {what}{'s' * (len(given) > 1)}" for what, given in recipients.items() if given)
    yield "Recipients", whom if campaigns == 1 else f"{whom}, in {campaigns:,} campaigns"
    yield "Begins", campaign.scheduled_date.isoformat(" ") if campaign.scheduled_date else "now"
    origin = settings.origin("routee_application_id") or ""
    yield "Account", f"{origin} of the environment" if origin.isupper() else settings.place
    url = settings.urls("routee")["routee_base_url"]
    if url != BASE_URL:
        yield "Service", url


def added_up(analyses: Sequence[VoiceAnalysis]) -> VoiceAnalysis:
    """Return the analysis of a list from those of its campaigns."""
    if len(analyses) == 1:
        return analyses[0]
    counts = [one.number_of_recipients for one in analyses if one.number_of_recipients is not None]
    return VoiceAnalysis(
        number_of_recipients=sum(counts) if len(counts) == len(analyses) else None,
        recipient_countries={number: country for one in analyses for number, country in (one.recipient_countries or {}).items()},
        recipients_per_country=sum((Counter(one.recipients_per_country) for one in analyses), Counter[str]()),
        contacts={contact: details for one in analyses for contact, details in (one.contacts or {}).items()},
        problems=tuple(problem for one in analyses for problem in one.problems),
    )


def analyzed(analysis: VoiceAnalysis, places: Mapping[str, str]) -> Rows:
    """Yield whom it would reach, says the service, and whom not; ``places`` says where a number stands."""
    countries = analysis.recipients_per_country or {}
    if analysis.number_of_recipients is not None:
        yield "Reached", f"{analysis.number_of_recipients:,}"
    for country, count in sorted(countries.items(), key=lambda item: -item[1]):
        yield f"  {_clear(country)}", f"{count:,}"
    for group, count in (analysis.recipients_per_group or {}).items():
        yield "Group", f"{_clear(group)}: {count:,}"
    blacklisted = [contact for contact, details in (analysis.contacts or {}).items() if _is_blacklisted(details)]
    if blacklisted:
        yield "Blacklisted", f"{len(blacklisted):,}: {_some([*map(_clear, blacklisted)])}"
    for problem in analysis.problems:
        yield "Refused", _refused(problem, places)


def _message(campaign: VoiceCampaign) -> tuple[str, str]:
    spoken = campaign.message
    if spoken is None or spoken.text is None:
        return "Plays", _clear((campaign.file_url or "").partition("?")[0])  # what stands behind it can be a signature
    text = " ".join(spoken.text.split())
    if len(text) > _LONGEST:
        text = f"{text[:_LONGEST]}..."
    voice = ", ".join(_clear(word) for word in (spoken.language, spoken.gender) if word)
    return "Says", _clear(text) + (f" ({voice})" if voice else "")


def as_text(rows: Iterable[tuple[str, str]]) -> str:
    """Return rows as lines, the second column below itself."""
    table = [*rows]
    width = max(len(word) for word, _ in table)
    return "".join(f"{word:<{width}}  {said}\n" for word, said in table)


def _refused(problem: CampaignProblem, places: Mapping[str, str]) -> str:
    numbers = problem.property or ()
    why = _clear(problem.developer_message or problem.code or "without a word")
    return f"{len(numbers):,}: {why} ({_some([places.get(number, masked(number)) for number in numbers])})" if numbers else why


def _some(places: list[str]) -> str:
    return ", ".join(places[:_MOST]) + (", ..." if len(places) > _MOST else "")


def _is_blacklisted(details: object) -> bool:
    # The page does not give the fields of a contact; the same page for text messages does.
    return isinstance(details, Mapping) and str(cast("Mapping[str, Any]", details).get("blacklisted")).lower() == "true"


def _clear(text: str) -> str:
    """Return a word of the service as it may stand on a terminal."""
    return masked(printable(text))
