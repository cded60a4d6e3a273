"""What people hand over about many pictures: lines that ask for scores, lines with scores, and tables of labels.

Everything is checked as it is read; an error names the line and what was expected there, never what stood there.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from lessonroom.errors import BadInput

CHUNK = 65_536
SEPARATORS = ",;\t"


class Stream(Protocol):
    """Bytes that come in as they are written: a pipe or a file, opened for buffered binary reading."""

    def read1(self, size: int = -1, /) -> bytes:
        """Up to ``size`` bytes with at most one wait; none at the end."""
        ...


@dataclass(frozen=True, slots=True)
class Asked:
    """One picture to score. ``id``: whatever JSON the asker knows it by."""

    id: Any
    path: str


def asked(stream: Stream) -> Iterator[list[Asked]]:
    """The pictures that lines ``{"id", "path"}`` ask for, in groups as they come in; without an id it is the path.

    Raises BadInput, with the number of the line, for a line that is none, after handing out those before it.
    """
    number = 0
    for group in _lines(stream):
        found: list[Asked] = []
        for line in group:
            number += 1
            try:
                found += [_asked(line, f"line {number}")] if line.strip() else []
            except BadInput:
                yield found
                raise
        yield found


def asked_in(path: Path | None) -> Iterator[list[Asked]]:
    """The same from a file, or from standard input where that is None or ``-``. Raises OSError, too."""
    place: Path | int = 0 if path is None or str(path) == "-" else path
    with open(place, "rb", closefd=place != 0) as stream:
        yield from asked(stream)


def of_paths(paths: Iterable[Path]) -> list[Asked]:
    """Pictures known by their paths."""
    return [Asked(str(path), str(path)) for path in paths]


def count(path: Path) -> int:
    """How many lines a file has; 0 for what is no file."""
    if not path.is_file():
        return 0
    with path.open("rb") as file:
        return sum(1 for _ in file)


def scores(path: Path) -> Iterator[Mapping[str, Any]]:
    """The records that ``lessonroom vision score`` wrote, one by one: memory does not grow with their number.

    Raises BadInput, with file and line, for a line that is no object with an id, and OSError.
    """
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if line.strip():
                where = f"{path.name}:{number}"
                record = _object(line, where)
                if record.get("id") is None:
                    raise BadInput(f"{where}: expected an id, got none")
                yield record


def labels(path: Path, *columns: str) -> list[dict[str, str]]:
    """The rows of a table with named columns, comma, semicolon or tab between them, spaces at the ends taken off.

    UTF-8, with or without a byte-order mark. ``columns`` must be there and filled in every row. Raises BadInput.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, delimiter=_separator(file.readline()), strict=True)
            file.seek(0)
            names = _names(next(reader, []), columns, path.name)
            found = [_row(names, values, columns, f"{path.name}:{reader.line_num}") for values in reader if values]
    except OSError as error:
        raise BadInput(f"{path.name}: expected a readable table, got: {error.strerror}") from None
    except (csv.Error, UnicodeDecodeError) as error:
        raise BadInput(f"{path.name}: expected a table in UTF-8, got {type(error).__name__}") from None
    if not found:
        raise BadInput(f"{path.name}: expected rows below the names of the columns, got none")
    return found


def by_id(rows: Sequence[Mapping[str, str]], column: str, name: str) -> dict[str, Mapping[str, str]]:
    """Rows under what stands in a column. Raises BadInput where nothing stands there, or the same twice."""
    if not all(row.get(column) for row in rows):
        raise BadInput(f"{name}: expected something under {column} in every row, got nothing in some")
    found = {row[column]: row for row in rows}
    if len(found) < len(rows):
        raise BadInput(f"{name}: expected every {column} once, got {len(rows) - len(found)} more than once")
    return found


def _lines(stream: Stream) -> Iterator[list[bytes]]:
    """Lines as they come in, as many as one read brings; never waits while a whole line is there."""
    rest = b""
    while chunk := stream.read1(CHUNK):
        *whole, rest = (rest + chunk).split(b"\n")
        yield whole
    yield [rest]


def _asked(line: bytes, where: str) -> Asked:
    record = _object(line, where)
    path = record.get("path")
    if not isinstance(path, str):
        raise BadInput(f"{where}: expected a string under path, got {type(path).__name__}")
    return Asked(path if record.get("id") is None else record["id"], path)


def _object(line: bytes, where: str) -> Mapping[str, Any]:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        raise BadInput(f"{where}: expected one JSON object, got something else") from None
    if not isinstance(record, dict):
        raise BadInput(f"{where}: expected a JSON object, got {type(record).__name__}")
    return record


def _separator(header: str) -> str:
    return max(SEPARATORS, key=header.count)


def _names(header: Sequence[str], needed: Sequence[str], name: str) -> list[str]:
    names = [each.strip() for each in header]
    for column in needed:
        if names.count(column) != 1:
            raise BadInput(f"{name}: expected one column {column}, got {names.count(column)}")
    return names


def _row(names: Sequence[str], values: Sequence[str], needed: Sequence[str], where: str) -> dict[str, str]:
    if len(values) != len(names):
        raise BadInput(f"{where}: expected {len(names)} columns, got {len(values)}")
    row = {name: value.strip() for name, value in zip(names, values, strict=True)}
    for column in needed:
        if not row[column]:
            raise BadInput(f"{where}: expected something under {column}, got nothing")
    return row
