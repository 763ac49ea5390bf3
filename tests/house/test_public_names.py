"""A name without an underscore is a promise: sorted, documented, and not suppressed into shape."""

import ast
import importlib
import inspect
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

import voicedrop_async
from voicedrop_async import journal, sandbox

PACKAGE = Path(voicedrop_async.__file__).parent
FILES = sorted(PACKAGE.rglob("*.py"))


def test_public_names_are_sorted_and_exist() -> None:
    assert voicedrop_async.__all__ == sorted(voicedrop_async.__all__)
    assert all(hasattr(voicedrop_async, name) for name in voicedrop_async.__all__)
    assert "Sandbox" in sandbox.__all__


@pytest.mark.parametrize("name", voicedrop_async.__all__)
def test_every_public_name_says_what_it_is(name: str) -> None:
    """And so does every public method of it."""
    thing = getattr(voicedrop_async, name)
    members = [member for label, member in inspect.getmembers(thing, inspect.isfunction) if not label.startswith("_")]

    assert (inspect.getdoc(thing) or "").strip()
    assert [member.__qualname__ for member in members if member.__module__.startswith("voicedrop") and not inspect.getdoc(member)] == []


@pytest.mark.parametrize("session", ["RouteeSession", "SpacivoxSession"])
def test_every_operation_names_its_source(session: str) -> None:
    """The vendor's page, so that the next reader can check."""
    wrapped = {"from_env", "call", "with_options", "aclose"}
    operations = [
        member
        for label, member in inspect.getmembers(getattr(voicedrop_async, session), inspect.isfunction)
        if not label.startswith("_") and label not in wrapped
    ]

    assert operations
    assert [member.__qualname__ for member in operations if "Source:" not in (member.__doc__ or "")] == []


def test_nothing_in_the_package_is_suppressed() -> None:
    marks = re.compile(r"type:\s*ignore|#\s*noqa|pragma:\s*no cover|pyright:\s*ignore")

    assert [path.name for path in FILES if marks.search(path.read_text(encoding="utf-8"))] == []


def test_what_is_suppressed_in_tests_has_a_reason_beside_it() -> None:
    marks = re.compile(r"#\s*(?:type:\s*ignore|noqa|pragma|pyright:\s*ignore)[^\n]*")
    tests = [path for path in Path(__file__).parents[1].rglob("*.py") if path != Path(__file__)]
    found = [(path.name, mark) for path in tests for mark in marks.findall(path.read_text(encoding="utf-8"))]

    assert found
    assert [(name, mark) for name, mark in found if " - " not in mark] == []


def test_no_file_and_no_function_is_too_long_to_read() -> None:
    long_files = [path.name for path in FILES if len(path.read_text(encoding="utf-8").splitlines()) > 500]
    long_functions = [
        f"{path.name}: {node.name}"
        for path in FILES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and _body_lines(node) > 40
    ]

    assert long_files == []
    assert long_functions == []


def _body_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    first = function.body[1] if ast.get_docstring(function) and len(function.body) > 1 else function.body[0]
    return (function.end_lineno or 0) - first.lineno + 1


def test_the_package_is_marked_as_typed() -> None:
    assert (PACKAGE / "py.typed").exists()


def test_the_user_s_sample_touches_every_public_name() -> None:
    """So that the type checkers see each as a user does."""
    sample = (Path(__file__).parents[1] / "typing_sample.py").read_text(encoding="utf-8")

    assert [name for name in voicedrop_async.__all__ if not re.search(rf"\bvd\.{name}\b", sample)] == []


def loaded_by(statement: str) -> set[str]:
    """Return the modules that a fresh process has loaded after a statement."""
    told = subprocess.run(
        [sys.executable, "-c", f"import sys; {statement}; print(*sys.modules)"], capture_output=True, text=True, check=True
    )
    return set(told.stdout.split())


def test_a_name_is_loaded_when_it_is_asked_for():
    assert "voicedrop_async.models" not in loaded_by("import voicedrop_async")
    assert "aiohttp" not in loaded_by("from voicedrop_async import VoiceMessage, OutcomeUnknown")
    assert not {"redis", "voicedrop_async.journal._sqlite", "voicedrop_async.spacivox", "voicedrop_async.sandbox"} & loaded_by(
        "from voicedrop_async import RouteeSession"
    )
    assert "voicedrop_async.journal._sqlite" in loaded_by("from voicedrop_async.journal import SqliteJournal")


@pytest.mark.parametrize("package", [voicedrop_async, journal], ids=lambda package: package.__name__)
def test_type_checkers_find_each_name_where_it_is_loaded_from(package: ModuleType):
    tree = ast.parse(Path(package.__file__ or "").read_text(encoding="utf-8"))
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("voicedrop_async.")]
    told = {alias.name: node.module for node in imports for alias in node.names}
    for name in package.__all__:
        assert getattr(importlib.import_module(told[name]), name) is getattr(package, name)
    with pytest.raises(AttributeError, match="has no attribute 'VoiceMessages'"):
        package.VoiceMessages()


def test_what_is_not_loaded_yet_is_there_for_who_looks():
    ask = "import {0} as package; print('missing:', set(package.__all__) - set(dir(package)) or 'nothing')"
    for package in ("voicedrop_async", "voicedrop_async.journal"):
        assert {"missing:", "nothing"} <= loaded_by(ask.format(package))


def test_a_public_module_is_an_attribute_without_being_imported():
    modules = sorted(path.stem for path in PACKAGE.iterdir() if not path.stem.startswith(("_", "py")))
    parts = [module for module in modules if module not in {"cli", "sandbox"}]
    assert {f"voicedrop_async.{part}" for part in parts} <= loaded_by(
        f"import voicedrop_async as vd; {'; '.join(f'vd.{part}' for part in parts)}"
    )
