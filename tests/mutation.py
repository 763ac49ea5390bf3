"""Plants small faults in the rooms that decide, one at a time, and counts those that no test notices.

Run by ``nox -s mutation``; what is mutated and which tests look on stands in ``pyproject.toml``, under ``tool.mutmut``. It ends
with 1 if less than 90 % are killed, and whenever there is nothing to conclude from: nothing was mutated, the tests fail without
a mutant, or runs broke down instead of ending. Decorated functions, constants and class bodies are not mutated by mutmut.
"""

import ast
import json
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from difflib import unified_diff
from enum import StrEnum
from pathlib import Path

WANTED = 90.0
"""Percent."""
ROOMS = ("calls", "pages", "throttle", "journal")
MUTANTS = Path("mutants")
MOST_BROKEN = 1.0
"""Percent of the mutants of which it may stay open what the tests say."""


class Fate(StrEnum):
    """What became of a mutant."""

    KILLED = "killed"
    """A test failed."""
    TIMED_OUT = "timed out"
    """The tests did not end: noticed as well, but told apart."""
    SURVIVED = "survived"
    UNTESTED = "untested"
    """No test reaches the function."""
    BROKEN = "broken"
    """The run ended without a word on the mutant: nothing was learnt."""


FATES = {
    0: Fate.SURVIVED,
    1: Fate.KILLED,
    5: Fate.UNTESTED,
    33: Fate.UNTESTED,
    24: Fate.TIMED_OUT,
    -24: Fate.TIMED_OUT,
    152: Fate.TIMED_OUT,
}
"""By the code with which the run of a mutant ended: pytest's own, mutmut's 33 for no tests, and signal 24 for too much time."""


def read(mutants: Path) -> dict[str, Fate]:
    """Return the fate of each mutant, by its name, as mutmut wrote it down beside the files it mutated."""
    codes: dict[str, int | None] = {}
    for file in sorted(mutants.rglob("*.py.meta")):
        codes |= json.loads(file.read_text(encoding="utf-8"))["exit_code_by_key"]
    return {name: Fate.BROKEN if code is None else FATES.get(code, Fate.BROKEN) for name, code in codes.items()}


def room_of(name: str) -> str:
    """Return the room of a mutant such as ``voicedrop_async.pages._seen.xǁSeenǁtake__mutmut_7``."""
    return name.split(".")[1]


def percent_killed(fates: Mapping[str, Fate]) -> float:
    """Return how many of all mutants were noticed; untested and broken ones were not."""
    count = Counter(fates.values())
    return 100.0 * (count[Fate.KILLED] + count[Fate.TIMED_OUT]) / len(fates) if fates else 0.0


def complaints(fates: Mapping[str, Fate], ended: int = 0) -> list[str]:
    """Return why the run is no proof; nothing if it is one. ``ended``: the code with which mutmut itself did."""
    if ended:
        return [f"mutmut ended with {ended}: the tests fail without a mutant, or it could not begin"]
    count = Counter(fates.values())
    said = [f"nothing was mutated in {room}" for room in ROOMS if room not in {room_of(name) for name in fates}]
    if not count[Fate.KILLED]:
        said.append("no test failed on any mutant: the tests did not see them")
    if count[Fate.TIMED_OUT] > count[Fate.KILLED] / 10:
        said.append(f"{count[Fate.TIMED_OUT]} runs did not end: this machine is too slow, or the limit too short")
    if 100.0 * count[Fate.BROKEN] > MOST_BROKEN * len(fates):
        said.append(f"{count[Fate.BROKEN]} runs broke down")
    if percent_killed(fates) < WANTED:
        said.append(f"{percent_killed(fates):.1f} % killed; wanted: {WANTED:.0f} %")
    return said


def table(fates: Mapping[str, Fate]) -> list[str]:
    """Return the count of each fate, room by room, and of all."""
    lines = [f"{'':10}{'mutants':>10}" + "".join(f"{fate:>11}" for fate in Fate) + f"{'percent':>10}"]
    for room in (*ROOMS, "all"):
        here = {name: fate for name, fate in fates.items() if room in {"all", room_of(name)}}
        count = Counter(here.values())
        lines.append(f"{room:10}{len(here):10,}" + "".join(f"{count[fate]:11,}" for fate in Fate) + f"{percent_killed(here):10.1f}")
    return lines


def file_of(name: str) -> Path:
    """Return the file that holds a mutant."""
    return MUTANTS / Path(*name.split(".")[:-1]).with_suffix(".py")


def changes(name: str, code: str) -> list[str]:
    """Return the lines that a mutant changes, from the mutated file, where it stands beside the original."""
    mutant = name.rpartition(".")[2]
    original = mutant.rpartition("_")[0] + "_orig"
    bodies = {
        node.name: [ast.unparse(line) for line in node.body]
        for node in ast.walk(ast.parse(code))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name in {mutant, original}
    }
    before, after = ("\n".join(bodies[function]).splitlines() for function in (original, mutant))
    return [f"{line[0]} {line[1:].strip()}" for line in unified_diff(before, after, n=0) if line[:2] not in {"--", "++", "@@"}]


def main() -> int:
    """Mutate afresh, and say what came of it."""
    shutil.rmtree(MUTANTS, ignore_errors=True)  # what a run before found is no finding of this one
    ended = subprocess.run(["nice", "-n", "15", "mutmut", "run"], check=False).returncode
    fates = read(MUTANTS)
    for name, fate in sorted(fates.items()):
        if fate not in {Fate.KILLED, Fate.TIMED_OUT}:
            print(f"{fate}: {name}", *changes(name, file_of(name).read_text(encoding="utf-8")), sep="\n    ")
    print(*table(fates), sep="\n")
    said = complaints(fates, ended)
    print(*said or [f"{percent_killed(fates):.1f} % of {len(fates):,} mutants killed"], sep="\n")
    return 1 if said else 0


if __name__ == "__main__":
    sys.exit(main())
