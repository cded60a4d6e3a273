"""Labelled messages: reading them, and splitting them by family. No row of a family is on two sides of a split."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from lessonroom.chat.types import Line
from lessonroom.errors import BadInput

CORPUS: Final = Path(__file__).parent / "corpus"
FOREIGN: Final = "foreign-"
"""How families of other people's texts begin."""
PARTS: Final = (("train", 0.6), ("validation", 0.2), ("test", 0.2))


@dataclass(frozen=True, slots=True)
class Row:
    """One labelled message. ``label``: 1 gives a contact away. ``context``: earlier lines; ``sender``: who wrote it.

    ``before``: 1 where one of the earlier lines gives a contact away, asks for one or proposes to leave, too.
    """

    text: str
    label: int
    kind: str = ""
    lang: str = ""
    difficulty: str = ""
    family: str = ""
    sender: str = ""
    context: tuple[Line, ...] = ()
    before: int = 0


def read_rows(path: Path, family: str = "") -> list[Row]:
    """All rows of a JSONL file. Raises BadInput, naming file and line, for a row that is not labelled text."""
    try:
        # by newlines alone: a text may hold the characters that Unicode calls line separators, too
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    except OSError as error:
        raise BadInput(f"{path.name}: expected a readable JSONL file, got: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise BadInput(f"{path.name}: expected a JSONL file in UTF-8, got one in another encoding") from error
    return [_row(line, f"{path.name}:{i}", family) for i, line in enumerate(lines, start=1) if line.strip()]


def _row(line: str, where: str, family: str) -> Row:
    try:
        raw: dict[str, Any] = json.loads(line)
        said = [Line(str(item.get("from", "")), _text(item["text"])) for item in raw.get("conversation", ())]
        text, sender = (said[-1].text, said[-1].sender) if said else (_text(raw["text"]), "")
        label, before = int(raw["label"]), int(raw.get("before", 0))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise BadInput(f"{where}: expected an object with label and text or conversation, got something else") from None
    if label not in {0, 1} or before not in {0, 1}:
        raise BadInput(f"{where}: expected 0 or 1 for label and before, got another number")
    words = {key: str(raw.get(key) or "") for key in ("kind", "lang", "difficulty")}
    kin = family or str(raw.get("family") or "")
    return Row(text, label, family=kin, sender=sender, context=tuple(said[:-1]), before=before, **words)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def corpus() -> list[Row]:
    """The messages that were written by hand, conversations included."""
    paths = sorted(CORPUS.glob("contacts_*.jsonl")) + sorted(CORPUS.glob("harmless_*.jsonl"))
    return [row for path in [*paths, CORPUS / "conversations.jsonl"] for row in read_rows(path)]


def foreign(folder: Path) -> Iterator[Row]:
    """Labelled JSONL files of other people, one family a file. Raises BadInput where there are none."""
    paths = sorted(folder.glob("*.jsonl"))
    if not paths:
        raise BadInput(f"{folder.name}: expected *.jsonl files of labelled messages, found none")
    for path in paths:
        yield from read_rows(path, family=FOREIGN + path.stem)


def part_of(family: str, salt: str = "") -> str:
    """train, validation or test: by the family's name alone, so that it never moves."""
    share = share_of(family, salt)
    for part, size in PARTS:
        if share < size:
            return part
        share -= size
    return "test"


def share_of(family: str, salt: str = "") -> float:
    """A number from 0 to 1 that a family has for ever, to take the same share of families every time."""
    return int.from_bytes(hashlib.sha256(f"{salt}{family}".encode()).digest()[:4], "big") / 2**32


def split(rows: Iterable[Row]) -> dict[str, list[Row]]:
    """The rows of each part."""
    out: dict[str, list[Row]] = {part: [] for part, _ in PARTS}
    for row in rows:
        out[part_of(row.family)].append(row)
    return out


def folds(rows: Sequence[Row], count: int) -> list[list[int]]:
    """Indices of the rows of each fold, whole families together.

    Texts of other people are no family of ways to write: their rows are dealt out one by one.
    """
    out: list[list[int]] = [[] for _ in range(count)]
    for i, row in enumerate(rows):
        key = row.text if row.family.startswith(FOREIGN) else row.family
        out[int(share_of(key, "fold") * count)].append(i)
    return out
