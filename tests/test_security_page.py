"""SECURITY.md promises tests by name: each of them is there."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "SECURITY.md").read_text()
NAMED = re.findall(r"`(tests/[\w/.]+)::(\w+)`", PAGE)


@cache
def defined_in(path: str) -> frozenset[str]:
    tree = ast.parse((ROOT / path).read_text())
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


@pytest.mark.parametrize(("path", "name"), NAMED, ids=[name for _, name in NAMED])
def test_each_test_that_the_page_names_exists(path: str, name: str) -> None:
    assert (ROOT / path).is_file()
    assert name in defined_in(path)


def test_each_row_of_the_threats_names_a_defence_and_a_test() -> None:
    rows = [line.strip("| ").split(" | ") for line in PAGE.splitlines() if "::" in line]
    assert len(rows) > 30
    for row in rows:
        assert len(row) == 3
        assert all(cell.strip() for cell in row)
    threats = PAGE.split("## Who, what")[1].split("## To try it yourself")[0]
    content = [line for line in threats.splitlines() if line.startswith("| ") and not line.startswith("| what")]
    assert len(content) == len(rows)


def test_each_page_that_it_points_to_exists() -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", PAGE):
        assert (ROOT / target).exists(), target
