"""The table of what is documented and the tests are held equal. Reads the tests; nothing has to be run for it."""

import ast
from collections.abc import Iterator
from pathlib import Path

from documented import ROWS

TESTS = Path(__file__).parents[1]


def borne() -> Iterator[tuple[str, str]]:
    """Return each id with a test that bears it."""
    texts = {path: path.read_text(encoding="utf-8") for path in TESTS.rglob("test_*.py")}
    for path in sorted(path for path, text in texts.items() if "mark.documented" in text):
        for node in ast.walk(ast.parse(texts[path])):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
                for mark in [part for decorator in node.decorator_list for part in ast.walk(decorator)]:  # also of one parameter
                    if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "pytest.mark.documented":
                        yield from ((ast.literal_eval(row), f"{path.name}::{node.name}") for row in mark.args)


def test_every_row_has_a_test_and_every_id_is_a_row() -> None:
    rows = {row for row, _ in borne()}

    assert [f"{row}: {ROWS[row].claim}" for row in ROWS if row not in rows] == []
    assert sorted(rows - ROWS.keys()) == []


def test_a_row_says_its_page() -> None:
    assert [row for row, (claim, page) in ROWS.items() if not claim or not page] == []
