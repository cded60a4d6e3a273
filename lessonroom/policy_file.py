"""Reads a policy table from its file: every field is checked, and a key that stands twice is an error.

The table of the package stands beside this module; ``policy_table`` names another. docs/policy.md describes the form.
An error says which place of the file was expected to be what, and never what stands there.
"""

from __future__ import annotations

import hashlib
import json
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import ErrorDetails, PydanticCustomError

from lessonroom import logs
from lessonroom.errors import BadInput
from lessonroom.policy import NO_TABLE, OF_THE_OPERATOR, Band, Beyond, Mode, Need, Row, Setting, Table, read_place

log = logs.get(__name__)

PACKAGED: Final = Path(__file__).with_name("policy_table.json")
LARGEST: Final = 1_048_576
"""Bytes of the largest file that is read."""
LATEST: Final = date(2099, 12, 31)
WARN_DAYS: Final = 60
"""From so many days before the first row expires the start of a server warns."""


def _is_place(value: str) -> str:
    if read_place(value) != value:
        raise PydanticCustomError("place", "expected a country or subdivision of ISO 3166, such as DE or US-IL")
    return value


def _is_day(value: str) -> str:
    try:
        day = date.fromisoformat(value)
    except ValueError:
        day = date.max
    if day > LATEST or day.isoformat() != value:
        raise PydanticCustomError("day", "expected a day as YYYY-MM-DD, before the year 2100")
    return value


def _once(values: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(values)) < len(values):
        raise PydanticCustomError("twice", "expected each word once")
    return values


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, hide_input_in_errors=True)


Text = Annotated[str, Field(min_length=1, max_length=2000)]
Word = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]{0,59}$")]
Place = Annotated[str, AfterValidator(_is_place)]
Day = Annotated[str, AfterValidator(_is_day)]
Places = Annotated[tuple[Place, ...], Field(min_length=1), AfterValidator(_once)]
Settings = Annotated[tuple[Setting, ...], Field(min_length=1), AfterValidator(_once)]
Bands = Annotated[tuple[Band, ...], Field(min_length=1), AfterValidator(_once)]
Needs = Annotated[tuple[Need, ...], AfterValidator(_once)]


class _Beyond(_Strict):
    mode: Mode
    needs: Annotated[Needs, Field(min_length=1)]

    @model_validator(mode="after")
    def _settled_for_all(self) -> Self:
        if not set(self.needs) <= OF_THE_OPERATOR:
            expected = " or ".join(sorted(OF_THE_OPERATOR))
            raise PydanticCustomError(
                "needs", "expected needs of the operator only: {expected}", {"expected": expected}
            )
        return self


class _Row(_Strict):
    id: Word
    places: Places
    settings: Settings
    bands: Bands
    highest: Mode
    needs: Needs
    beyond: _Beyond | None
    source: Text
    reviewer: Text
    expires: Day
    note: Text

    @model_validator(mode="after")
    def _together(self) -> Self:
        if self.highest is Mode.M0 and self.needs:
            raise PydanticCustomError("needs", "expected no needs where highest is M0")
        if self.beyond is not None and self.beyond.mode <= self.highest:
            raise PydanticCustomError("beyond", "expected beyond to have a mode above highest")
        return self

    def row(self) -> Row:
        beyond = Beyond(self.beyond.mode, frozenset(self.beyond.needs)) if self.beyond else None
        return Row(
            self.id, frozenset(self.places), frozenset(self.settings), frozenset(self.bands), self.highest,
            frozenset(self.needs), beyond, self.source, self.reviewer, date.fromisoformat(self.expires), self.note,
        )  # fmt: skip


class _Table(_Strict):
    form: Literal[1] = Field(alias="schema")
    version: Word
    rows: Annotated[tuple[_Row, ...], Field(min_length=1, max_length=2000)]

    @model_validator(mode="after")
    def _ids_differ(self) -> Self:
        if len({row.id for row in self.rows}) < len(self.rows):
            raise PydanticCustomError("ids", "expected rows with different ids")
        return self


def load_table(path: Path | None) -> Table:
    """The table in this file; None: that of the package. Raises BadInput, whose text names the place in the form."""
    data = _read(path or PACKAGED)
    _well_formed(data)
    try:
        table = _Table.model_validate_json(data)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        raise BadInput(f"policy table: {_place_of(first)}: {first['msg']}") from None
    return Table(table.version, tuple(row.row() for row in table.rows), hashlib.sha256(data).hexdigest())


def table_in_force(path: Path | None, *, today: date) -> Table:
    """The table for a server that starts now: a log line tells when it expires soon.

    One that cannot be read is one error in the log and a table without rows: every room is ``M0``, all else works.
    """
    try:
        table = load_table(path)
    except BadInput as error:
        log.error("policy table unreadable, every room is M0", error=str(error))
        return NO_TABLE
    if (days := table.days_left(today)) < WARN_DAYS:
        log.warning("policy table expires in so many days, then its rows are M0", count=days, version=table.version)
    return table


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
    except OSError as error:
        raise BadInput(f"policy table: expected a file that can be read, got: {error.strerror}") from None
    if len(data) > LARGEST:
        raise BadInput(f"policy table: expected at most {LARGEST} bytes, got more")
    return data


def _well_formed(data: bytes) -> None:
    """What pydantic's reader lets through: the same key twice, of which the last would win unseen."""
    try:
        json.loads(data, object_pairs_hook=_distinct)
    except RecursionError:
        raise BadInput("policy table: expected JSON of little depth, got more") from None
    except ValueError as error:
        raise BadInput(f"policy table: expected JSON in UTF-8, got something else{_line_of(error)}") from None


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise BadInput("policy table: expected each key once in an object, got one twice")
    return found


def _line_of(error: ValueError) -> str:
    return f" in line {error.lineno}" if isinstance(error, json.JSONDecodeError) else ""


def _place_of(error: ErrorDetails) -> str:
    """``rows.3.expires``. A key that is not of the form is left out: it is contents."""
    parts = error["loc"][:-1] if error["type"] == "extra_forbidden" else error["loc"]
    return ".".join(map(str, parts)) or "file"
