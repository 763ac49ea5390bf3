"""What the journal keeps of a receipt: nobody's number, and all of it again for who brings the campaign along. And what is read of it."""

import json
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from campaigns import CAMPAIGN, NUMBER, RECEIPT
from hypothesis import given
from hypothesis import strategies as st
from raw_server import RawServer, answer

from voicedrop_async import Callback, RouteeSession, SpokenMessage, SqliteJournal, StaticToken, VoiceCampaign, _wire, unique_name
from voicedrop_async.errors import ConfigError

SENDER = "306911111111"
THIRD = "+306922222222"
STRANGER = "+306933333333"
SECRET = "https://example.com/cAnArY"
SPEECH = "Call us: 210 9876543"
SENT = VoiceCampaign(
    SENDER,
    to=[THIRD, NUMBER],
    name="Spring sale",
    message=SpokenMessage(SPEECH, language="en-GB"),
    callback=Callback("OnChange", url=SECRET),
)
ANSWER: dict[str, Any] = {
    "trackingId": "12345678-1234-1234-1234-123456789012",
    "state": "Queued",
    "campaignName": "Spring sale",
    "from": SENDER,
    "to": [NUMBER, THIRD[1:]],
    "createdAt": "2026-11-22T04:01:24.123456Z",
    "cost": 12345678.25,
    "message": {"text": SPEECH, "language": "en-GB"},
    "callback": {"strategy": "OnChange", "url": SECRET},
    "statuses": {"Queued": 2},
    "voiceAnalysis": {"numberOfRecipients": 2, "recipientCountries": {NUMBER: "GR", THIRD: "GR"}},
    "errors": [{"code": "400013004", "developerMessage": f"number {NUMBER} is bad", "property": [int(NUMBER[1:])]}],
    "somethingNew": {"of": [NUMBER, 3.5, True, None]},
}
NUMBERS = (NUMBER[1:], THIRD[1:], SENDER, STRANGER[1:], "9876543", SECRET)


def again(said: Any, campaign: VoiceCampaign = SENT) -> Any:
    """What is read of an answer that was kept, by who brings ``campaign`` along."""
    return _wire.load_kept(_wire.dump_kept(json.dumps(said).encode(), SENT), campaign)


def everything_in(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.iterdir())


async def test_the_receipt_comes_back_as_it_was_and_no_byte_of_the_file_is_a_number(line: RawServer, tmp_path: Path) -> None:
    line.will(answer(200, ANSWER))
    async with (
        SqliteJournal(tmp_path / "sends") as journal,
        RouteeSession(StaticToken("t"), base_url=line.url, journal=journal) as session,
    ):
        first = await session.send_campaign(SENT, ref="order-7")
        second = await session.send_campaign(evolve(SENT, to=[NUMBER, THIRD]), ref="order-7")
        on_disk = everything_in(tmp_path)

    assert first == second
    assert len(line.received) == 1
    assert b"order-7" in on_disk
    assert [number for number in NUMBERS if number.encode() in on_disk] == []


def test_a_number_of_somebody_else_is_gone_for_good() -> None:
    kept = _wire.dump_kept(
        json.dumps(ANSWER | {"extra": {STRANGER: f"x {STRANGER}", "n": int(STRANGER[1:]), "f": 306933333333.0}}).encode(), SENT
    )

    assert kept is not None
    assert "693333" not in kept
    assert "306" not in kept.replace("*", "")


def test_rows_of_several_strangers_stay_apart() -> None:
    """Each has a stand-in of its own, the same wherever it stands; with one for all, rows fell into one."""
    strangers = [f"+30694444444{last}" for last in range(3)]
    said = {"recipientCountries": dict.fromkeys(strangers, "GR")}

    receipt = again(ANSWER | {"voiceAnalysis": said, "errors": [{"code": "1", "property": strangers}]})

    assert receipt.voice_analysis.recipient_countries == {"*****1": "GR", "*****2": "GR", "*****3": "GR"}
    assert receipt.problems[0].property == ("*****1", "*****2", "*****3")


def test_a_text_that_bears_the_mark_of_a_place_cannot_point_anywhere() -> None:
    receipt = again(ANSWER | {"type": "\x1a0\x1a and \x1a99\x1a"})

    assert receipt.type == "0 and 99"


@pytest.mark.parametrize("kept", [None, "", "null", "[]", "{", '{"to": "\\u001a7\\u001a"}', '{"trackingId": {}}'])
def test_what_cannot_be_read_is_no_receipt_or_one_without_it(kept: str | None) -> None:
    """The send is a fact all the same: the caller of this makes a receipt of what is known."""
    receipt = _wire.load_kept(kept, CAMPAIGN)

    assert receipt is None or receipt.tracking_id is None


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"{", b'"text"'])
def test_an_answer_that_is_no_object_is_not_kept(body: bytes) -> None:
    assert _wire.dump_kept(body, CAMPAIGN) is None


def test_an_answer_that_nests_without_end_is_cut() -> None:
    assert again(json.loads('{"a":' * 150 + "1" + "}" * 150)) is not None


@given(st.lists(st.from_regex(r"\+[1-9][0-9]{6,14}", fullmatch=True), min_size=1, max_size=8, unique=True), st.randoms())
def test_whoever_is_called_the_numbers_come_back(numbers: list[str], dice: Any) -> None:
    campaign = evolve(SENT, to=numbers)
    said = {"trackingId": "t", "to": numbers, "voiceAnalysis": {"recipientCountries": dict.fromkeys(numbers, "GR")}}
    kept = _wire.dump_kept(json.dumps(said).encode(), campaign)
    shuffled = dice.sample(numbers, len(numbers))

    receipt = _wire.load_kept(kept, evolve(campaign, to=shuffled))

    assert receipt is not None
    assert receipt.to == tuple(numbers)
    assert kept is not None
    assert [number for number in numbers if number.strip("+") in kept] == []


@given(st.text())
def test_a_unique_name_is_one_that_the_service_takes(name: str) -> None:
    if not name.strip() or any("\ud800" <= character <= "\udfff" for character in name):
        with pytest.raises(ConfigError):
            unique_name(name)
        return

    made = unique_name(name)

    assert 2 <= len(made) <= 30
    assert made.replace(" ", "").replace("-", "").isascii()
    assert made.replace(" ", "").replace("-", "").isalnum()


def test_a_unique_name_begins_with_what_people_call_it() -> None:
    assert unique_name("Spring sale").startswith("Spring sale ")
    assert unique_name("Frühling/Été").startswith("Fruhling Ete ")
    assert unique_name("Straße nach Øst").startswith("Strasse nach st ")
    assert unique_name("Άνοιξη").startswith("Campaign ")
    assert len({unique_name("A very long name of a campaign, indeed") for _ in range(1000)}) == 1000


async def test_a_receipt_with_an_odd_field_still_bears_its_id(line: RawServer, sender: RouteeSession) -> None:
    """The campaign was taken: that its cost cannot be read must not make it unknown."""
    line.will(answer(200, RECEIPT | {"cost": "much", "createdAt": []}))

    receipt = await sender.send_campaign(CAMPAIGN)

    assert receipt.tracking_id == "tid-1"
    assert receipt.cost is None
    assert receipt.extra == {"cost": "much", "createdAt": []}


async def test_p13_invalid_recipients_of_a_taken_campaign_are_listed(line: RawServer, sender: RouteeSession) -> None:
    line.will(answer(200, RECEIPT | {"errors": [{"errorCode": "004", "developerMessage": "invalid", "property": [NUMBER]}]}))

    receipt = await sender.send_campaign(CAMPAIGN)

    (problem,) = receipt.problems
    assert (problem.code, problem.property) == ("004", (NUMBER,))
    assert NUMBER not in repr(receipt)
