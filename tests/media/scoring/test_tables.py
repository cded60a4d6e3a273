"""Lines and tables that people hand over: right ones are read, of wrong ones the line is named and not the words."""

from __future__ import annotations

import json
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest

from lessonroom.errors import BadInput
from lessonroom.media.scoring import tables
from lessonroom.media.scoring.tables import Asked

GOOD = [{"id": 1, "path": "a.png"}, {"id": "два", "path": "b.png"}, {"path": "c.png"}]


class Drops:
    """A pipe that brings what was written a few bytes at a time, as pipes may."""

    def __init__(self, data: bytes, size: int) -> None:
        self._data = BytesIO(data)
        self._size = size
        self.taken = 0

    def read1(self, size: int = -1, /) -> bytes:
        self.taken += 1
        return self._data.read(self._size)


def written(*records: object) -> bytes:
    return "".join(json.dumps(record) + "\n" for record in records).encode()


def together(groups: Iterator[list[Asked]]) -> list[Asked]:
    return [each for group in groups for each in group]


@pytest.mark.parametrize("size", [1, 3, 17, 10_000])
def test_lines_are_the_same_however_a_pipe_cuts_them(size: int) -> None:
    found = together(tables.asked(Drops(written(*GOOD), size)))
    assert found == [Asked(1, "a.png"), Asked("два", "b.png"), Asked("c.png", "c.png")]


def test_the_last_line_needs_no_end_and_empty_ones_are_passed_over() -> None:
    data = b"\n" + written(*GOOD).rstrip() + b"\n\n  \n" + b'{"path": "d.png"}'
    assert [each.path for each in together(tables.asked(BytesIO(data)))] == ["a.png", "b.png", "c.png", "d.png"]


def test_a_line_is_handed_on_before_the_next_is_waited_for() -> None:
    """Whoever asks one by one, and reads each answer first, must not wait for a full batch."""
    line = written(GOOD[0])
    pipe = Drops(line * 5, len(line))
    assert next(tables.asked(pipe)) == [Asked(1, "a.png")]
    assert pipe.taken == 1


@pytest.mark.parametrize(
    "bad", [b"secret", b"[1]", b'{"id": 7}', b'{"path": ["secret"]}', b"\xff\xfe\xff", b"[" * 20_000]
)
def test_a_bad_line_is_named_by_number_after_those_before_it(bad: bytes) -> None:
    groups = tables.asked(BytesIO(written(*GOOD[:2]) + b"\n" + bad + b"\n" + written(GOOD[2])))
    assert [each.id for each in next(groups)] == [1, "два"]
    with pytest.raises(BadInput, match=r"^line 4: expected") as told:
        next(groups)
    assert "secret" not in str(told.value)


def test_a_file_of_lines_is_read_and_counted(tmp_path: Path) -> None:
    path = tmp_path / "asked.jsonl"
    path.write_bytes(written(*GOOD))
    assert len(together(tables.asked_in(path))) == tables.count(path) == 3
    assert tables.count(tmp_path) == 0


def test_scores_come_one_by_one_and_need_an_id(tmp_path: Path) -> None:
    path = tmp_path / "scores.jsonl"
    path.write_bytes(written({"id": 1}, {"id": "b"}) + b"\n" + written({"quality": 1}))
    found = tables.scores(path)
    assert [next(found)["id"], next(found)["id"]] == [1, "b"]
    with pytest.raises(BadInput, match=r"scores.jsonl:4: expected an id, got none"):
        next(found)


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_a_table_is_read_as_spreadsheets_write_it(separator: str, encoding: str, tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    rows = [("path", "label", "who"), (" a.png", "anger ", '"Аня"'), ("", "", ""), ("b.png", "fear", "")]
    path.write_text("\r\n".join(separator.join(row) if any(row) else "" for row in rows), encoding=encoding)
    assert tables.labels(path, "path", "label") == [
        {"path": "a.png", "label": "anger", "who": "Аня"},
        {"path": "b.png", "label": "fear", "who": ""},
    ]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "expected one column path, got 0"),
        ("path,path,label\n", "expected one column path, got 2"),
        ("path,label\n", "expected rows"),
        ("path,label\nsecret,anger,more\n", ":2: expected 2 columns, got 3"),
        ('path,label\n"sec\nret",anger\nsecret\n', ":4: expected 2 columns, got 1"),
        ("path,label\nsecret,\n", ":2: expected something under label"),
        ('path,label\n"secret', "expected a table in UTF-8, got Error"),
    ],
)
def test_a_wrong_table_is_told_by_line_without_its_words(text: str, says: str, tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    path.write_text(text)
    with pytest.raises(BadInput) as told:
        tables.labels(path, "path", "label")
    assert says in str(told.value)
    assert str(told.value).startswith("labels.csv:")
    assert "secret" not in str(told.value)


def test_a_table_that_is_none_is_told(tmp_path: Path) -> None:
    (tmp_path / "latin.csv").write_bytes("path,label\nä,anger\n".encode("latin-1"))
    for name in ("latin.csv", "missing.csv", "."):
        with pytest.raises(BadInput, match="expected a"):
            tables.labels(tmp_path / name, "path")


def test_rows_are_found_by_a_column_that_holds_each_name_once() -> None:
    rows = [{"id": "a"}, {"id": "b"}]
    assert list(tables.by_id(rows, "id", "labels.csv")) == ["a", "b"]
    with pytest.raises(BadInput, match="expected every id once, got 2 more than once"):
        tables.by_id([*rows, *rows], "id", "labels.csv")
    with pytest.raises(BadInput, match="expected something under path"):
        tables.by_id(rows, "path", "labels.csv")
