"""The browser that looks at our pages sees what a bad page does: no test of a page says that all is well because it saw nothing."""

from pathlib import Path

from browser import PHONE, Chromium

_BAD = """<!doctype html><html><title></title><body style="width: 900px">
<img src="http://127.0.0.1:9/picture.png"><button></button>
<script>console.error("a complaint"); null.fails</script>"""


async def test_a_bad_page_is_seen_to_be_one(chromium: Chromium, tmp_path: Path) -> None:
    page = tmp_path / "bad.html"
    page.write_text(_BAD)
    window = await chromium.open(page.as_uri(), size=PHONE)
    assert "http://127.0.0.1:9/picture.png" in window.asked
    assert "error: a complaint" in window.complaints
    assert any(told.startswith("exception: ") for told in window.complaints)
    assert "failed: http://127.0.0.1:9/picture.png" in window.complaints
    found = await window.barriers()
    assert {"button-name", "image-alt", "document-title"} <= {one.partition(":")[0] for one in found}
    assert await window.sideways() > 500


async def test_a_good_page_is_seen_to_be_one(chromium: Chromium, tmp_path: Path) -> None:
    page = tmp_path / "good.html"
    page.write_text('<!doctype html><html lang="en"><title>Good</title><main><h1>Good</h1></main>')
    window = await chromium.open(page.as_uri(), dark=True)
    assert window.asked == [page.as_uri()]
    assert (window.complaints, await window.barriers(), await window.sideways()) == ([], [], 0)
    assert await window.page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
