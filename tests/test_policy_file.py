"""The file of a policy table: what is taken, what is refused, and that a refusal quotes nothing."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable
from copy import deepcopy
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from lessonroom import logs
from lessonroom.errors import BadInput
from lessonroom.metrics import Metrics
from lessonroom.policy import NO_TABLE, Band, Beyond, Mode, Need, Setting
from lessonroom.policy_file import LARGEST, PACKAGED, load_table, table_in_force

SECRET = "quoted-nowhere"
GOOD: dict[str, Any] = {
    "schema": 1,
    "version": "counsel.1",
    "rows": [
        {
            "id": "fr-self-adult",
            "places": ["FR", "US-IL"],
            "settings": ["self"],
            "bands": ["18+"],
            "highest": "M1",
            "needs": ["written_release"],
            "beyond": {"mode": "M2", "needs": ["impact_assessment"]},
            "source": SECRET,
            "reviewer": "Our counsel",
            "expires": "2027-01-31",
            "note": SECRET,
        }
    ],
}


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """What is logged."""
    stream = io.StringIO()
    monkeypatch.setattr(logs, "_output", logs._Output(stream=stream))
    return stream


def written(folder: Path, content: object) -> Path:
    path = folder / "table.json"
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return path


def changed(change: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    table = deepcopy(GOOD)
    change(table)
    return table


def refused(path: Path) -> str:
    with pytest.raises(BadInput) as error:
        load_table(path)
    text = str(error.value)
    assert text.startswith("policy table: ")
    assert SECRET not in text
    assert "\n" not in text
    return text.removeprefix("policy table: ")


def test_counsels_own_table_is_read_as_it_stands(tmp_path: Path) -> None:
    table = load_table(written(tmp_path, GOOD))
    (row,) = table.rows
    assert (table.version, row.id, row.places) == ("counsel.1", "fr-self-adult", {"FR", "US-IL"})
    assert (row.settings, row.bands, row.highest) == ({Setting.SELF}, {Band.ADULT}, Mode.M1)
    assert (row.needs, row.beyond) == (
        {Need.WRITTEN_RELEASE},
        Beyond(Mode.M2, frozenset({Need.IMPACT_ASSESSMENT})),
    )
    assert (row.reviewer, row.expires) == ("Our counsel", date(2027, 1, 31))


def test_a_table_knows_the_digest_of_its_file_so_that_a_record_can_name_it() -> None:
    assert load_table(None).digest == hashlib.sha256(PACKAGED.read_bytes()).hexdigest()


@pytest.mark.parametrize(
    ("key", "value", "place"),
    [
        ("id", "A row", "rows.0.id"),
        ("id", "", "rows.0.id"),
        ("places", [], "rows.0.places"),
        ("places", "FR", "rows.0.places"),
        ("places", ["EU27"], "rows.0.places.0"),
        ("places", ["fr"], "rows.0.places.0"),
        ("places", ["FR", "UK"], "rows.0.places.1"),
        ("places", ["FR", "FR"], "rows.0.places"),
        ("settings", ["school"], "rows.0.settings.0"),
        ("settings", [], "rows.0.settings"),
        ("bands", ["18"], "rows.0.bands.0"),
        ("bands", [18], "rows.0.bands.0"),
        ("highest", "M4", "rows.0.highest"),
        ("highest", "M2", "rows.0"),
        ("highest", "M0", "rows.0"),
        ("highest", None, "rows.0.highest"),
        ("needs", ["patience"], "rows.0.needs.0"),
        ("needs", None, "rows.0.needs"),
        ("beyond", {"mode": "M2", "needs": []}, "rows.0.beyond.needs"),
        ("beyond", {"mode": "M2", "needs": ["guardian"]}, "rows.0.beyond"),
        ("beyond", "M2", "rows.0.beyond"),
        ("source", "", "rows.0.source"),
        ("reviewer", "", "rows.0.reviewer"),
        ("note", 7, "rows.0.note"),
        ("expires", "", "rows.0.expires"),
        ("expires", "2027-02-29", "rows.0.expires"),
        ("expires", "20270131", "rows.0.expires"),
        ("expires", "2027-01-31T00:00:00", "rows.0.expires"),
        ("expires", "2100-01-01", "rows.0.expires"),
        ("expires", 1_800_000_000, "rows.0.expires"),
        ("expires", None, "rows.0.expires"),
    ],
)
def test_a_field_that_is_not_as_expected_is_named_by_its_place(
    tmp_path: Path, key: str, value: object, place: str
) -> None:
    table = changed(lambda table: table["rows"][0].update({key: value}))
    assert refused(written(tmp_path, table)).partition(": ")[0] == place


@pytest.mark.parametrize("key", sorted(GOOD["rows"][0]))
def test_every_field_of_a_row_has_to_be_there(tmp_path: Path, key: str) -> None:
    """A default for a forgotten field would be a rule that nobody has written."""
    assert (
        refused(written(tmp_path, changed(lambda table: table["rows"][0].pop(key)))) == f"rows.0.{key}: Field required"
    )


@pytest.mark.parametrize(
    "change",
    [
        lambda table: table.update({SECRET: 1}),
        lambda table: table["rows"][0].update({SECRET: 1}),
        lambda table: table["rows"][0]["beyond"].update({SECRET: 1}),
        lambda table: table.update(schema=2),
        lambda table: table.update(schema="1"),
        lambda table: table.pop("schema"),
        lambda table: table.update(version=""),
        lambda table: table.update(rows=[]),
        lambda table: table.update(rows=table["rows"] * 2),
    ],
)
def test_an_unknown_field_a_newer_form_no_rows_or_equal_ids_are_refused(
    tmp_path: Path, change: Callable[[dict[str, Any]], object]
) -> None:
    refused(written(tmp_path, changed(change)))


@pytest.mark.parametrize(
    "content",
    [
        b"", b"{", b"[]", b"null", b"\xff\xfe", b"\xef\xbb\xbf{}", b'"' + SECRET.encode(), b"[" * 100_000,
        json.dumps(GOOD).encode() + b" " * LARGEST,
        b'{"schema": NaN}', b'{"schema": 1e999}', b'{"schema": ' + b"9" * 5000 + b"}",
    ],
)  # fmt: skip
def test_a_file_that_is_no_table_is_refused(tmp_path: Path, content: bytes) -> None:
    refused(written(tmp_path, content))


@pytest.mark.parametrize(
    ("once", "twice"),
    [
        ('"highest": "M1"', '"highest": "M1", "highest": "M1"'),
        ('"version"', '"version": "a", "version"'),
        ('"mode": "M2"', '"mode": "M2", "mode": "M3"'),
    ],
)
def test_a_key_that_stands_twice_is_refused_because_readers_differ_on_which_counts(
    tmp_path: Path, once: str, twice: str
) -> None:
    content = json.dumps(GOOD)
    assert once in content
    path = written(tmp_path, content.replace(once, twice).encode())
    assert refused(path) == "expected each key once in an object, got one twice"


def test_a_file_that_is_missing_or_a_folder_is_refused_without_its_name(tmp_path: Path) -> None:
    for path in (tmp_path / SECRET, tmp_path):
        assert "expected a file that can be read" in refused(path)


# --- at the start of a server ----------------------------------------------------------------------------------------


def test_an_unreadable_table_is_one_error_and_no_analysis_anywhere(tmp_path: Path, lines: io.StringIO) -> None:
    assert table_in_force(tmp_path / "none.json", today=date(2026, 11, 22)) is NO_TABLE
    (line,) = lines.getvalue().splitlines()
    assert "error" in line
    assert "every room is M0" in line


@pytest.mark.parametrize(("days", "warned"), [(60, False), (59, True), (0, True), (-1, True)])
def test_the_start_warns_two_months_before_the_first_row_expires(
    tmp_path: Path, lines: io.StringIO, days: int, warned: bool
) -> None:
    today = date(2027, 1, 31) - timedelta(days)
    assert table_in_force(written(tmp_path, GOOD), today=today).days_left(today) == days
    assert ("policy table expires" in lines.getvalue()) is warned
    assert (f"count={days}" in lines.getvalue()) is warned


def test_the_time_left_is_counted_at_each_reading_of_the_metrics() -> None:
    days = iter([3, 2])
    metrics = Metrics()
    metrics.policy_expires_in(lambda: next(days))
    assert b"lessonroom_policy_left_seconds 259200.0" in metrics.render()
    assert b"lessonroom_policy_left_seconds 172800.0" in metrics.render()
