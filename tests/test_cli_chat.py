"""The commands that train, release and roll back, from outside."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lessonroom.chat import retrain
from lessonroom.chat.dataset import Row
from lessonroom.chat.releases import Releases
from lessonroom.chat.retrain import Material, Tally
from tests.chat.models import copied, damage
from tests.test_cli import code_of, output, told

DECISIONS = Material([], [], [], [Row("hi", 0, family=f"room-{number}") for number in range(9)], {}, [])
LEARNED, HELD_OUT = DECISIONS.learned, DECISIONS.held_out
"""Decisions to learn from, and those that are kept to compare on."""


@pytest.fixture
def releases(tmp_path: Path) -> Releases:
    releases = Releases(tmp_path)
    for version in ("one", "two"):
        releases.add(version, copied(version))
    return releases


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """In place of training, a model that is the packaged one, compared on two lines."""
    rows = retrain.dataset.read_rows(retrain.MUST_PASS)[:2]
    monkeypatch.setattr(retrain, "gather", lambda labels, foreign, frozen: Material([], [], [], labels, {}, rows))
    write = lambda material, policy, version, folder, progress: copied(version)(folder)  # noqa: E731
    monkeypatch.setattr(retrain.run, "__kwdefaults__", retrain.run.__kwdefaults__ | {"training": write})
    monkeypatch.setattr("lessonroom.labels.read", lambda settings: LEARNED)


def test_switch_and_rollback_are_one_command_each_and_say_what_serves(
    releases: Releases, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    where = ("--data-dir", str(tmp_path))
    assert output(capsys, "chat", "switch", "one", *where) == "current: one, previous: packaged\n"
    assert output(capsys, "chat", "switch", "two", *where) == "current: two, previous: one\n"
    assert output(capsys, "chat", "rollback", *where) == "current: one, previous: two\n"
    assert releases.pointer().current == "one"


def test_a_candidate_is_asked_too_and_then_not(
    releases: Releases, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    where = ("--data-dir", str(tmp_path))
    assert output(capsys, "chat", "shadow", "one", *where) == "current: packaged, shadow: one\n"
    assert output(capsys, "chat", "shadow", "--off", *where) == "current: packaged\n"
    for words in ((), ("one", "--off")):
        assert "either a version or --off" in told(capsys, "chat", "shadow", *words, *where)


def test_the_list_is_for_people_and_for_programs(
    releases: Releases, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    releases.switch("one")
    damage(releases.place("two"))
    where = ("--data-dir", str(tmp_path))
    lines = output(capsys, "chat", "releases", *where).splitlines()
    assert [line.split()[0] for line in lines] == ["packaged", "one", "two"]
    assert "sha256" in lines[2]
    rows = [json.loads(line) for line in output(capsys, "chat", "releases", "--json", *where).splitlines()]
    assert [(row["version"], row["roles"], row["ok"]) for row in rows] == [
        ("packaged", ["previous"], True), ("one", ["current"], True), ("two", [], False),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["switch", "three"], "`lessonroom chat releases` lists, got three"),
        (["shadow", "three"], "`lessonroom chat releases` lists, got three"),
        (["switch", "../one"], "expected a version"),
        (["switch", "packaged"], "another version"),
        (["rollback"], "before this one"),
        (["retrain", "--version", "one"], "there already"),
        (["retrain", "--version", "a b"], "expected letters"),
        (["evaluate", "x.jsonl", "--release", "a b"], "expected a version"),
        (["evaluate", "x.jsonl", "--release", "three"], "expected a release that `lessonroom chat releases` lists"),
        (
            ["check", "hello", "--release", "three"],
            "expected a release that `lessonroom chat releases` lists, got three",
        ),
        (["evaluate", "x.jsonl"], "expected a readable JSONL file, got: No such file or directory"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_changes_nothing(
    words: list[str], says: str, releases: Releases, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = releases.pointer()
    assert says in told(capsys, "chat", *words, "--data-dir", tmp_path)
    assert releases.pointer() == before


@pytest.mark.parametrize("command", [["switch", "one"], ["rollback"], ["releases"], ["retrain"], ["shadow", "--off"]])
def test_a_data_folder_that_is_none_is_told_and_not_made(
    command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "--data-dir" in told(capsys, "chat", *command, "--data-dir", tmp_path / "typo")
    assert not (tmp_path / "typo").exists()


@pytest.mark.usefixtures("quick")
def test_a_candidate_that_does_as_well_is_released(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = output(capsys, "chat", "retrain", "--data-dir", str(tmp_path), "--version", "next")
    assert out.splitlines()[-1] == "released: next serves as soon as the servers notice"
    assert Releases(tmp_path).pointer().current == "next"


@pytest.mark.usefixtures("quick")
def test_without_a_name_a_candidate_is_called_by_its_time(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record = json.loads(output(capsys, "chat", "retrain", "--data-dir", str(tmp_path), "--shadow", "--json"))
    assert Releases(tmp_path).pointer().shadow == record["version"]
    assert record["version"].replace("-", "").isdigit()


@pytest.mark.usefixtures("quick")
def test_a_candidate_that_does_worse_is_refused_with_exit_code_1_and_the_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    worse = Tally(1, 1, (0, 1), (1, 1), 0, 0, ("article-dog",))
    monkeypatch.setattr(retrain, "compare", lambda *_: worse)
    code = code_of("chat", "retrain", "--data-dir", tmp_path, "--version", "next")
    assert code == 1
    out = capsys.readouterr().out
    assert "refused: 1 of the lines that must never go wrong now would: article-dog" in out
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("labels", [[], HELD_OUT], ids=["none", "held out"])
def test_without_anything_to_learn_from_nothing_is_trained_and_that_is_told_at_once(
    labels: list[Row], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A training takes a quarter of an hour, and gives what was there before."""

    def worked(*_: object) -> None:
        raise AssertionError("something was read or trained")

    monkeypatch.setattr("lessonroom.labels.read", lambda settings: labels)
    monkeypatch.setattr(retrain, "gather", worked)
    line = told(capsys, "chat", "retrain", "--data-dir", tmp_path)
    assert "expected decisions whose writers agree to training, or --foreign" in line
    assert ("held out" in line) is bool(labels)
    assert list(tmp_path.iterdir()) == []


def test_a_release_is_measured_before_it_serves_and_the_page_names_it(
    releases: Releases, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, page = tmp_path / "labelled.jsonl", tmp_path / "page.html"
    path.write_text(json.dumps({"text": "8 905 123-45-67", "label": 1}) + "\n")
    output(
        capsys, "chat", "evaluate", str(path), "--html", str(page), "--release", "two", "--data-dir", str(tmp_path)
    )  # fmt: skip
    assert "judged by model two" in page.read_text()


def test_a_page_that_cannot_be_written_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "labelled.jsonl"
    path.write_text(json.dumps({"text": "hello", "label": 0}) + "\n")
    assert "expected a file to write the report to" in told(
        capsys, "chat", "evaluate", path, "--html", tmp_path / "no" / "page.html"
    )
