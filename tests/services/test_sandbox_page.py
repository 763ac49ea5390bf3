"""The sandbox's page in a real browser: what it shows is what happened, and what its buttons do is counted at the service."""

from collections.abc import AsyncGenerator
from itertools import cycle

import pytest
from browser import DESK, PHONE, Chromium, Window
from playwright.async_api import expect

from voicedrop_async import (
    Callback,
    CallbackStrategy,
    ClientCredentials,
    ConnectionLost,
    DeadlineExceeded,
    OutcomeUnknown,
    Retry,
    RouteeSession,
    ServerFailed,
    SpokenMessage,
    VoiceCampaign,
)
from voicedrop_async.sandbox import Sandbox

expect.set_options(timeout=15_000)  # milliseconds; a busy machine is no fault of the page

LIVE = "#life[data-life=live]"
PLACES = "(buttons) => buttons.map((one) => one.getBoundingClientRect().top + one.closest('.levers').scrollTop + scrollY)"
CAMPAIGN = VoiceCampaign(
    "306900000000",
    to=[f"+3069{place:08}" for place in range(9)],
    name="Spring sale",
    message=SpokenMessage("Hello, it is <b>spring</b>", language="en-GB"),
    callback=Callback(strategy=CallbackStrategy.ON_COMPLETION, url="http://127.0.0.1:9/hook/c2VjcmV0LXBhcnQtb2YtYS1wYXRo"),
)


@pytest.fixture
async def sandbox() -> AsyncGenerator[Sandbox]:
    """A minute of it is a second here."""
    async with Sandbox(messages=500, seed=7, drops=20, speed=60) as running:
        yield running


@pytest.fixture
async def routee(sandbox: Sandbox) -> AsyncGenerator[RouteeSession]:
    """A client that tries once."""
    auth = ClientCredentials(*sandbox.credentials)
    async with RouteeSession(auth, base_url=sandbox.routee_url, auth_url=sandbox.auth_url, retry=Retry(attempts=1)) as session:
        yield session


def complaints(window: Window, sandbox: Sandbox) -> list[str]:
    """What was asked for elsewhere, and what the browser complained of."""
    return [url for url in window.asked if not url.startswith(sandbox.page_url)] + window.complaints


async def press(window: Window, name: str, said: str, **fields: str) -> None:
    """Fill fields, press a button, and wait for the page to say what came of it."""
    for field, value in fields.items():
        await window.page.locator(f"#{field.replace('_', '-')}").fill(value)
    await window.page.get_by_role("button", name=name, exact=True).click()
    await expect(window.page.locator("#said")).to_contain_text(said)


async def test_each_button_does_to_a_client_what_it_says(sandbox: Sandbox, routee: RouteeSession, chromium: Chromium) -> None:
    """Each way to fail a request, counted at the service."""
    window = await chromium.open(sandbox.page_url, until=LIVE)
    path, waiting, tracked = window.page.locator("#path"), window.page.locator("#waiting"), routee.track_messages()

    await press(window, "Drop after acting", "The next request")  # as the page is: sending is meant, and not the token before it
    with pytest.raises(OutcomeUnknown):
        await routee.send_campaign(CAMPAIGN)
    assert (len(sandbox.campaigns), sandbox.requests[-1].fault) == (1, "dropped after acting")

    await path.select_option("Any request")
    await press(window, "Answer 429", "The next request", retry_after="1")
    await routee.with_options(retry=Retry(attempts=2)).track_messages().first()
    assert [request.status for request in sandbox.requests][-2:] == [429, 200]

    await path.select_option("/voice/campaign")
    await press(window, "Drop before acting", "The next request")
    await tracked.first()  # is not meant
    with pytest.raises(OutcomeUnknown):
        await routee.send_campaign(CAMPAIGN)
    assert len(sandbox.campaigns) == 1

    await path.select_option("/voice/tracking")
    await press(window, "Cut the body", "The next 2 requests", times="2")
    await expect(waiting).to_have_text("Next 2: answer cut in its body, /voice/tracking")
    for _ in range(2):
        with pytest.raises(ConnectionLost):
            await tracked.first()
    await press(window, "HTML from a proxy", "The next request", times="1")
    with pytest.raises(ServerFailed, match="502"):
        await tracked.first()

    await press(window, "Slow answers", "slow now", seconds="30")
    with pytest.raises(DeadlineExceeded):
        await routee.with_options(deadline=0.2).track_messages().first()
    await press(window, "Cap the page size", "at most now", size="10")
    await expect(waiting.get_by_role("listitem")).to_have_text(["Slow by 30 s, /voice/tracking", "Pages of 10 at most"])
    await press(window, "Clear them all", "No fault")
    await expect(waiting).to_contain_text("None")
    await tracked.first()
    assert complaints(window, sandbox) == []


async def test_lists_change_and_tokens_end_at_a_button(sandbox: Sandbox, routee: RouteeSession, chromium: Chromium) -> None:
    window = await chromium.open(sandbox.page_url, until=LIVE)
    for name, told, repeated, left in (("Grow", "came", 4, 504), ("Shrink", "went", 0, 500)):
        async with routee.track_messages(page_size=100).walk() as walk:
            async for _ in walk:
                if walk.report.items == 1:
                    await press(window, name, f"4 messages {told}", count="4")
        assert (walk.report.duplicates, walk.report.complete, len(sandbox.messages)) == (repeated, False, left)

    await press(window, "Cap the page size", "at most now", size="10")
    async for page in routee.track_messages(page_size=100).pages():
        assert len(page.items) == 10
        break
    await press(window, "Expire tokens", "expired")
    await routee.track_messages().first()
    assert [(request.path, request.status) for request in sandbox.requests][-3:] == [
        ("/voice/tracking", 401),
        ("/oauth/token", 200),
        ("/voice/tracking", 200),
    ]


async def test_what_is_sent_is_seen_as_it_goes_and_can_be_found(sandbox: Sandbox, routee: RouteeSession, chromium: Chromium) -> None:
    """A campaign comes, moves and ends under the eyes of somebody who only looks; then its request, a message and a callback are opened."""
    window = await chromium.open(sandbox.page_url, until=LIVE)
    page = window.page
    await expect(page.get_by_text("Nothing was sent yet.")).to_be_visible()
    await routee.send_campaign(CAMPAIGN)
    row = page.get_by_role("link", name="Spring sale")
    await expect(row).to_contain_text("of 9 calls over")
    await row.focus()
    await expect(row).to_contain_text("Finished")
    await expect(row).to_contain_text("9 of 9")
    await expect(row).to_be_focused()

    await page.get_by_role("link", name="Requests").click()
    await page.get_by_role("link", name="POST /voice/campaign").click()
    await expect(page.locator("main")).to_contain_text("Authorization***")
    await expect(page.locator("main pre")).to_contain_text("http://127.0.0.1:9/hook/***")
    shown = await page.content()
    assert [secret for secret in (*sandbox.credentials, sandbox.requests[-1].headers["Authorization"].split()[1]) if secret in shown] == []

    await page.get_by_role("link", name="Callbacks").click()
    await expect(page.get_by_role("link", name="not received").first).to_contain_text("ClientConnectorError")
    await page.get_by_role("link", name="Messages").click()
    await expect(page.locator(".rows li")).to_have_count(50)
    await page.get_by_role("link", name="Older").click()
    await expect(page.locator(".pages")).to_contain_text("51 to 100 of 509")
    await page.get_by_label("Search").press_sequentially("+306900000007")
    await expect(page.locator(".rows li")).to_have_count(1)
    await expect(page.get_by_label("Search")).to_be_focused()
    await page.get_by_role("link", name="+306900000007").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Message to +306900000007")
    await expect(page.get_by_text("Hello, it is <b>spring</b>", exact=True)).to_be_visible()
    assert complaints(window, sandbox) == []


@pytest.mark.parametrize("size", [(1280, 600), PHONE])
async def test_a_button_stays_where_it_is_when_it_is_pressed(
    sandbox: Sandbox, routee: RouteeSession, chromium: Chromium, size: tuple[int, int]
) -> None:
    """A second click hits the same one; and what was said goes once the fault is used up."""
    window = await chromium.open(f"{sandbox.page_url}#/faults", size=size, until=LIVE)
    waiting, said = window.page.locator("#waiting"), window.page.locator("#said")
    await expect(waiting).to_contain_text("None")
    before = await window.page.locator(".levers button").evaluate_all(PLACES)
    for number in range(1, 5):
        await press(window, "Drop before acting", "The next")
        await expect(waiting).to_contain_text(f"Next {number}:" if number > 1 else "Next:")
        await press(window, "Cap the page size", "at most now", size="10")
        assert await window.page.locator(".levers button").evaluate_all(PLACES) == before
    sandbox.clear_faults()
    await press(window, "Drop before acting", "The next request fails so.")
    with pytest.raises(OutcomeUnknown):
        await routee.send_campaign(CAMPAIGN)
    await expect(waiting).to_contain_text("None")
    await expect(said).to_be_empty()


async def test_the_keyboard_alone_is_enough(sandbox: Sandbox, routee: RouteeSession, chromium: Chromium) -> None:
    await routee.track_messages().first()
    window = await chromium.open(sandbox.page_url, until=LIVE)
    page, focused = window.page, window.page.locator(":focus")

    async def tab_to(name: str) -> None:
        for _ in range(40):
            await page.keyboard.press("Tab")
            if name in (await focused.inner_text() if await focused.count() else ""):
                return
        pytest.fail(f"no way to {name}")

    await page.keyboard.press("Tab")
    await expect(focused).to_have_text("Skip to the content")
    await page.keyboard.press("Enter")
    await expect(focused).to_have_id("main")
    await tab_to("Requests")
    await page.keyboard.press("Enter")
    await expect(focused).to_have_text("Requests")
    assert await focused.evaluate("element => element.tagName") == "H1"
    await tab_to("/oauth/token")
    await page.keyboard.press("Enter")
    await expect(focused).to_have_text("POST /oauth/token")
    await tab_to("Drop after acting")
    await page.keyboard.press("Space")
    await expect(page.get_by_role("status").filter(has_text="The next request fails so.")).to_be_visible()
    await tab_to("Clear them all")
    await page.keyboard.press("Enter")
    await expect(focused).to_have_text("Faults")


async def test_what_the_desk_refuses_is_not_taken_for_its_end(sandbox: Sandbox, chromium: Chromium) -> None:
    """An address typed by hand, and then a link."""
    window = await chromium.open(f"{sandbox.page_url}#/messages?offset=-1", until="#life[data-life=refused]")
    life, heading = window.page.locator("#life"), window.page.get_by_role("heading", level=1)
    await expect(life).to_have_text("Refused: offset is to be 0 or more, limit 1 to 500")
    for typed in ("#/messages/100%", "#/constructor"):
        await window.page.goto(sandbox.page_url + typed)
        await expect(life).to_have_text("Live")
        await expect(heading).to_have_text({"#/constructor": "Campaigns"}.get(typed, "Messages"))
    assert [complaint for complaint in window.complaints if complaint.startswith("exception")] == []


async def test_every_view_is_for_everybody(sandbox: Sandbox, routee: RouteeSession, chromium: Chromium) -> None:
    """Each view once: every other one on a phone and in the dark."""
    sandbox.fail_next(drop="after_acting", path="/voice/campaign")
    with pytest.raises(OutcomeUnknown):
        await routee.send_campaign(CAMPAIGN)
    sandbox.fail_next(status=429, retry_after=1)
    (campaign,) = sandbox.campaigns
    one = {"campaigns": campaign.tracking_id, "messages": campaign.messages[0]["messageId"], "requests": 2, "callbacks": 1}
    views = ["faults", "messages?search=nobody", *one, *(f"{kind}/{key}" for kind, key in one.items())]
    windows = [await chromium.open(sandbox.page_url, size=size, dark=dark, until=LIVE) for size, dark in ((DESK, False), (PHONE, True))]
    for window, view in zip(cycle(windows), views, strict=False):
        await window.page.goto(f"{sandbox.page_url}#/{view}")
        await window.page.locator("main .row, main .facts, main .empty:visible").first.wait_for(state="attached")
        assert (view, await window.barriers(), await window.sideways()) == (view, [], 0)
    assert [complaints(window, sandbox) for window in windows] == [[], []]
