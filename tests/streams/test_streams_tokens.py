"""A token is opaque text: it says where, and neither who nor what; another stream refuses it before anything is sent."""

import pickle
import re
from base64 import urlsafe_b64decode
from datetime import timedelta

import pytest
from campaigns import NUMBER
from paged_server import NOON, ids, rows, serving

from voicedrop_async import (
    ClientCredentials,
    FilterField,
    FilterOperator,
    ResumeToken,
    ResumeTokenError,
    RouteeSession,
    SpacivoxSession,
    StaticToken,
    TrackingFilter,
)

SECRET = "a-secret-of-the-application"
RANGE = {"start": NOON, "end": NOON + timedelta(days=1)}
FILTERED = {**RANGE, "filters": [TrackingFilter(FilterField.RECIPIENT, NUMBER)], "campaign_id": "tid-1", "sort": "to", "page_size": 7}


def routee():
    """A session that nothing is sent with; the token is text beside it."""
    return RouteeSession(ClientCredentials("application-id", SECRET), base_url="https://private.example.com/base")


def token_of(**arguments):
    """The token at the beginning of a walk."""
    return routee().track_messages(**arguments).walk().token


def test_a_token_holds_no_number_no_secret_and_no_address():
    """Not in its text, and not in what the text decodes to."""
    text = str(token_of(**FILTERED))
    held = text + urlsafe_b64decode(text.partition(".")[2] + "===").decode("latin-1")
    for private in (NUMBER, NUMBER[1:], NUMBER[3:], SECRET, "application-id", "private.example.com", "tid-1"):
        assert private not in held
    assert re.fullmatch(r"[A-Za-z0-9._~-]+", text), "safe in a URL as it is"


def test_the_query_is_known_by_32_bits_alone():
    """Of ten thousand million numbers, two or three fit: which one was filtered for cannot be guessed back."""
    content = urlsafe_b64decode(str(token_of(**FILTERED)).partition(".")[2] + "===")[4:].decode()
    numbers = [int(digits) for digits in re.findall(r"\d+", content)]
    others = [int(digits) for digits in re.findall(r"\d+", content.split(",", 1)[1])]
    assert numbers[0] < 1 << 32
    assert max(others, default=0) <= 7


def test_tokens_are_values():
    one, same, another = token_of(**FILTERED), token_of(**FILTERED), token_of(**FILTERED | {"page_size": 8})
    assert (one == same, hash(one) == hash(same), one == another) == (True, True, False)
    assert pickle.loads(pickle.dumps(one)) == one == ResumeToken(str(one))


async def test_a_token_and_its_text_are_worth_the_same():
    async with serving(rows=rows(0, 1, 2)) as (_, session, _):
        async with session.track_messages(page_size=2).walk() as walk:
            await anext(aiter(walk.pages()))
        token = walk.token
        for given in (token, str(token), f"  {token}\n", pickle.loads(pickle.dumps(token))):
            assert ids(await session.track_messages(page_size=2, resume=given).collect()) == [3]


OTHERS = {
    "start": {"start": NOON - timedelta(microseconds=1)},
    "end": {"end": NOON + timedelta(days=1, microseconds=1)},
    "no range": {"start": None, "end": None},
    "campaign": {"campaign_id": "tid-2"},
    "no campaign": {"campaign_id": None},
    "filter value": {"filters": [TrackingFilter(FilterField.RECIPIENT, "+306912345679")]},
    "filter operator": {"filters": [TrackingFilter(FilterField.RECIPIENT, NUMBER, operator=FilterOperator.CONTAINS)]},
    "filter field": {"filters": [TrackingFilter(FilterField.FROM, NUMBER)]},
    "no filter": {"filters": []},
    "sort": {"sort": "from"},
    "tagged": {"tagged": True},
    "page size": {"page_size": 8},
    "slices": {"slices": timedelta(hours=1)},
}


@pytest.mark.parametrize("change", OTHERS.values(), ids=OTHERS)
def test_a_token_of_another_query_is_refused(change):
    token = token_of(**FILTERED)
    with pytest.raises(ResumeTokenError, match="resume"):
        routee().track_messages(**FILTERED | change, resume=token)


def test_a_token_of_slices_is_refused_without():
    token = token_of(**FILTERED, slices=timedelta(hours=1))
    with pytest.raises(ResumeTokenError, match="slices"):
        routee().track_messages(**FILTERED, resume=token)


def test_a_token_of_another_service_or_call_is_refused():
    session, spacivox = routee(), SpacivoxSession(StaticToken("t"), base_url="https://spacivox.example.com")
    streams = [
        session.track_messages,
        lambda **resume: session.track_messages(**RANGE, slices=timedelta(hours=1), **resume),
        lambda **resume: session.track_campaign("tid-1", **resume),
        lambda **resume: session.track_campaign("tid-2", **resume),
        lambda **resume: spacivox.drop_records(NOON, NOON + timedelta(days=1), **resume),
        lambda **resume: spacivox.drop_records(NOON, NOON + timedelta(days=1), team=1, **resume),
        lambda **resume: spacivox.drop_records(NOON, NOON + timedelta(days=2), **resume),
    ]
    for made in streams:
        for given in streams:
            token = made().walk().token
            if made is given:
                assert given(resume=token).walk().token == token
                continue
            with pytest.raises(ResumeTokenError):
                given(resume=token)


def test_the_same_moments_in_another_time_zone_are_the_same_query():
    from zoneinfo import ZoneInfo

    moved = {name: moment.astimezone(ZoneInfo("Europe/Athens")) for name, moment in RANGE.items()}
    assert token_of(**RANGE | {"slices": timedelta(hours=1)}) == token_of(**moved | {"slices": timedelta(hours=1)})


def test_a_token_with_any_character_changed_or_cut_off_is_refused():
    """Changed to a neighbour, a digit, another alphabet; cut from either end, or with something added."""
    text = str(token_of(**FILTERED, slices=timedelta(hours=1)))
    changed = {text[:at] + other + text[at + 1 :] for at in range(len(text)) for other in "AZaz09-_.=~é\x00\ud800" if other != text[at]}
    cut = {text[:length] for length in range(len(text))} | {text[at:] for at in range(1, len(text))}
    for damaged in changed | cut | {text + "A", text + text, "", ".", "1.", text.replace(".", "")}:
        with pytest.raises(ResumeTokenError):
            routee().track_messages(**FILTERED, slices=timedelta(hours=1), resume=damaged)


@pytest.mark.parametrize("version", ["2", "10", "9" * 400])
def test_a_token_of_a_newer_version_is_named_as_such(version):
    newer = version + str(token_of())[1:]
    with pytest.raises(ResumeTokenError, match="version") as caught:
        routee().track_messages(resume=newer)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize("given", [b"1.abc", 7, True, ["1.abc"], object()])
def test_what_is_no_text_is_no_token(given):
    with pytest.raises(ResumeTokenError, match=type(given).__name__):
        routee().track_messages(resume=given)


def test_a_refusal_does_not_repeat_what_it_was_given():
    with pytest.raises(ResumeTokenError) as caught:
        routee().track_messages(resume=f"1.{NUMBER}")
    assert NUMBER not in str(caught.value)


def test_an_empty_text_is_a_bad_token_and_none_is_no_token():
    """A file that was cut to nothing does not begin the walk anew behind the caller's back."""
    assert routee().track_messages(resume=None).walk().token == token_of()
    with pytest.raises(ResumeTokenError):
        routee().track_messages(resume="")
