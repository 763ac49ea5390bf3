"""What a screen shows of a list and of a campaign, drawn in this process."""

from datetime import UTC, datetime
from decimal import Decimal

import attrs
import pytest
from rich.cells import cell_len

from voicedrop_async import CampaignSummary, DeliveryStatus, MessageStatus, VoicemailDropRecord, VoiceMessage
from voicedrop_async.cli._screen import Table, card, spoken

WHEN = datetime(2026, 3, 2, 9, 30, 5, tzinfo=UTC)
HOSTILE = "\x1b[2J\r\n\u202e[red]:smile:\u2066\x07" + "e\u0301" * 9


def message(**fields):
    usual = {"to": "+306912345678", "country": "GR", "status": DeliveryStatus(MessageStatus.BUSY, date=WHEN), "duration": 65}
    return VoiceMessage(
        "5fde9607-6c00-18e3-99d6-8b14fd61f178", **usual | {"price": Decimal("0.0000001"), "campaign": "Spring sale"} | fields
    )


@pytest.fixture
def screen(monkeypatch, capsys):
    """Return what sets the width of the screen, which has no colours, as pytest's own stdout has none."""
    monkeypatch.setenv("NO_COLOR", "1")

    def set_width(columns):
        monkeypatch.setenv("COLUMNS", str(columns))

    set_width(80)
    return set_width


def test_a_table_has_its_header_once_and_a_row_for_each_item(screen):
    table = Table(VoiceMessage)
    first, second = table.rows([message(), message(status=None, price=None)]).decode(), table.rows([message()] * 3).decode()

    header, row, other = first.splitlines()
    assert header.split() == ["time", "(UTC)", "to", "country", "status", "duration", "price"]
    assert row.split() == ["2026-03-02", "09:30:05", "+306912345678", "GR", "Busy", "1:05", "0.0000…"]
    assert other.split() == ["-", "+306912345678", "GR", "-", "1:05", "-"]
    assert second.splitlines() == [row] * 3
    assert table.rows([]) == b""


@pytest.mark.parametrize(("columns", "titles"), [(1, 0), (5, 1), (36, 2), (60, 4), (80, 6), (120, 8), (400, 9)])
def test_a_screen_has_the_columns_that_fit(screen, columns, titles):
    """What is most asked for stays longest; a campaign's name takes what room there is, up to a bound."""
    screen(columns)
    rows = Table(VoiceMessage).rows([message(campaign="x" * 99)]).decode().splitlines()

    shown = [
        title
        for title in ("time", " to", "country", "status", "answered", "duration", "price", "campaign", "message id")
        if title in rows[0]
    ]
    assert len(shown) == titles
    assert max(map(len, rows)) <= columns


@pytest.mark.parametrize("columns", [80, 160])
def test_no_text_of_a_service_moves_the_cursor_or_turns_the_line_round(screen, columns):
    """Neither in the place of a word that is newer than this library, nor in a name; nor is it read as markup."""
    screen(columns)
    odd = message(to=HOSTILE, campaign=HOSTILE, status=DeliveryStatus(HOSTILE, date=WHEN), country=HOSTILE)
    drops = [VoicemailDropRecord(7, number=HOSTILE, reference=HOSTILE, state=9, timestamp=WHEN)]
    summed = card(HOSTILE, CampaignSummary.of([odd])).decode()
    for drawn in (Table(VoiceMessage).rows([odd, odd]).decode(), Table(VoicemailDropRecord).rows(drops).decode(), summed):
        assert all(character.isprintable() for character in drawn.replace("\n", ""))
    assert "\\x1b[2J\\x0d\\x0a\\x202e[red]:smile:" in summed


def test_letters_of_two_cells_are_counted_as_such(screen):
    narrow, wide = Table(VoiceMessage).rows([message(country="GR"), message(country="日本日本日本")]).decode().splitlines()[1:]
    assert cell_len(narrow) == cell_len(wide)
    assert "日本日… " in wide


def test_a_campaign_in_figures(screen):
    """Shares of all messages, the most frequent first; a list that is not complete is told as such."""
    messages = [message(), attrs.evolve(message(duration=3600, country="CY"), message_id="m1"), VoiceMessage("m2")]
    lines = card("c1", CampaignSummary.of(messages)).decode().splitlines()

    assert [line.split("  ", 1)[1].strip() if line else line for line in lines] == [
        "c1",
        "3, not complete",
        "2026-03-02 09:30:05 to 2026-03-02 09:30:05 (UTC)",
        "Busy        2   66.7%",
        "GR 1, CY 1",
        "0.0000002",
        "1:01:05, the longest call 1:00:00",
        "",
    ]


@pytest.mark.parametrize(("seconds", "text"), [(0, "0:00"), (7.4, "0:07"), (725, "12:05"), (3725, "1:02:05"), (360000, "100:00:00")])
def test_a_duration_is_what_a_clock_shows(seconds, text):
    assert spoken(seconds) == text
