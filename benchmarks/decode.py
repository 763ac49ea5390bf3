"""What decoding alone costs: bytes to typed messages, beside dictionaries by orjson and structs by msgspec.

    python benchmarks/bench.py --only decode

All decode the same pages in turns, and the time is that of the processor. "Drifted" pages come from a service newer than
the library: each message bears two keys more and a status that it does not know. With ``instructions``, valgrind counts
those of a page of 100, the collector off, as the difference between many pages and few.
"""

import argparse
import gc
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal

import messages as data
import msgspec
import orjson
from common import fresh
from figures import SIZES, Results, Spread

Decode = Callable[[bytes], object]

COUNTED = {"orjson.loads": False, "msgspec to Struct": False, "ours": False, "ours, drifted": True}
"""Whose instructions are counted, and whether the pages are drifted."""
FEW, MANY = 10, 60
"""Pages decoded under valgrind; what both runs have in common falls out."""


class Speech(msgspec.Struct, gc=False):
    text: str | None = None
    language: str | None = None
    gender: str | None = None


class Status(msgspec.Struct, gc=False):
    status: str
    date: datetime


class Recording(msgspec.Struct, rename="camel", gc=False):
    tracking_id: str
    start: datetime
    end: datetime
    sender: str = msgspec.field(name="from")
    to: str
    url: str
    voice_tracking_ids: tuple[str, ...]
    duration: int
    conversation_tracking_id: str | None = None


class Message(msgspec.Struct, rename="camel", kw_only=True, gc=False):
    message_id: str
    to: str
    sender: str = msgspec.field(name="from")
    status: Status
    application_name: str
    originating_service: str
    direction: str
    charge_interval: int
    recordings: tuple[Recording, ...]
    conversation_tracking_id: str | None = None
    groups: tuple[str, ...] | None = None
    country: str | None = None
    campaign: str | None = None
    duration: int | None = None
    file_url: str | None = msgspec.field(name="fileURL", default=None)
    message: Speech | None = None
    price: Decimal | None = None
    collected_tones: str | None = None
    answered_by: str | None = None


class Page(msgspec.Struct, rename="camel"):
    content: list[Message]
    total_pages: int
    last: bool


def ours() -> Decode:
    """Return what this library makes of a page: from the answer's bytes to models."""
    from voicedrop_async import Reply, VoiceMessage
    from voicedrop_async._wire import load_envelope

    return lambda body: load_envelope(Reply(status=200, headers={}, body=body, attempts=1, elapsed=0.0), VoiceMessage)


DECODERS: dict[str, Callable[[], Decode]] = {
    "orjson.loads": lambda: orjson.loads,
    "msgspec to Struct": lambda: msgspec.json.Decoder(Page).decode,
    "ours": ours,
}


def pages(count: int, size: int, *, drifted: bool) -> list[bytes]:
    """Return so many messages in pages."""
    rows = data.encoded(count, drifted=drifted)
    return [data.page(rows[begin : begin + size], count, begin // size, size) for begin in range(0, count, size)]


def timed(decode: Decode, bodies: list[bytes]) -> float:
    """Return the seconds of processor time that decoding these takes, each thrown away at once."""
    began = time.process_time()
    for body in bodies:
        decode(body)
    return time.process_time() - began


def rounds_of(count: int, rounds: int, sizes: list[int]) -> dict[str, list[float]]:
    """Return the microseconds of a message, round by round, for each way and page size."""
    took: dict[str, list[float]] = {}
    decoders = {name: make() for name, make in DECODERS.items()}
    for size in sizes:
        kinds = {kind: pages(count, size, drifted=bool(kind)) for kind in ("", ", drifted")}
        for turn in range(-1, rounds):  # the first one warms up
            for kind, bodies in kinds.items():
                for name, decode in decoders.items():
                    seconds = timed(decode, bodies)
                    if turn >= 0:
                        took.setdefault(f"{name}{kind}, pages of {size}", []).append(seconds / count * 1e6)
    return took


def measure(results: Results, rounds: int, *, short: bool) -> None:
    """Print microseconds a message."""
    sizes = [100] if short else list(SIZES)
    took: dict[str, list[float]] = fresh("decode.py", "rounds", *((500, 1) if short else (10_000, max(rounds, 7))), *sizes)
    print(f"\n{'CPU us a message':<44} {'':<22} over orjson.loads of the page as documented")
    for name, times in took.items():
        size = name.rpartition(" ")[2]
        over = Spread.over(times, took[f"orjson.loads, pages of {size}"])
        print(f"{name:<44} {Spread.of(times)!s:<22} {over}", flush=True)
        results.note(f"decode: {name}: us", Spread.of(times))
        results.note(f"decode: {name}: over orjson", over)
    mine, drifted, loads = (took[f"{name}, pages of 100"] for name in ("ours", "ours, drifted", "orjson.loads"))
    results.put("D1", Spread.over(mine, loads))
    results.put("D2", Spread.over(drifted, loads))
    results.put("D2/D1", Spread.over(drifted, mine))


def instructions(results: Results, _rounds: int, *, short: bool) -> None:
    """Print instructions a message, where valgrind is installed; the short run leaves them out."""
    if short or shutil.which("valgrind") is None:
        print("\ninstructions: not counted" + ("" if short else ", valgrind is not here"))
        return
    counted: dict[str, float] = {}
    for name, drifted in COUNTED.items():
        few, many = (_counted(name.removesuffix(", drifted"), number, drifted=drifted) for number in (FEW, MANY))
        counted[name] = (many - few) / (MANY - FEW) / 100
    print("\ninstructions a message, page of 100, the collector off")
    for name, number in counted.items():
        over = number / counted["orjson.loads"]
        print(f"{name:<28} {number:>9,.0f}   over orjson.loads {over:.2f}", flush=True)
        results.note(f"instructions: {name}", Spread.of([number]))
    results.put("D1 instructions", Spread.of([counted["ours"] / counted["orjson.loads"]]))


def _counted(name: str, number: int, *, drifted: bool) -> int:
    """Return the instructions of a process that decodes so many pages."""
    command = ["valgrind", "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null", sys.executable, __file__]
    command += ["count", name, str(number), *(["--drifted"] if drifted else [])]
    process = subprocess.run(command, capture_output=True, text=True, check=True, env=os.environ | {"PYTHONHASHSEED": "0"})
    return int(next(line for line in process.stderr.splitlines() if "refs:" in line).rpartition(" ")[2].replace(",", ""))


def count(name: str, number: int, *, drifted: bool) -> None:
    """Decode the same page so often, for valgrind."""
    [body] = pages(100, 100, drifted=drifted)
    decode = DECODERS[name]()
    gc.disable()
    for _ in range(number):
        decode(body)


def main() -> None:
    """Decode, in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ways = parser.add_subparsers(dest="way", required=True)
    rounds = ways.add_parser("rounds")
    rounds.add_argument("count", type=int)
    rounds.add_argument("rounds", type=int)
    rounds.add_argument("sizes", type=int, nargs="+")
    counting = ways.add_parser("count")
    counting.add_argument("name", choices=DECODERS)
    counting.add_argument("number", type=int)
    counting.add_argument("--drifted", action="store_true")
    asked = parser.parse_args()
    if asked.way == "count":
        count(asked.name, asked.number, drifted=asked.drifted)
    else:
        print(json.dumps(rounds_of(asked.count, asked.rounds, asked.sizes)))


if __name__ == "__main__":
    main()
