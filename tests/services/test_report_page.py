"""A report in a browser: it asks nobody, complains of nothing, says what the data says, and can be read by everybody.

With ``VOICEDROP_PICTURES`` set to a folder, what was seen is left there, for a person to look at.
"""

import asyncio
import os
from bisect import bisect_right
from collections import Counter
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pytest
from browser import DESK, PHONE, Chromium, Window

from voicedrop_async import ClientCredentials, RouteeSession, report_to
from voicedrop_async.sandbox import Sandbox

BEGINS = (0, 1, 5, 10, 15, 20, 30, 45, 60, 120, 300, 600, 1800, 3600)
STEPS = (
    *("under 1 s", "1 to 5 s", "5 to 10 s", "10 to 15 s", "15 to 20 s", "20 to 30 s", "30 to 45 s", "45 to 60 s"),
    *("1 to 2 min", "2 to 5 min", "5 to 10 min", "10 to 30 min", "30 to 60 min", "1 h and more"),
)
FAILURES = ("Busy", "NoAnswer", "Failed", "Unsent", "Terminated")


@pytest.fixture(scope="session")
def report(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[dict]]:
    """A page of 800 messages, and what the server has of them."""
    return asyncio.run(drawn(tmp_path_factory.mktemp("report") / "report.html"))


async def drawn(path: Path) -> tuple[Path, list[dict]]:
    async with Sandbox(messages=800, seed=7) as sandbox:
        auth = ClientCredentials(*sandbox.credentials)
        async with RouteeSession(auth, base_url=sandbox.routee_url, auth_url=sandbox.auth_url) as routee:
            await report_to(routee.track_messages(page_size=200), path, title="Spring sale")
        return path, list(sandbox.messages)


async def rows_of(window: Window, section: str) -> list[list[str]]:
    """The rows of a table, without its head and the sum."""
    script = "rows => rows.map(row => [...row.cells].map(cell => cell.textContent))"
    rows: list[list[str]] = await window.page.eval_on_selector_all(f"#{section} tbody tr", script)
    return rows


async def counts(window: Window, section: str) -> dict[str, int]:
    """The numbers of messages in a table by its first column."""
    return {row[0]: int(row[-2].replace(",", "")) for row in await rows_of(window, section)}


def three_hours(messages: list[dict]) -> Counter[str]:
    """Numbers of messages by the beginning of the three hours in which their status was set."""
    moments = [datetime.fromisoformat(message["status"]["date"]) for message in messages]
    return Counter(f"{moment.replace(hour=moment.hour // 3 * 3):%Y-%m-%d %H:00}" for moment in moments)


async def keep(window: Window, name: str) -> None:
    if folder := os.environ.get("VOICEDROP_PICTURES"):
        await window.page.screenshot(path=f"{folder}/report-{name}.png", full_page=True)


async def test_a_report_can_be_read_by_everybody_and_asks_nobody(chromium: Chromium, report: tuple[Path, list[dict]]) -> None:
    path, _ = report
    for name, size, dark in (("light", DESK, False), ("phone-dark", PHONE, True)):
        window = await chromium.open(path.as_uri(), size=size, dark=dark)
        await keep(window, name)
        await window.page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
        assert await window.barriers() == []
        assert await window.sideways() == 0
        assert await window.page.locator("#status svg[role=img]:visible").count() == 1
        assert window.asked == [path.as_uri()]
        assert window.complaints == []
    assert path.stat().st_size < 500_000


async def test_the_numbers_on_the_page_are_those_of_the_data(chromium: Chromium, report: tuple[Path, list[dict]]) -> None:
    path, messages = report
    window = await chromium.open(path.as_uri())

    def of(read: object) -> dict[str, int]:
        return dict(Counter(read(message) for message in messages))

    tones = [message.get("collectedTones") for message in messages]
    keys = Counter("(no key)" if not keys else keys if len(keys) == 1 else "(several keys)" for keys in tones)
    cost = sum(Decimal(str(message.get("price", 0))) for message in messages)
    statuses = of(lambda message: message["status"]["status"])
    assert await counts(window, "status") == statuses
    assert await counts(window, "answered") == of(lambda message: message.get("answeredBy", "(not told)"))
    assert await counts(window, "country") == of(lambda message: message.get("country", "(not told)"))
    assert await counts(window, "keys") == keys
    assert await counts(window, "failed") == {status: count for status, count in statuses.items() if status in FAILURES}
    durations = [message.get("duration") for message in messages]
    steps = Counter("(not told)" if one is None else STEPS[bisect_right(BEGINS, one) - 1] for one in durations)
    assert {step: count for step, count in (await counts(window, "duration")).items() if count} == steps
    completed = [message for message in messages if message["status"]["status"] == "Completed"]
    in_time = [(row[0], int(row[1]), int(row[-1])) for row in await rows_of(window, "time")]
    assert (await window.page.text_content("#time .note") or "").endswith("Each bar is 3 hours, in UTC.")
    assert in_time == [(start, three_hours(completed)[start], count) for start, count in sorted(three_hours(messages).items())]
    assert await window.page.text_content("#cost tfoot td") == f"{cost.normalize():,f}"
    shown = await window.page.eval_on_selector_all("#status .wide text", "texts => texts.map(text => text.textContent)")
    assert all(f"{count:,} ({count / 800:.1%})" in shown for count in statuses.values())
    ids = await window.page.eval_on_selector_all("#failures td:last-child", "cells => cells.map(cell => cell.textContent)")
    failed = [message for message in messages if message["status"]["status"] in FAILURES]
    assert set(ids) == {message["messageId"] for message in failed}


async def test_it_follows_the_person_from_light_to_dark_and_on_to_paper(chromium: Chromium, report: tuple[Path, list[dict]]) -> None:
    """While it is open; what is printed is light, also for those who prefer the dark, and no chart is cut in two."""
    path, _ = report
    window = await chromium.open(path.as_uri())
    script = "[getComputedStyle(document.body).color, getComputedStyle(document.querySelector('#status .chart text')).fill]"
    light = await window.page.evaluate(script)

    await window.page.emulate_media(color_scheme="dark")
    assert await window.page.evaluate(script) != light
    await window.page.emulate_media(media="print")
    assert await window.page.evaluate(script) == light
    await keep(window, "print")
    assert await window.page.evaluate("getComputedStyle(document.querySelector('#status')).breakInside") == "avoid"
    assert len(await window.page.pdf(format="A4")) < 1_000_000
