"""What earlier runs measured, as ``figures.json`` keeps it: each figure as of the last run that was kept and had it.

Nothing is kept of itself: ``nox -s bench -- --keep`` writes the file, and whoever commits it has looked at it.
"""

import json
import os
import platform
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from figures import GOALS, Goal, Results, Spread

COMMITTED = Path(__file__).with_name("figures.json")
NOISE = 0.05
"""Share of a figure, or of its goal where that is more, by which it may get worse before that is said."""
RULE = f"""WORSE: the median is worse by more than {NOISE:.0%} of it or of its goal (E2: by 5 MiB), and each of the two medians lies
outside the range of the other.
Ratios and counts compare across machines. Times (~) do not: they are compared with a run on the same machine only."""


@dataclass(frozen=True)
class Run:
    """When, where and how it was measured, and what."""

    date: str
    commit: str
    machine: str
    python: str
    libraries: str
    rounds: int
    figures: Mapping[str, Spread]

    @classmethod
    def here(cls, rounds: int) -> "Run":
        """Return one that begins now, on this machine."""
        libraries = ", ".join(f"{name} {version(name)}" for name in ("aiohttp", "attrs", "cattrs", "msgspec", "orjson"))
        return cls(f"{datetime.now(UTC):%Y-%m-%d}", _commit(), _machine(), platform.python_version(), libraries, rounds, {})

    def __str__(self) -> str:
        return f"{self.date}, commit {self.commit}, {self.machine}, Python {self.python}, {self.libraries}; rounds: {self.rounds}"


def load(path: Path) -> list[Run]:
    """Return the runs of a file, the oldest first; none where there is no file."""
    if not path.exists():
        return []
    runs: list[dict[str, Any]] = json.loads(path.read_text())["runs"]
    return [Run(**run | {"figures": {name: Spread(*three) for name, three in run["figures"].items()}}) for run in runs]


def keep(path: Path, run: Run) -> None:
    """Add a run to a file. What it measured is no longer that of the runs before it; a run of which nothing is left goes."""
    earlier = [replace(one, figures={name: was for name, was in one.figures.items() if name not in run.figures}) for one in load(path)]
    told = ",\n".join(_json(one) for one in (*earlier, run) if one.figures)
    path.write_text(f'{{"runs": [\n{told}\n]}}\n')


def _json(run: Run) -> str:
    """Write a run with one line for each figure, so that a commit shows which ones changed; four digits are more than is known."""
    about = json.dumps(asdict(replace(run, figures={})), indent=1)
    lines = [f"  {json.dumps(name)}: [{was.middle:.4g}, {was.low:.4g}, {was.high:.4g}]" for name, was in run.figures.items()]
    return about.replace('"figures": {}', '"figures": {\n' + ",\n".join(lines) + "\n }")


def latest(runs: Iterable[Run]) -> dict[str, tuple[Run, Spread]]:
    """Return each figure with the run it is of."""
    return {name: (run, was) for run in runs for name, was in run.figures.items()}


def show(results: Results, now: Run, earlier: list[Run] | None) -> None:
    """Print each figure beside its goal, and beside what was kept of it; then, loudly, what got worse. None: nothing is compared."""
    before, missed, head = latest(earlier or []), results.missed(), f"{'last kept':<28} {'change':<15} "
    measured = [(goal, results.figures[goal.name]) for goal in GOALS if goal.name in results.figures]
    print(f"\n{'figure':<18} {'median (min-max)':<24} {'goal':>8}   {'':<7} {head if earlier else ''}what it is")
    for goal, figure in measured:
        bound = f"{'>=' if goal.least else '<='} {goal.limit:g}"
        then = _beside(goal, figure, now, *before[goal.name], runs=earlier) if earlier and goal.name in before else " " * len(head)
        beside = then if earlier else ""
        print(f"{goal.name:<18} {figure!s:<24} {bound:>8}   {'MISSED' if goal in missed else 'held':<7} {beside}{goal.what}")
    print(f"{len(measured) - len(missed)} held, {len(missed)} missed, {len(GOALS) - len(measured)} not measured")
    if earlier:
        _compared(results, now, earlier)


def _beside(goal: Goal, figure: Spread, now: Run, run: Run, was: Spread, *, runs: list[Run]) -> str:
    if goal.clock and run.machine != now.machine:
        change = "other machine"
    elif min(figure.middle, was.middle) > 0:
        change = f"x {figure.middle / was.middle:.2f}{' WORSE' if is_worse(goal, figure, was) else ''}"
    else:
        change = f"{figure.middle - was.middle:+.2f}{' WORSE' if is_worse(goal, figure, was) else ''}"
    return f"{was!s:<21} {'~' if goal.clock else ' '} [{runs.index(run) + 1}] {change:<15} "


def is_worse(goal: Goal, measured: Spread, was: Spread) -> bool:
    """Return whether a figure got worse by more than noise explains."""
    by = was.middle - measured.middle if goal.least else measured.middle - was.middle
    return by > max(NOISE * abs(was.middle), NOISE * goal.limit, goal.noise) and measured.apart(was)


def _compared(results: Results, now: Run, runs: list[Run]) -> None:
    """Print what the marks mean, what is apart of that which has no goal, and what got worse."""
    beside = [f"[{number}] {run}" for number, run in enumerate(runs, 1) if not run.figures.keys().isdisjoint(results.figures)]
    print("\nlast kept:", *beside, sep="\n    ")
    print(f"now {now}\n{RULE}")
    goals, worse = {goal.name: goal for goal in GOALS}, list[str]()
    for name, (run, was) in latest(runs).items():
        measured, goal, same = results.figures.get(name), goals.get(name), run.machine == now.machine
        if measured is None or (not same and (goal is None or goal.clock)):
            continue
        if goal is None and measured.apart(was) and abs(measured.middle - was.middle) > NOISE * abs(was.middle):
            print(f"apart: {name:<52} {measured!s:<24} then {was}")
        elif goal is not None and is_worse(goal, measured, was):
            worse.append(f"  {name}: {measured}, last kept {was}: {goal.what}")
    print(
        "\n".join(["!!! WORSE THAN LAST KEPT, BY MORE THAN THE NOISE:", *worse] if worse else ["nothing got worse by more than the noise"])
    )


def _commit() -> str:
    """Return the commit of this checkout, and whether it was changed since."""
    command = ["git", "describe", "--always", "--dirty", "--exclude", "*"]
    told = subprocess.run(command, cwd=COMMITTED.parent, capture_output=True, text=True, check=False).stdout.strip()
    return told or "unknown"


def _machine() -> str:
    """Return how many cores of which processor."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    facts = Path("/proc/cpuinfo")
    names = (
        [line.partition(":")[2].strip() for line in facts.read_text().splitlines() if line.startswith("model name")]
        if facts.exists()
        else []
    )
    return f"{cores} cores of {(names or [platform.processor() or platform.machine()])[0]}"
