"""Try inputs on each reading, and print how many, how long it took, and the peak of memory; needs the group ``fuzz``.

    python tests/fuzz/run.py [--inputs 1000000] [--seed 7]

Each reading has a process of its own, in which atheris follows the branches that an input takes. It fails on whatever leaves a
reading, on memory beyond bounds, and if fewer inputs ran than were asked for.
"""

import argparse
import json
import os
import random
import resource
import secrets
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from fuzz.mutations import changed
from fuzz.seeds import SEEDS

MOST_MB = 400
"""Of a process that fuzzes: the interpreter, atheris and what it keeps take most of it."""
LONGEST = 4096
"""Bytes of an input."""


@dataclass(frozen=True)
class Outcome:
    """What became of one reading."""

    name: str
    tried: int
    seconds: float
    peak_mb: float
    exit_code: int


def faults(asked: dict[str, int], outcomes: list[Outcome]) -> list[str]:
    """Return what went wrong: nothing, if every reading was tried as often as asked, and none broke."""
    told = {outcome.name: outcome for outcome in outcomes}
    found = [f"{name}: not tried at all" for name in asked if name not in told]
    for name, outcome in told.items():
        if outcome.exit_code:
            found.append(f"{name}: ended with {outcome.exit_code}; what it was given stands above")
        if outcome.tried < asked.get(name, 0):
            found.append(f"{name}: {outcome.tried:,} inputs of {asked[name]:,}")
        if outcome.peak_mb > MOST_MB:
            found.append(f"{name}: {outcome.peak_mb:.0f} MB, the most is {MOST_MB}")
    return found


def shares(inputs: int) -> dict[str, int]:
    """Return how many inputs each reading gets; together no fewer than ``inputs``."""
    return dict.fromkeys(SEEDS, -(-inputs // len(SEEDS)))


def tried_apart(name: str, inputs: int, seed: int) -> Outcome:
    """Try one reading in a process of its own."""
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "report")
        command = [sys.executable, __file__, "--inputs", str(inputs), "--seed", str(seed), "--reading", name, "--report", str(report)]
        done = subprocess.run(command, check=False, capture_output=True, text=True, errors="replace")
        told: dict[str, Any] = json.loads(report.read_text()) if report.exists() else {"tried": 0, "peak_mb": 0.0}
    if done.returncode:
        print(done.stdout[-4000:], done.stderr[-4000:], sep="\n")
    return Outcome(name, told["tried"], time.perf_counter() - began, told["peak_mb"], done.returncode)


def try_here(name: str, inputs: int, seed: int, report: Path) -> None:
    """Try one reading, write down how it was, and end the process."""
    import atheris

    with atheris.instrument_imports(include=["voicedrop_async", "email", "fuzz"]):
        from fuzz.readings import READINGS, timed
    tried = 0

    def one(data: bytes) -> None:
        nonlocal tried
        timed(READINGS[name], data)
        tried += 1
        if tried == inputs:
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
            report.write_text(json.dumps({"tried": tried, "peak_mb": peak}))
            os._exit(0)  # libFuzzer counts in its own way, and ends the process itself

    def mutated(data: bytes, most: int, seed: int) -> bytes:
        dice = random.Random(seed)
        if name in {"page", "token"} and dice.random() < 0.7:
            # What is kept becomes shorter and shorter; whole answers have to be put in again.
            body = dice.choice([data, *SEEDS[name]])
            with suppress(ValueError, RecursionError):
                for _ in range(dice.randint(1, 3)):
                    body = changed(body, dice)
                if len(body) <= most:
                    return body
        return bytes(atheris.Mutate(data, most))

    corpus = report.with_name("corpus")
    corpus.mkdir()
    for place, body in enumerate(SEEDS[name]):
        (corpus / str(place)).write_bytes(body)
    bounds = [f"-max_len={LONGEST}", "-timeout=20", f"-rss_limit_mb={MOST_MB}", f"-seed={seed}", f"-artifact_prefix={report.parent}/"]
    atheris.Setup([sys.argv[0], *bounds, str(corpus)], one, custom_mutator=mutated)
    atheris.Fuzz()


def main() -> None:
    reader = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    reader.add_argument("--inputs", type=int, default=1_000_000, help="how many in all")
    reader.add_argument("--seed", type=int, default=secrets.randbelow(2**31 - 1) + 1)
    reader.add_argument("--reading", choices=SEEDS, help=argparse.SUPPRESS)
    reader.add_argument("--report", type=Path, help=argparse.SUPPRESS)
    given = reader.parse_args()
    if given.reading is not None:
        try_here(given.reading, given.inputs, given.seed, given.report)
        return
    asked, outcomes = shares(given.inputs), []
    print(f"seed {given.seed}", flush=True)
    for name, inputs in asked.items():
        outcomes.append(outcome := tried_apart(name, inputs, given.seed))
        print(f"{name:7} {outcome.tried:>9,} inputs {outcome.seconds:7.1f} s   peak {outcome.peak_mb:5.1f} MB", flush=True)
    all_of_it = sum(outcome.tried for outcome in outcomes), sum(outcome.seconds for outcome in outcomes)
    print(f"{'in all':7} {all_of_it[0]:>9,} inputs {all_of_it[1]:7.1f} s   peak {max(outcome.peak_mb for outcome in outcomes):5.1f} MB")
    if found := faults(asked, outcomes):
        raise SystemExit("\n".join(found))


if __name__ == "__main__":
    main()
