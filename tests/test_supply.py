"""What comes from elsewhere: packages by hash, models by hash, and no file that runs when it is read."""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lessonroom import models
from lessonroom.errors import ModelRefused
from lessonroom.media.onnx_engine import OnnxEngine
from tests.contracts import tiny_models
from tests.contracts.tiny_models import _bytes, _number, _text
from tests.onnx_bytes import elsewhere

ROOT = Path(__file__).parent.parent
DATA_ONLY = {".onnx", ".npz", ".json", ".safetensors"}
FILES = sorted(models.folder().iterdir())
SOURCES = sorted((ROOT / "lessonroom").rglob("*.py"))
PINNED = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(\[[a-z,]+\])?==[A-Za-z0-9.!+]+( ; .+)?")
HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}")


# --- packages --------------------------------------------------------------------------------------------------------


def requirements(text: str) -> Iterator[tuple[str, list[str]]]:
    """Requirements of a lock file with their hashes; a backslash at its end says that a line goes on."""
    lines = [line for line in text.splitlines() if line.strip() and not line.strip().startswith("#")]
    for line in re.sub(r" \\\n\s*", "\t", "\n".join(lines)).splitlines():
        requirement, *hashes = line.split("\t")
        yield requirement, hashes


LOCKS = [ROOT / "requirements.lock", *sorted((ROOT / "tests" / "inference_servers").glob("*.lock"))]


@pytest.mark.parametrize("path", LOCKS, ids=lambda path: path.name)
def test_every_package_of_a_lock_is_pinned_and_has_hashes(path: Path) -> None:
    found = list(requirements(path.read_text()))
    assert len(found) > 40
    for requirement, hashes in found:
        assert PINNED.fullmatch(requirement), requirement
        assert hashes, requirement
        assert all(HASH.fullmatch(each) for each in hashes), requirement


@pytest.mark.parametrize(
    "line",
    [
        "evil==1.0",
        "evil>=1.0 \\\n    --hash=sha256:" + "0" * 64,
        "evil @ https://example.org/evil.whl \\\n    --hash=sha256:" + "0" * 64,
        "evil==1.0 \\\n    --hash=md5:" + "0" * 32,
        "-e git+https://example.org/evil",
        "--extra-index-url https://example.org/simple",
    ],
)
def test_a_line_that_goes_past_the_hashes_would_be_seen(line: str) -> None:
    (entry,) = requirements(line)
    assert not (PINNED.fullmatch(entry[0]) and entry[1] and all(HASH.fullmatch(each) for each in entry[1]))


def test_no_package_is_asked_for_by_an_address() -> None:
    project = (ROOT / "pyproject.toml").read_text()
    assert not re.search(r'"[A-Za-z0-9._-]+(\[[a-z,]+\])? @ ', project)


def test_installing_asks_for_the_hashes() -> None:
    """``make`` installs from the lock alone; its own package comes without dependencies and builds without network."""
    installs = re.findall(r"^\t\$\(BIN\)/pip install (.*)", (ROOT / "Makefile").read_text(), re.M)
    assert len(installs) == 2
    for line in installs:
        assert "--require-hashes --requirement requirements.lock" in line or "--no-deps --no-build-isolation" in line


def audit_tool() -> Any:
    spec = importlib.util.spec_from_file_location("audit", ROOT / "tools" / "audit.py")
    assert spec is not None
    assert spec.loader is not None
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    return tool


ASKED = {"name": "one", "version": "1.0", "vulns": []}
KNOWN = {"name": "two", "version": "2.0", "vulns": [{"id": "CVE-2026-1", "fix_versions": ["2.1"]}]}
SKIPPED = {"name": "three", "skip_reason": "not found"}


@pytest.mark.parametrize(
    ("packages", "code", "said"),
    [
        ([ASKED], 0, "1 packages asked about, 0 advisories"),
        ([ASKED, KNOWN], 1, "two 2.0: CVE-2026-1, mended in 2.1"),
        ([ASKED, SKIPPED], 3, "three: not asked about: not found"),
        ([SKIPPED], 3, "could not ask the advisory service"),
        ([], 3, "could not ask the advisory service"),
    ],
)
def test_an_audit_that_nobody_answered_is_not_taken_for_a_good_one(
    capsys: pytest.CaptureFixture[str], packages: list[dict[str, object]], code: int, said: str
) -> None:
    assert audit_tool().verdict(json.dumps({"dependencies": packages}), "") == code
    assert said in "".join(capsys.readouterr())


def test_an_audit_that_broke_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert audit_tool().verdict("", "Traceback ...\nConnectionError: no route") == 3
    assert "nothing is known about these packages: ConnectionError: no route" in capsys.readouterr().err


# --- models ----------------------------------------------------------------------------------------------------------


def test_models_are_data_and_nothing_else() -> None:
    assert [path.name for path in FILES if path.suffix not in DATA_ONLY and path.name != "NOTICE"] == []


def test_every_model_agrees_with_the_hash_in_its_sidecar_and_nothing_lies_beside_them() -> None:
    described = {models.load(name).path.name for name in models.names()}  # raises where a hash differs
    assert {path.name for path in FILES if path.suffix not in {".json", ""}} == described


@pytest.mark.parametrize("path", [path for path in FILES if path.suffix == ".npz"], ids=lambda path: path.name)
def test_no_model_holds_a_pickle(path: Path) -> None:
    """An array of objects, which numpy keeps as a pickle, has the dtype ``|O`` in its header."""
    assert b"'|O'" not in path.read_bytes()


def test_whoever_reads_arrays_says_that_pickles_are_refused() -> None:
    calls = [(path, call) for path in SOURCES for call in _calls(path, "load", {"np", "numpy"})]
    assert calls
    for path, call in calls:
        assert _said(call, "allow_pickle") is False, f"{path.name}:{call.lineno}"


def test_whoever_reads_weights_of_others_takes_weights_only() -> None:
    """torch.load is a pickle that may do anything, but for this word; it is used in training alone."""
    calls = [(path, call) for path in SOURCES for call in _calls(path, "load", {"torch"})]
    for path, call in calls:
        assert _said(call, "weights_only") is True, f"{path.name}:{call.lineno}"


def _calls(path: Path, name: str, owners: set[str]) -> Iterator[ast.Call]:
    for node in ast.walk(ast.parse(path.read_text())):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id=owner), attr=attr)) if attr == name and owner in owners:
                yield node


def _said(call: ast.Call, word: str) -> object:
    said = [each.value for each in call.keywords if each.arg == word]
    return said[0].value if said and isinstance(said[0], ast.Constant) else None


@pytest.mark.parametrize("path", [path for path in FILES if path.suffix == ".onnx"], ids=lambda path: path.name)
def test_networks_carry_their_weights_inside(path: Path) -> None:
    """Weights in another file would be covered by no hash."""
    assert elsewhere(path.read_bytes()) == []


@pytest.mark.parametrize("place", ["weights.bin", "../weights.bin", "/etc/hostname"])
def test_a_network_that_names_another_file_is_seen_and_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    network = _with_weights_elsewhere(place)
    assert elsewhere(network) == [place, "12"]
    tiny_models.write(tmp_path)
    (tmp_path / "weights.bin").write_bytes(bytes(12))
    (tmp_path / "double.onnx").write_bytes(network)
    card = json.loads((tmp_path / "double.json").read_text()) | {"sha256": hashlib.sha256(network).hexdigest()}
    (tmp_path / "double.json").write_text(json.dumps(card))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ModelRefused):
        OnnxEngine(["double"], models_dir=tmp_path)


def _with_weights_elsewhere(place: str) -> bytes:
    """y = x + w, where w lies in another file."""
    entries = [_text(1, "location") + _text(2, place), _text(1, "length") + _text(2, "12")]
    external = b"".join(_bytes(13, entry) for entry in entries) + _number(14, 1)
    weights = _number(1, 3) + _number(2, 1) + _text(8, "w") + external
    node = _text(1, "x") + _text(1, "w") + _text(2, "y") + _text(4, "Add")
    values = _bytes(11, tiny_models._value("x")) + _bytes(12, tiny_models._value("y"))
    graph = _bytes(1, node) + _text(2, "tiny") + _bytes(5, weights) + values
    return _number(1, 8) + _bytes(7, graph) + _bytes(8, _number(2, 13))
