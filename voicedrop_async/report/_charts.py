"""Figures as charts, drawn by Vega-Lite through vl-convert: SVG that needs no script and nothing from outside."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from html import escape
from textwrap import wrap
from typing import Any, Final
from unicodedata import east_asian_width

from voicedrop_async.errors import ConfigError
from voicedrop_async.report._colours import fills, in_light
from voicedrop_async.report._figures import OVER_TIME, Figure, Figures, Mark, fill_of
from voicedrop_async.report._tally import KINDS

FONT: Final = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', sans-serif"
WIDE, HALF, NARROW = 980, 452, 296
"""Pixels: across the page, half of it, and a telephone."""

_CONFIG: Final[Mapping[str, Any]] = {
    "aria": False,
    "background": None,
    "font": FONT,
    "view": {"stroke": None},
    "text": {"color": "var(--ink)", "fontSize": 12},
    "axis": {
        "labelColor": "var(--muted)",
        "labelFontSize": 12,
        "gridColor": "var(--line)",
        "domainColor": "var(--line)",
        "tickColor": "var(--line)",
    },
    "legend": {"labelColor": "var(--ink)", "labelFontSize": 12, "symbolType": "square", "symbolSize": 180, "symbolStrokeWidth": 0},
}
NOTHING: Final = "Nothing to draw."
_MARGIN: Final = 40
_LETTER: Final = 8.0
"""Pixels of a letter or a digit, generously."""
_LABELS: Final = 0.38
"""Of the width, at most."""
_TITLE, _WIDE_TITLE = 52, 34
"""Letters in a line of the picture's title; fewer of those that are as wide as they are high."""
_ROLES: Final = re.compile(r' (?:role="graphics-[a-z]+"|aria-roledescription="[a-z ]+"|aria-hidden="true")')
"""What Vega says of each part, though a chart is one image here, with a text of its own."""
_DAY_MS: Final = 86_400_000
_HEIGHT: Final = re.compile(r'<svg [^>]*?height="([\d.]+)"')


def check_drawing() -> None:
    """Refuse to begin what could not be ended without the extra."""
    try:
        import vl_convert
    except ModuleNotFoundError:
        raise ConfigError('report: this needs vl-convert-python; install it: python -m pip install "voicedrop-async[report]"') from None
    del vl_convert


def drawn(figure: Figure, width: int) -> str:
    """Return a figure as SVG of that many pixels; empty if there is nothing to draw."""
    import vl_convert

    if not figure.marks:
        return ""
    spec = (_in_time if figure.key == OVER_TIME else _bars)(figure.marks, width)
    svg: str = vl_convert.vegalite_to_svg({"width": width, "padding": 2, "config": _CONFIG, **spec}, allowed_base_urls=[])
    return _ROLES.sub("", svg)


def picture(title: str, figures: Figures) -> bytes:
    """Return the same figures as one PNG, twice as fine as its 1,060 pixels of width."""
    import vl_convert

    lines = wrap(title, _WIDE_TITLE if any(east_asian_width(letter) in "FW" for letter in title) else _TITLE)
    parts = [_text(line, _MARGIN, 62 + 34 * place, size=26, weight=600) for place, line in enumerate(lines)]
    y = 62.0 + 34 * max(len(lines), 1)
    for start in range(0, len(figures.headlines), 4):
        for column, headline in enumerate(figures.headlines[start : start + 4]):
            x = _MARGIN + column * WIDE / 4
            parts.append(_text(headline.label, x, y, size=13, fill="muted"))
            parts.append(_text(headline.value, x, y + 26, size=22, weight=600))
        y += 64
    parts.append(_text(figures.standing, _MARGIN, y, size=14, fill="warn" if figures.doubts else "muted"))
    y += 40
    ends = [y, y]
    for figure in figures.figures:
        across = figure.key == OVER_TIME
        column = 0 if across or ends[0] <= ends[1] else 1
        end = _place(figure, _MARGIN + column * (WIDE - HALF), max(ends) if across else ends[column], parts)
        ends[column] = end
        if across:
            ends = [end, end]
    size = f'width="{WIDE + 2 * _MARGIN}" height="{max(ends):.0f}"'
    ground = '<rect width="100%" height="100%" fill="var(--card)"/>'
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="{escape(FONT)}">{fills()}{ground}{"".join(parts)}</svg>'
    png: bytes = vl_convert.svg_to_png(in_light(svg), scale=2)
    return png


def _place(figure: Figure, x: float, y: float, parts: list[str]) -> float:
    """Add a figure with its title; return where it ends."""
    parts.append(_text(figure.title, x, y + 16, size=17, weight=600))
    svg = drawn(figure, WIDE if figure.key == OVER_TIME else HALF)
    if not svg:
        parts.append(_text(NOTHING, x, y + 44, size=13, fill="muted"))
        return y + 90
    parts.append(svg.replace("<svg ", f'<svg x="{x:g}" y="{y + 28:g}" ', 1))
    height = _HEIGHT.search(svg)
    return y + 68 + (float(height[1]) if height else 0.0)


def _text(text: str, x: float, y: float, *, size: int, fill: str = "ink", weight: int = 400) -> str:
    return f'<text x="{x:g}" y="{y:g}" font-size="{size}" font-weight="{weight}" fill="var(--{fill})">{escape(text)}</text>'


def _bars(marks: Sequence[Mark], width: int) -> dict[str, Any]:
    """Return horizontal bars, each with its label before it and its number behind it."""
    values = [
        {"label": mark.label, "text": mark.text, "high": mark.high, "edge": max(mark.high, 0.0), "fill": _url(mark.fill)} for mark in marks
    ]
    least, most = min(0.0, *(mark.high for mark in marks)), max(0.0, *(mark.high for mark in marks))
    # A reader's letters can be wider than those that Vega measures with: labels get room for that, and so do the numbers.
    spare = 0.2 * min(_LETTER * max(len(mark.label) for mark in marks), _LABELS * width)
    before, behind = 6 * spare + 12, _LETTER * max(len(mark.text) for mark in marks) + 12
    reach = most * (width - before) / max(width - before - behind, 40)
    axis = {"title": None, "domain": False, "ticks": False, "labelPadding": 8, "labelLimit": _LABELS * width, "labelColor": "var(--ink)"}
    across = {"type": "quantitative", "axis": None, "scale": {"domain": [least, reach or 1]}}
    return {
        "autosize": {"type": "fit-x", "contains": "padding"},
        "padding": {"left": 2 + spare, "right": 2, "top": 2, "bottom": 2},
        "height": {"step": 27},
        "data": {"values": values},
        "encoding": {
            "y": {"field": "label", "type": "nominal", "sort": None, "axis": axis},
            "x": {"field": "high", **across},
        },
        "layer": [
            {
                "mark": {"type": "bar", "height": {"band": 0.66}},
                "encoding": {"fill": {"field": "fill", "type": "nominal", "scale": None}},
            },
            {"mark": {"type": "text", "align": "left", "dx": 7}, "encoding": {"text": {"field": "text"}, "x": {"field": "edge", **across}}},
        ],
    }


def _in_time(marks: Sequence[Mark], width: int) -> dict[str, Any]:
    """Return stacked bars in time."""
    values = [
        {"kind": mark.label, "low": mark.low, "high": mark.high, "start": _moment(mark.start), "end": _moment(mark.end)} for mark in marks
    ]
    kinds = [kind for kind in KINDS if any(mark.label == kind for mark in marks)]
    narrow = width == NARROW
    legend = {"title": None, "orient": "top", "columns": 2 if narrow else len(kinds), "columnPadding": 18, "offset": 10}
    return {
        "autosize": {"type": "fit-x", "contains": "padding"},
        "height": 180 if narrow else 240,
        "data": {"values": values},
        "mark": {"type": "rect", "stroke": "var(--card)", "strokeWidth": 0.6},
        "encoding": {
            "x": {
                "field": "start",
                "type": "temporal",
                "scale": {"type": "utc", "nice": False},
                "axis": {"title": None, "grid": False, "labelExpr": _label(marks), "tickCount": 4 if narrow else 9, "labelOverlap": True},
            },
            "x2": {"field": "end"},
            "y": {"field": "low", "type": "quantitative", "axis": {"title": None, "format": "~s", "tickCount": 4, "domain": False}},
            "y2": {"field": "high"},
            "fill": {
                "field": "kind",
                "type": "nominal",
                "legend": legend,
                "scale": {"domain": kinds, "range": [_url(fill_of(kind)) for kind in kinds]},
            },
        },
    }


def _label(marks: Sequence[Mark]) -> str:
    """Return how moments are written below the bars, in Vega's language: by how far they lie apart, and with the hour inside a day."""
    starts = [mark.start for mark in marks if mark.start is not None]
    days = (max(starts) - min(starts)).days
    date = "%-d %b" if days < 300 else "%b %Y" if days < 5_000 else "%Y"
    return f"utcFormat(datum.value, datum.value % {_DAY_MS} ? '%H:%M' : '{date}')"


def _moment(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def _url(fill: str) -> str:
    return f"url(#fill-{fill})"
