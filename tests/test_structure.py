"""The house's rules: who may import whom, which modules are pure, who may read the environment."""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator
from logging import config as logging_config
from pathlib import Path

import pytest
from importlinter.cli import lint_imports

ROOT = Path(__file__).parent.parent
SOURCES = sorted((ROOT / "lessonroom").rglob("*.py"))


@pytest.fixture
def logging_untouched(monkeypatch: pytest.MonkeyPatch) -> None:
    """The linter sets up logging for a process of its own: it would silence every logger that is there already."""
    monkeypatch.setattr(logging_config, "dictConfig", lambda config: None)


@pytest.mark.usefixtures("logging_untouched")
def test_imports_point_the_way_the_design_says() -> None:
    assert lint_imports(config_filename=str(ROOT / "pyproject.toml"), no_cache=True) == 0


def test_only_the_command_line_reads_the_environment() -> None:
    readers = {path.name for path in SOURCES for name in _attributes(path) if name in {"environ", "getenv"}}
    assert readers == {"cli.py"}


def test_nothing_unpickles_or_evaluates() -> None:
    banned = {"pickle", "marshal", "shelve", "joblib", "dill"}
    for path in SOURCES:
        assert not banned & set(_imported(path)), path
        assert not {"eval", "exec"} & set(_called(path)), path


def test_every_dependency_is_explained_in_the_architecture() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    text = (ROOT / "docs" / "architecture.md").read_text()
    for requirement in project["dependencies"]:
        name = requirement.split(";")[0].split(">")[0].split("=")[0].split("[")[0].strip()
        assert f"`{name}`" in text, name


def _attributes(path: Path) -> Iterator[str]:
    return (node.attr for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Attribute))


def _imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.split(".")[0]


def _called(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            yield node.func.id
