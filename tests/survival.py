"""A section at the end of a run of the tests: what of the matrix of faults survived, failed, could not run, or is not built yet."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import groupby

import pytest
from matrix import FAULTS, Fault, rows_of


@dataclass
class Fate:
    """What became of the tests of one row; each name of a test once."""

    passed: set[str] = field(default_factory=set)
    failed: set[str] = field(default_factory=set)
    skipped: dict[str, str] = field(default_factory=dict)
    """By name, the reason."""
    known: set[str] = field(default_factory=set)
    """All that were found, also those that were deselected, or not reached."""

    @property
    def verdict(self) -> str:
        """One word for all of them; a row survived only if each of its tests did."""
        if self.failed:
            return "failed"
        if self.skipped:
            return "cannot run here"
        return "survived" if self.passed and self.known <= self.passed else "not run"


def fates(reports: Iterable[pytest.TestReport], known: Iterable[str]) -> dict[str, Fate]:
    """Put together what was reported, by the rows of the matrix."""
    found: dict[str, Fate] = {}
    for name in known:
        for row in rows_of(name):
            found.setdefault(row, Fate()).known.add(name)
    for report in reports:
        for row in rows_of(report.nodeid):
            fate = found.setdefault(row, Fate())
            if report.failed or hasattr(report, "wasxfail"):
                fate.failed.add(report.nodeid)
            elif report.skipped:
                fate.skipped[report.nodeid] = _reason(report)
            elif report.when == "call":
                fate.passed.add(report.nodeid)
    return found


def _reason(report: pytest.TestReport) -> str:
    told = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    return told.removeprefix("Skipped: ")


def told(found: dict[str, Fate], matrix: dict[str, Fault] = FAULTS) -> list[str]:
    """Return the lines of the section; the last one counts. What was not asked for is only counted."""
    verdicts: dict[str, list[str]] = {}
    for row, fault in matrix.items():
        verdict = found[row].verdict if row in found else "not built yet" if fault.room else "not run"
        verdicts.setdefault(verdict, []).append(row)
    lines = []
    for verdict in ("survived", "not run"):
        counted = [f"{row} ({_count(found[row])})" for row in verdicts.get(verdict, ()) if row in found]
        lines += [f"{verdict}: {', '.join(some)}" for _, some in groupby(counted, key=lambda text: text[0])]
    for verdict in ("not built yet", "cannot run here", "failed"):
        lines += [f"{verdict}: {row}, {matrix[row].happens}: {_why(row, found, matrix)}" for row in verdicts.get(verdict, ())]
    number = {verdict: len(verdicts.get(verdict, ())) for verdict in ("survived", "not built yet", "cannot run here", "failed", "not run")}
    counts = f"faults: {number['survived']} of {len(matrix)} survived"
    counts += "".join(f", {number[verdict]} {verdict}" for verdict in ("not built yet", "cannot run here"))
    return [*lines, counts + "".join(f", {number[verdict]} {verdict}" for verdict in ("failed", "not run") if number[verdict])]


def _count(fate: Fate) -> str:
    passed, known = len(fate.passed), len(fate.known | fate.passed)
    return f"{passed}" if passed == known else f"{passed} of {known}"


def _why(row: str, found: dict[str, Fate], matrix: dict[str, Fault]) -> str:
    if row not in found:
        return f"waits for {matrix[row].room}"
    return ", ".join(sorted(found[row].failed or {*found[row].skipped.values()}))


class Survival:
    """The plugin: it learns of every test before any is deselected, and prints the section if one with an id ran."""

    def __init__(self) -> None:
        self.known: set[str] = set()

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        self.known.update(item.nodeid for item in items if rows_of(item.nodeid))

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if hasattr(session.config, "workeroutput"):  # a worker of xdist, which is not the one that prints
            session.config.workeroutput["known"] = sorted(self.known)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: object) -> None:
        self.known.update(getattr(node, "workeroutput", {}).get("known", ()))

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        reports = [one for some in terminalreporter.stats.values() for one in some if isinstance(one, pytest.TestReport)]
        if not any(rows_of(report.nodeid) for report in reports):
            return
        terminalreporter.section("faults")
        for line in told(fates(reports, self.known)):
            terminalreporter.line(line)
