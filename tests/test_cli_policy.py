"""``policy explain`` from outside: what it answers to people and to programs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lessonroom.policy_file import PACKAGED
from tests.test_cli import output, told

ON = ("--on", "2026-11-22")


@pytest.fixture(autouse=True)
def _unset(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("POLICY_TABLE", "PROVIDER_PLACE", "SERVER_PLACE", "IMPACT_ASSESSMENT"):
        monkeypatch.delenv(f"LESSONROOM_{name}", raising=False)


def explained(capsys: pytest.CaptureFixture[str], *words: str | Path) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(output(capsys, "policy", "explain", "--json", *ON, *words))
    return answer


def about(place: str, age: int, setting: str = "self") -> tuple[str, ...]:
    return ("--jurisdiction", place, "--setting", setting, "--age", str(age))


@pytest.mark.parametrize(
    ("words", "mode", "row", "needs"),
    [
        (about("DE", 30, "institution"), "M0", "eu-institution", []),
        (about("DE", 30, "employer"), "M0", "eu-employer", []),
        (about("DE", 30), "M2", "eu-self-adult", []),
        ((*about("DE", 30), "--impact-assessment", "dpia-1"), "M3", "eu-self-adult", []),
        (about("DE", 17), "M0", None, []),
        (about("uk", 30), "M2", "gb-self-adult", []),
        (about("US-IL", 30), "M2", "us-il-self-adult", ["written_release"]),
        ((*about("US-IL", 30), "--written-release"), "M2", "us-il-self-adult", []),
        (about("US-IL", 17), "M0", None, []),
        (about("US-CA", 30), "M3", "us-self-adult", []),
        (about("us-ca", 17), "M2", "us-self-13-to-17", ["guardian"]),
        ((*about("US-CA", 12), "--guardian"), "M2", "us-self-under-13", []),
        (about("RU", 30), "M2", "ru-self-adult", []),
        ((*about("RU", 30), "--server", "ru"), "M3", "ru-self-adult", []),
        ((*about("RU", 30), "--server", "Moscow"), "M2", "ru-self-adult", []),
        (about("RU", 10), "M2", "ru-self-minor", ["guardian"]),
        (about("JP", 30), "M0", None, []),
        (about("Atlantis", 30), "M0", None, []),
        ((), "M0", None, []),
        ((*about("US-CA", 30), "--teacher", "DE"), "M2", "eu-self-adult", []),
        ((*about("US-CA", 30), "--provider", "JP"), "M0", None, []),
        ((*about("US-CA", 30), "--cap", "M1"), "M1", "us-self-adult", []),
        ((*about("US-IL", 30), "--cap", "M0"), "M0", "us-il-self-adult", []),
    ],
)
def test_the_mode_and_the_row_that_decides(
    capsys: pytest.CaptureFixture[str], words: tuple[str, ...], mode: str, row: str | None, needs: list[str]
) -> None:
    answer = explained(capsys, *words)
    assert (answer["mode"], answer["row"], answer["needs"]) == (mode, row, needs)
    assert (answer["source"] is None) == (answer["reviewer"] is None) == (answer["expires"] is None) == (row is None)
    assert answer["why"]


def test_the_answer_says_what_would_raise_the_mode_and_how_it_understood_the_facts(
    capsys: pytest.CaptureFixture[str],
) -> None:
    answer = explained(capsys, *about("de", 18), "--cap", "M1", "--provider", "nowhere at all")
    assert answer["facts"] == {
        "jurisdiction": "DE", "setting": "self", "age": 18, "band": "18+", "teacher": "DE", "provider": None,
        "server": None, "impact_assessment": None, "written_release": False, "guardian": False, "on": "2026-11-22",
    }  # fmt: skip
    answer = explained(capsys, *about("de", 18), "--cap", "M1")
    assert (answer["mode"], answer["highest"]) == ("M1", "M2")
    assert answer["raises"] == {"mode": "M3", "needs": ["impact_assessment"]}
    assert answer["why"].endswith("the room's cap is M1")


def test_what_the_settings_say_counts_where_no_option_does(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LESSONROOM_IMPACT_ASSESSMENT", "dpia-1")
    assert explained(capsys, *about("DE", 30))["mode"] == "M3"
    monkeypatch.setenv("LESSONROOM_PROVIDER_PLACE", "RU")
    assert explained(capsys, *about("DE", 30))["row"] == "ru-self-adult"
    monkeypatch.setenv("LESSONROOM_SERVER_PLACE", "RU")
    assert explained(capsys, *about("DE", 30))["mode"] == "M3"
    assert explained(capsys, *about("DE", 30), "--server", "", "--impact-assessment", "")["mode"] == "M2"


@pytest.mark.parametrize(("day", "mode"), [("2027-11-30", "M3"), ("2027-12-01", "M0")])
def test_an_expired_row_is_named_and_allows_nothing(capsys: pytest.CaptureFixture[str], day: str, mode: str) -> None:
    answer = explained(capsys, *about("US-CA", 30), "--on", day)
    assert (answer["mode"], answer["row"], answer["expires"]) == (mode, "us-self-adult", "2027-11-30")


def test_a_table_of_ones_own_decides_and_a_broken_one_is_an_error(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "own.json"
    own.write_text(PACKAGED.read_text().replace('"M3"', '"M1"').replace("2026-11-22", "counsel.1"))
    monkeypatch.setenv("LESSONROOM_POLICY_TABLE", str(own))
    assert "beyond" in told(capsys, "policy", "explain", *about("US-CA", 30))
    own.write_text(PACKAGED.read_text().replace('"highest": "M3"', '"highest": "M1"').replace("2026-11-22", "own.1"))
    answer = explained(capsys, *about("US-CA", 30))
    assert (answer["mode"], answer["version"]) == ("M1", "own.1")
    assert explained(capsys, *about("US-CA", 30), "--table", PACKAGED)["mode"] == "M3"


def test_people_read_the_same_in_lines(capsys: pytest.CaptureFixture[str]) -> None:
    lines = output(capsys, "policy", "explain", *ON, *about("US-IL", 30)).splitlines()
    assert lines[0].startswith("M2  student in US-IL, self, 18+: row us-il-self-adult allows at most M2")
    assert lines[1] == "needs:    written_release; until then M0"
    assert [line.partition(":")[0] for line in lines[2:]] == ["source", "note", "reviewer", "expires", "version"]
    assert "raises:   M3 with impact_assessment" in output(capsys, "policy", "explain", *ON, *about("DE", 30))
    assert output(capsys, "policy", "explain", *ON).startswith("M0  student: setting unknown, so M0\n")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("--age", "-1"), "--age"),
        (("--age", "121"), "--age"),
        (("--age", "young"), "--age"),
        (("--setting", "school"), "--setting"),
        (("--on", "tomorrow"), "--on"),
        (("--cap", "M4"), "--cap"),
        (("--table", "/nowhere/at/all"), "expected a file that can be read"),
    ],
)
def test_a_word_that_the_command_does_not_know_is_an_error(
    capsys: pytest.CaptureFixture[str], words: tuple[str, ...], expected: str
) -> None:
    assert expected in told(capsys, "policy", "explain", *words)
