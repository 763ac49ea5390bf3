"""What it costs, each figure beside its goal: ``nox -s bench``.

    python benchmarks/bench.py [--short] [--rounds 7] [--only NAME ...] [--json FILE] [--compare FILE]

Everything is on loopback; the page server is a process of its own, pinned to another core than the one who asks where
there are two. What is compared is measured in turns, each in a fresh process, and ratios are taken round by round. A
missed figure is printed and no more, since machines are noisy; one in which there is no noise fails the command.
``--short`` only sees that everything works: one round, the peers left out. ``--json`` keeps what was measured, and
``--compare`` prints it beside what was kept.
"""

import argparse
import importlib
import os
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from figures import Results, about

SECTIONS: Mapping[str, tuple[str, str]] = {
    "decode": ("decode", "measure"),
    "instructions": ("decode", "instructions"),
    "walk": ("walk", "measure"),
    "latency": ("latency", "measure"),
    "stall": ("latency", "stalls"),
    "memory": ("memory", "measure"),
    "collect": ("collect", "measure"),
    "items": ("items", "measure"),
    "exports": ("exports", "measure"),
    "report": ("reports", "measure"),
    "pipeline": ("pipeline", "measure"),
    "imports": ("imports", "measure"),
    "growth": ("growth", "measure"),
    "callbacks": ("callbacks", "measure"),
}
"""What can be measured: a function of a module of this folder."""


def asked() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--short", action="store_true", help="one round of everything but the peers, in little more than a minute")
    parser.add_argument("--rounds", type=int, default=None, help="7, or 1 if short; some parts take more of their own accord")
    parser.add_argument("--only", nargs="+", choices=SECTIONS, default=list(SECTIONS), metavar="NAME", help=", ".join(SECTIONS))
    parser.add_argument("--json", type=Path, metavar="FILE", help="keep what was measured")
    parser.add_argument("--compare", type=Path, metavar="FILE", help="print it beside what was kept")
    options = parser.parse_args()
    if options.compare and not options.compare.exists():
        parser.error(f"--compare: no file {options.compare}")
    return options


def main() -> None:
    """Measure, print, keep, compare."""
    options, began = asked(), time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        # What is installed is compiled once; where the environment forbids that, each fresh process would compile it all again.
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        os.environ["PYTHONPYCACHEPREFIX"] = folder
        results = measured(options)
    if options.short:
        print("\nshort lists, one round: what follows is not what the figures mean, only that they can be measured")
    results.print()
    if options.compare:
        results.compare(options.compare)
    if options.json:
        results.keep(options.json)
    print(f"took {time.perf_counter() - began:.0f} s")
    sys.exit(any(goal.sure for goal in results.missed()))


def measured(options: argparse.Namespace) -> Results:
    """Measure what was asked for, one part after the other."""
    rounds = options.rounds or (1 if options.short else 7)
    results = Results(f"{about()}; {'short, ' if options.short else ''}rounds: {rounds}")
    print(results.about, flush=True)
    for name in options.only:
        module, function = SECTIONS[name]
        measure: Callable[..., None] = getattr(importlib.import_module(module), function)
        started = time.perf_counter()
        measure(results, rounds, short=options.short)
        print(f"[{name}: {time.perf_counter() - started:.0f} s]", flush=True)
    return results


if __name__ == "__main__":
    main()
