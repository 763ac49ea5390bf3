"""One HTML file around the figures. It asks nobody for anything, and its own policy would not let it."""

from base64 import b64encode
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from html import escape
from pathlib import Path
from typing import Final

from voicedrop_async.report._charts import FONT, HALF, NARROW, NOTHING, WIDE, drawn
from voicedrop_async.report._colours import dark, fills, light, plain_fills
from voicedrop_async.report._figures import OVER_TIME, REASONS, Figure, Figures, moment
from voicedrop_async.report._tally import Failure

_STYLE: Final = Path(__file__).with_name("page.css")
_FAILURES: Final = ("When (UTC)", "Recipient", "Country", "Status", "Reason", "Message id")


def page_of(title: str, figures: Figures) -> bytes:
    """Return the page."""
    style = _style()
    digest = b64encode(sha256(style.encode()).digest()).decode()
    return f"""\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'sha256-{digest}'; img-src data:; form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{escape(title)}</title>
<link rel="icon" href="data:,">
<style>{style}</style>
</head>
<body>
<svg class="patterns" width="0" height="0" aria-hidden="true">{fills()}</svg>
<main>
<h1 dir="auto">{escape(title)}</h1>
{_standing(figures)}
{_headlines(figures)}
<div class="figures">
{"".join(map(_figure, figures.figures))}
</div>
{_failures(figures.failures, figures.unlisted)}
</main>
<footer>Made with voicedrop_async on {moment(datetime.now(UTC))} UTC. This file needs no network and asks nobody for anything.</footer>
</body>
</html>
""".encode()


def _style() -> str:
    """Return the style: the colours, and the rest from its file."""
    return (
        f":root{{--font:{FONT};{light()}}}\n@media screen and (prefers-color-scheme:dark){{:root{{{dark()}}}}}\n"
        f"@media print{{{plain_fills()}}}\n{_STYLE.read_text('utf-8')}"
    )


def _standing(figures: Figures) -> str:
    """Return what is known of the list: whether it was all there."""
    if figures.doubts:
        facts = "".join(f"<li>{escape(fact)}</li>" for fact in figures.doubts)
        return f'<div class="doubts" role="note"><p><strong>{escape(figures.standing)}</strong></p><ul>{facts}</ul></div>'
    return f'<p class="standing">{escape(figures.standing)}</p>'


def _headlines(figures: Figures) -> str:
    ones = "".join(
        f'<div><dt>{escape(one.label)}</dt><dd class="value">{escape(one.value)}</dd><dd>{escape(one.detail)}</dd></div>'
        for one in figures.headlines
    )
    return f'<dl class="headlines">{ones}</dl>'


def _figure(figure: Figure) -> str:
    across = figure.key == OVER_TIME
    return f"""
<section class="card{" across" if across else ""}" id="{figure.key}" aria-labelledby="{figure.key}-title">
<h2 id="{figure.key}-title">{escape(figure.title)}</h2>
<p class="note">{escape(figure.note)}</p>
{_chart(figure, WIDE if across else HALF, "wide")}
{_chart(figure, NARROW, "narrow") if figure.marks else ""}
<details><summary>Numbers<span class="unseen"> of {escape(figure.title)}</span></summary>
{_table(figure.title, figure.head, figure.rows, figure.total)}
</details>
</section>"""


def _chart(figure: Figure, width: int, name: str) -> str:
    svg = drawn(figure, width)
    if not svg:
        return f'<p class="note">{NOTHING}</p>'
    label = escape(f"Chart: {figure.title}. Its numbers are in the table that follows.")
    image = svg.replace("<svg ", f'<svg role="img" aria-label="{label}" ', 1)
    return f'<div class="chart {name}">{image}</div>'


def _table(caption: str, head: Sequence[str], rows: Iterable[Sequence[str]], total: Sequence[str] = ()) -> str:
    heads = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in head)
    foot = f"<tfoot><tr>{_cells(total)}</tr></tfoot>" if total else ""
    body = "".join(f"<tr>{_cells(row)}</tr>" for row in rows)
    return f"""<div class="scroll" role="region" tabindex="0" aria-label="Table: {escape(caption)}">
<table><thead><tr>{heads}</tr></thead><tbody>{body}</tbody>{foot}</table></div>"""


def _cells(row: Sequence[str]) -> str:
    first, *others = row
    return f'<th scope="row"><bdi>{escape(first)}</bdi></th>' + "".join(f"<td><bdi>{escape(cell)}</bdi></td>" for cell in others)


def _failures(failures: Sequence[Failure], unlisted: int) -> str:
    if not failures:
        return ""
    rest = f" The newest {len(failures):,} are listed; {unlisted:,} older ones are in the numbers above only." if unlisted else ""
    rows = [
        (moment(one.moment), one.recipient, one.country, one.status, f"{REASONS[one.status]} {one.reason}".strip(), one.message_id)
        for one in failures
    ]
    return f"""
<section class="card" id="failures" aria-labelledby="failures-title">
<h2 id="failures-title">Failures, one by one</h2>
<p class="note">Calls that ended otherwise than completed.{rest} Recipients are masked; the id finds the message.</p>
<details open class="long"><summary>{len(failures):,} failures, newest first</summary>
{_table("Failures", _FAILURES, rows)}
</details>
</section>"""
