"""The colours, each in light, in which paper is printed too, and in dark; and the patterns that go with those of a chart.

A chart names its fills and knows no colour: the page says what they are, and the picture is filled in before it is drawn.
"""

import re
from collections.abc import Mapping
from typing import Final

_COLOURS: Final[Mapping[str, tuple[str, str]]] = {
    "ink": ("#1c2430", "#e8ebf0"),
    "muted": ("#566172", "#a4afbd"),
    "line": ("#dfe3e8", "#343c48"),
    "page": ("#f6f7f9", "#12161c"),
    "card": ("#ffffff", "#1b2028"),
    "accent": ("#1f62ab", "#7db8f5"),
    "warn": ("#8a4b00", "#f0b35a"),
    "plain": ("#3b7a8f", "#6fb1c6"),
    "completed": ("#2a6fbb", "#5fa3ea"),
    "no-answer": ("#c27100", "#e8a33d"),
    "busy": ("#8a5fb5", "#b79ae0"),
    "failed": ("#c8322b", "#f0766a"),
    "no-balance": ("#7a1f4d", "#dd7fa8"),
    "under-way": ("#23857b", "#55bfb2"),
    "other": ("#76808d", "#98a2ae"),
}
_STROKES: Final[Mapping[str, str]] = {
    "plain": "",
    "completed": "",
    "no-answer": "M-2,2l4,-4M0,8l8,-8M6,10l4,-4",
    "busy": "M1,2h2M5,6h2",
    "failed": "M0,0l8,8M8,0l-8,8",
    "no-balance": "M0,2h8M0,6h8",
    "under-way": "M2,0v8M6,0v8",
    "other": "M-2,6l4,4M0,0l8,8M6,-2l4,4",
}
"""Over the colour of each fill, so that no two are told apart by colour alone."""
_TAG: Final = re.compile(r"<[^<>]*>")
_NAME: Final = re.compile(r'="var\(--([a-z-]+)\)"')
"""As the value of an attribute: what a title or a label says is left as it is."""


def light() -> str:
    """Return what the names mean, as declarations of a style."""
    return ";".join(f"--{name}:{colour}" for name, (colour, _) in _COLOURS.items())


def dark() -> str:
    """Return the same in the dark."""
    return ";".join(f"--{name}:{colour}" for name, (_, colour) in _COLOURS.items())


def plain_fills() -> str:
    """Return rules that leave the patterns out: a browser that prints to a file writes each of them there as an image."""
    return "".join(f'.chart [fill="url(#fill-{name})"]{{fill:var(--{name})}}' for name in _STROKES)


def in_light(svg: str) -> str:
    """Return a drawing with colours in place of their names."""
    return _TAG.sub(lambda tag: _NAME.sub(lambda name: f'="{_COLOURS[name[1]][0]}"', tag[0]), svg)


def fills() -> str:
    """Return the patterns that charts are filled with."""
    return f"<defs>{''.join(map(_pattern, _STROKES))}</defs>"


def _pattern(name: str) -> str:
    strokes = _STROKES[name]
    over = f'<path d="{strokes}" fill="none" stroke="var(--card)" stroke-width="1.2" stroke-opacity="0.6"/>' if strokes else ""
    return (
        f'<pattern id="fill-{name}" width="8" height="8" patternUnits="userSpaceOnUse">'
        f'<rect width="8" height="8" fill="var(--{name})"/>{over}</pattern>'
    )
