"""The law of the house: imports point down only. Reads the imports; nothing has to be run for it."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import voicedrop_async

PACKAGE = Path(voicedrop_async.__file__).parent

FLOORS: list[set[str]] = [
    {"_lazily", "_letters", "_masking", "models"},
    {"errors"},
    {"_checks", "_files", "_tasks"},
    {"calls", "fanout", "pages"},
    {"_body", "_redis", "_resolver", "_sqlite", "_wire"},
    {"auth", "journal", "throttle", "webhooks"},
    {"_underway"},
    {"_lanes"},
    {"_faults"},
    {"_transport"},
    {"_paid"},
    {"_session"},
    {"routee", "spacivox"},
    {"export", "following", "integrations"},
    {"report", "shards"},
    {"workers"},
    {"__init__"},
    {"cli", "_pytest_plugin"},
    {"__main__"},
]
"""From the ground up. ``sandbox`` stands apart: it imports nothing of ours, and only the command line and pytest's plugin serve it."""

HEIGHT = {room: height for height, rooms in enumerate(FLOORS) for room in rooms}


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(path: Path) -> Iterator[str]:
    """The rooms of ours that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            yield from ([room_of(path)] if path.parent != PACKAGE else [node.module or ""])
            continue
        modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom) and node.module is not None:
            rooms = [f"{node.module}.{alias.name}" for alias in node.names] if node.module == "voicedrop_async" else [node.module]
            modules = rooms
        for module in modules:
            parts = module.split(".")
            if parts[0] == "voicedrop_async":
                known = len(parts) > 1 and (parts[1] in HEIGHT or parts[1] == "sandbox")
                yield parts[1] if known else "__init__"


FILES = sorted(PACKAGE.rglob("*.py"))
CLIENT = [path for path in FILES if room_of(path) != "sandbox"]


def test_every_room_has_its_floor() -> None:
    assert {room_of(path) for path in CLIENT} == set(HEIGHT)


def test_imports_point_down_only() -> None:
    upward = [
        f"{path.relative_to(PACKAGE)} imports {room}"
        for path in CLIENT
        for room in imports(path)
        if room != room_of(path) and room != "sandbox" and HEIGHT[room] >= HEIGHT[room_of(path)]
    ]

    assert upward == []


def private(path: Path) -> Iterator[str]:
    """The names with an underscore that a file takes from other rooms, up to that name."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        taken = [alias.name for alias in node.names] if isinstance(node, ast.Import | ast.ImportFrom) else []
        module = f"{node.module}." if isinstance(node, ast.ImportFrom) and not node.level else ""
        for name in (f"{module}{one}" for one in taken):
            own = name.startswith(f"voicedrop_async.{room_of(path)}.")
            if name.startswith("voicedrop_async.") and not own and (found := re.match(r"[a-z_.]*?\._\w+", name)):
                yield found[0]


def test_the_command_line_is_a_program_like_others() -> None:
    """It takes what has no underscore, and shows texts and saves files as the package does."""
    taken = {name for path in CLIENT if room_of(path) == "cli" for name in private(path)}

    assert taken == {"voicedrop_async._files", "voicedrop_async._masking"}
    assert "voicedrop_async.export._rows" in set(private(PACKAGE / "report" / "_batches.py"))


def test_the_sandbox_and_the_client_do_not_know_each_other() -> None:
    assert {room for path in FILES if room_of(path) == "sandbox" for room in imports(path)} == {"sandbox"}
    assert {room_of(path) for path in CLIENT if "sandbox" in imports(path)} == {"cli", "_pytest_plugin"}


def test_only_the_lanes_open_connections() -> None:
    """Everybody else knows aiohttp at most by the types that a user hands in."""
    callers = {
        room_of(path) for path in CLIENT if any(word in path.read_text() for word in ("ClientSession(", "TCPConnector(", ".request("))
    }

    assert callers == {"_lanes"}


def test_the_walk_can_fail() -> None:
    """The check itself sees an import that points up."""
    assert HEIGHT["models"] < HEIGHT["routee"]
    assert "models" in set(imports(PACKAGE / "routee" / "_tracking.py"))
    assert "_transport" in set(imports(PACKAGE / "_session.py"))
