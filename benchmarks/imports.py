"""What ``import voicedrop_async`` costs above the libraries it stands on, each time in a fresh process.

python benchmarks/bench.py --only imports
"""

import subprocess
import sys

from figures import Results, Spread

BELOW = "aiohttp, cattrs, attrs, msgspec"
CODE = "import time; began = time.perf_counter(); import {}; print(time.perf_counter() - began)"


def milliseconds(modules: str) -> float:
    """Return the milliseconds that an import takes in a process of its own."""
    told = subprocess.run([sys.executable, "-c", CODE.format(modules)], stdout=subprocess.PIPE, text=True, check=True).stdout
    return float(told) * 1e3


def measure(results: Results, rounds: int, *, short: bool) -> None:
    """Print both, and the difference round by round."""
    count = 3 if short else max(rounds, 15)
    pairs = [(milliseconds(BELOW), milliseconds("voicedrop_async")) for _ in range(-1, count)][1:]  # the first one writes bytecode
    below, whole = (Spread.of(side) for side in zip(*pairs, strict=True))
    print(f"\nimport: {BELOW} {below} ms; voicedrop_async {whole} ms")
    results.note("import: below", below)
    results.note("import: whole", whole)
    results.put("I1", Spread.of(more - less for less, more in pairs))
