"""Chromium without a window, and what a page did in it: what it asked for, what it complained of, what axe-core found."""

import os
import shutil
from typing import Any, Final, Self

from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page, Playwright, async_playwright

DESK: Final = (1280, 900)
PHONE: Final = (360, 740)
_AXE: Final = {"resultTypes": ["violations"]}  # in half the time: what is in order is not described
_NAMES: Final = ("chromium", "chromium-browser", "google-chrome")


class Window:
    """One page, from its first request on."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.asked: list[str] = []
        """Addresses of every request, in their order; what the page holds in itself (``data:``, ``blob:``) is none."""
        self.complaints: list[str] = []
        """Errors and warnings of the console, exceptions, and requests that failed."""
        page.on("request", lambda request: request.url.startswith(("data:", "blob:")) or self.asked.append(request.url))
        page.on("console", lambda said: said.type in {"error", "warning"} and self.complaints.append(f"{said.type}: {said.text}"))
        page.on("pageerror", lambda error: self.complaints.append(f"exception: {error}"))
        page.on("requestfailed", lambda request: self.complaints.append(f"failed: {request.url}"))

    async def barriers(self) -> list[str]:
        """Return what axe-core calls serious or critical, a line each, with the first place of it."""
        found: list[dict[str, Any]] = (await Axe().run(self.page, options=_AXE)).response["violations"]
        grave = [one for one in found if one["impact"] in {"serious", "critical"}]
        return [f"{one['id']}: {one['help']} ({len(one['nodes'])}; {one['nodes'][0]['html'][:200]})" for one in grave]

    async def sideways(self) -> int:
        """Return how many pixels the page is wider than the window."""
        width: int = await self.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        return max(0, width)


class Chromium:
    """A browser that opens windows; all of them are gone with it. Where there is none installed, the test fails."""

    def __init__(self) -> None:
        self._playwright: Playwright | None = None
        self._browser: Browser | None = None

    async def __aenter__(self) -> Self:
        program = next(filter(None, map(shutil.which, _NAMES)), None)
        assert program is not None, "no Chromium is installed: apt-get install chromium"
        self._playwright = await async_playwright().start()
        # A sandbox inside a container that runs as root does not start; the pages here are our own.
        rootless = [] if os.geteuid() else ["--no-sandbox"]
        self._browser = await self._playwright.chromium.launch(executable_path=program, args=rootless)
        return self

    async def __aexit__(self, *of_error: object) -> None:
        if self._browser is not None:
            await self._browser.close()
        if self._playwright is not None:
            await self._playwright.stop()

    async def open(self, url: str, *, size: tuple[int, int] = DESK, dark: bool = False, until: str | None = None) -> Window:
        """Open an address in a window of its own, without cookies or cache, and wait until it has loaded.

        Args:
            url: ``http:`` on loopback, or ``file:``.
            size: Width and height, in pixels.
            dark: What the person prefers.
            until: A selector to wait for, of what a script has to make first.
        """
        assert self._browser is not None
        width, height = size
        context = await self._browser.new_context(
            viewport={"width": width, "height": height}, color_scheme="dark" if dark else "light", timezone_id="UTC", locale="en-GB"
        )
        window = Window(await context.new_page())
        await window.page.goto(url)
        if until is not None:
            await window.page.wait_for_selector(until)
        return window
