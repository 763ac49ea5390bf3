"""What an import costs above the libraries it stands on, each time in a fresh process.

    python benchmarks/bench.py --only imports

``import voicedrop_async`` loads next to nothing: its names are loaded when they are asked for. What a walk loads, a model
alone, and every name at once are printed beside it; and how soon ``voicedrop --help`` is there, as a whole process.
"""

import subprocess
import sys
import time

from figures import Results, Spread

BELOW = "import aiohttp, cattrs, attrs, msgspec"
WAYS = {
    "the package": f"{BELOW}, voicedrop_async",
    "a session": f"{BELOW}; from voicedrop_async import RouteeSession",
    "every name": f"{BELOW}; from voicedrop_async import *",
    "a model, without aiohttp": "from voicedrop_async import VoiceMessage",
}
"""The first one is the figure."""
CODE = "import time; began = time.perf_counter(); {}; print(time.perf_counter() - began)"


def milliseconds(statement: str) -> float:
    """Return the milliseconds that an import takes in a process of its own."""
    told = subprocess.run([sys.executable, "-c", CODE.format(statement)], stdout=subprocess.PIPE, text=True, check=True).stdout
    return float(told) * 1e3


HELP = ("-m", "voicedrop_async", "--help")
BARE = ("-c", "import voicedrop_async")


def process(*arguments: str) -> float:
    """Return the milliseconds from the start of a Python to its end."""
    began = time.perf_counter()
    subprocess.run([sys.executable, *arguments], stdout=subprocess.DEVNULL, check=True)
    return (time.perf_counter() - began) * 1e3


def measure(results: Results, rounds: int, *, short: bool) -> None:
    """Print each, and the difference round by round."""
    warm, count = (0, 1) if short else (1, max(rounds, 15))  # the first turn writes bytecode
    turns = [[milliseconds(statement) for statement in (BELOW, *WAYS.values())] for _ in range(warm + count)][warm:]
    below, *ways = zip(*turns, strict=True)
    print(f"\nimport, ms: the libraries below alone {Spread.of(below)}")
    results.note("import: below", Spread.of(below))
    for name, whole in zip(WAYS, ways, strict=True):
        added = Spread.of(more - less for less, more in zip(below, whole, strict=True))
        print(f"{name:<28} {Spread.of(whole)!s:<20}" + (f" adds {added}" if BELOW in WAYS[name] else ""))
        results.note(f"import: {name}", Spread.of(whole))
        if name == "the package":
            results.put("I1", added)
    turns = [[process(*BARE), process(*HELP)] for _ in range(warm + count)][warm:]
    bare, helped = zip(*turns, strict=True)
    print(f"{'voicedrop --help':<28} {Spread.of(helped)!s:<20} as a process; a Python that imports the package {Spread.of(bare)}")
    results.put("I2", Spread.of(more - less for less, more in zip(bare, helped, strict=True)))
