"""What it costs, each figure beside its goal and beside the last one committed: ``nox -s bench``.

    python benchmarks/bench.py [--short] [--rounds 7] [--only NAME ...] [--compare FILE] [--keep [FILE]]

Everything is on loopback; the page server is a process of its own, pinned to another core than the one who asks where
there are two. What is compared is measured in turns, each in a fresh process, and ratios are taken round by round. A
missed figure is printed and no more, since machines are noisy, and so is one that got worse; one in which there is no noise
fails the command. ``--short`` only sees that everything works: one round of short lists, the peers left out, nothing compared.
``--keep`` writes what was measured into ``figures.json`` and into the README's tables, to be looked at and committed; with a
FILE, into that one alone.
"""

import argparse
import importlib
import os
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import kept
import readme
from figures import Results

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
    "fanout": ("fanout", "measure"),
    "callbacks": ("callbacks", "measure"),
}
"""What can be measured: a function of a module of this folder."""


def asked() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--short", action="store_true", help="one round of short lists, without the peers; about a minute")
    parser.add_argument("--rounds", type=int, default=None, help="7, or 1 if short; some parts take more of their own accord")
    parser.add_argument("--only", nargs="+", choices=SECTIONS, default=list(SECTIONS), metavar="NAME", help=", ".join(SECTIONS))
    parser.add_argument("--compare", type=Path, metavar="FILE", default=kept.COMMITTED, help="beside what was kept there; figures.json")
    parser.add_argument("--keep", type=Path, metavar="FILE", nargs="?", const=kept.COMMITTED, help="write it there; figures.json")
    options = parser.parse_args()
    if not options.compare.exists():
        parser.error(f"--compare: no file {options.compare}")
    if options.keep and options.short:
        parser.error("--keep: what a short run measures is not worth it")
    return options


def main() -> None:
    """Measure, print, keep, compare."""
    options, began = asked(), time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        # What is installed is compiled once; where the environment forbids that, each fresh process would compile it all again.
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        os.environ["PYTHONPYCACHEPREFIX"] = folder
        run, results = measured(options)
    if options.short:
        print("\nshort lists, one round: what follows is not what the figures mean, only that they can be measured")
    kept.show(results, run, None if options.short else kept.load(options.compare))
    if options.keep:
        kept.keep(options.keep, replace(run, figures=results.figures))
    if options.keep == kept.COMMITTED:
        readme.main()
    print(f"took {time.perf_counter() - began:.0f} s")
    sys.exit(any(goal.sure for goal in results.missed()))


def measured(options: argparse.Namespace) -> tuple[kept.Run, Results]:
    """Measure what was asked for, one part after the other; return where and when that was, and what."""
    rounds = options.rounds or (1 if options.short else 7)
    run, results = kept.Run.here(rounds), Results()
    print(run, flush=True)
    for name in options.only:
        module, function = SECTIONS[name]
        measure: Callable[..., None] = getattr(importlib.import_module(module), function)
        started = time.perf_counter()
        measure(results, rounds, short=options.short)
        print(f"[{name}: {time.perf_counter() - started:.0f} s]", flush=True)
    return run, results


if __name__ == "__main__":
    main()
