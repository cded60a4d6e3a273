"""The wheel: it carries pages and models, and serves them without the checkout."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.browser.server import START, Server

ROOT = Path(__file__).parents[2]
FOLDERS = {"web": "lessonroom/_web", "models": "lessonroom/_models"}
AWAY = """
import sys
sys.path[:] = [folder for folder in sys.path if folder and folder != {checkout!r}]
sys.meta_path[:] = [finder for finder in sys.meta_path if "editable" not in str(finder).lower()]
import lessonroom
assert lessonroom.__file__.startswith({installed!r}), lessonroom.__file__
"""
"""Before the server starts: nothing may come from the checkout, whatever this environment has installed."""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("dist")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(out)]
    done = subprocess.run(build, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return next(out.glob("*.whl"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the wheel is installed, without what it depends on."""
    target = tmp_path_factory.mktemp("installed")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", str(target)]
    subprocess.run([*pip, str(wheel)], check=True)
    return target


@pytest.fixture(scope="module")
def server(installed: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    code = AWAY.format(checkout=str(ROOT), installed=str(installed)) + START
    away = tmp_path_factory.mktemp("away")
    server = Server(away, code=code, cwd=away, PYTHONPATH=str(installed))
    server.start()
    yield server
    server.stop()


def test_the_wheel_carries_every_page_and_every_model(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as packed:
        names = set(packed.namelist())
    for folder, inside in FOLDERS.items():
        listed = subprocess.run(
            ["git", "ls-files", folder], cwd=ROOT, capture_output=True, text=True, check=False
        ).stdout.split("\n")
        here = [Path(name) for name in listed if name] or [
            path.relative_to(ROOT) for path in (ROOT / folder).rglob("*") if path.is_file()
        ]
        assert here
        assert [str(path) for path in here if f"{inside}/{path.relative_to(folder).as_posix()}" not in names] == []
    assert "lessonroom/simulate/student.webm" in names
    assert not [name for name in names if name.startswith(("tests/", "tools/", "docs/"))]


def test_the_wheel_brings_its_command_and_its_licences(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as packed:
        (info,) = {name.split("/")[0] for name in packed.namelist() if ".dist-info/" in name}
        assert "lessonroom = lessonroom.cli:main" in packed.read(f"{info}/entry_points.txt").decode()
        assert {f"{info}/licenses/LICENSE", f"{info}/licenses/models/NOTICE"} <= set(packed.namelist())


def test_an_installed_server_serves_the_lesson_and_can_see(server: Server, installed: Path) -> None:
    """Pages as they are in the wheel, and models that load: inference is not off."""
    with httpx.Client(base_url=server.base, verify=False) as client:
        ready = client.get("/readyz")
        assert ready.json()["status"] == "ok"
        assert ready.json()["inference"] != "off"
        page = client.get(server.room().student.removeprefix(server.base).partition("#")[0])
        assert page.status_code == 200
        assert page.text == (installed / "lessonroom/_web/lesson.html").read_text()
        script = client.get("/static/js/lesson.js")
        assert script.status_code == 200
        assert "javascript" in script.headers["content-type"]
        assert client.get("/static/i18n/en.json").json()["chat.send"]
        assert client.get("/openapi.json").json()["openapi"].startswith("3.")
