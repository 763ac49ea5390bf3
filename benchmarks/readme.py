"""Write the tables of the README's "What it costs" out of ``figures.json``, so that the two cannot say different things.

    python benchmarks/readme.py

``nox -s bench -- --keep`` does it too.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

from figures import GOALS, SIZES, Goal, Spread
from kept import COMMITTED, latest, load

README = Path(__file__).parents[1] / "README.md"
WALKERS: Mapping[str, str] = {
    "ours by item": "this library, message by message",
    "ours by item, 8 ahead": "the same, `prefetch=8`",
    "dictionaries": "aiohttp and orjson, dictionaries",
    "dictionaries, 8 at once": "the same, 8 at once",
    "by hand with cattrs": "aiohttp, orjson and cattrs by hand",
    "httpx and pydantic": "httpx and pydantic",
    "openai": "openai",
    "azure": "azure-core",
    "twilio": "twilio",
    "dlt": "dlt",
    "floor, 8 at once": "read and thrown away, 8 at once",
}
"""What the README calls them."""


def rates(figures: Mapping[str, Spread]) -> Iterator[str]:
    """Yield the lines of the table of walks: thousands of messages a second."""
    yield "| 100,000 messages | " + " | ".join(f"pages of {size:,}" for size in SIZES) + " |"
    yield "|---|" + "---|" * len(SIZES)
    for name, called in WALKERS.items():
        yield f"| {called} | " + " | ".join(f"{figures[f'walk 0 ms, {size}: {name}: rate'].middle / 1000:,.0f}" for size in SIZES) + " |"


def goals(figures: Mapping[str, Spread]) -> Iterator[str]:
    """Yield the lines of the table of figures, each beside its goal."""
    yield "| figure | what it is | median (range) | goal | |"
    yield "|---|---|---|---|---|"
    yield from (_line(goal, figures[goal.name]) for goal in GOALS if goal.name in figures)


def _line(goal: Goal, measured: Spread) -> str:
    bound = f"{'at least' if goal.least else 'at most'} {goal.limit:g}"
    return f"| {goal.name} | {goal.what} | {measured} | {bound} | {'held' if goal.held(measured.middle) else 'missed'} |"


def written(text: str, figures: Mapping[str, Spread]) -> str:
    """Return the README with its two tables as these figures say them: each from its first line to the next empty one."""
    for table in (list(rates(figures)), list(goals(figures))):
        before, found, behind = text.partition(f"\n{table[0]}\n")
        if not found:
            raise SystemExit(f"the README has no table that begins with {table[0]}")
        text = "\n".join([before, *table]) + "\n\n" + behind.partition("\n\n")[2]
    return text


def main() -> None:
    """Write it."""
    figures = {name: was for name, (_, was) in latest(load(COMMITTED)).items()}
    README.write_text(written(README.read_text(), figures))


if __name__ == "__main__":
    main()
