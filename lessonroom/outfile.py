"""The file of a report, asked for by a command that works for long before it has anything to write."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from lessonroom.errors import BadInput


@contextmanager
def report_file(path: Path | None) -> Iterator[TextIO | None]:
    """The report's file, opened before the work, so that nobody waits for a report that cannot be written.

    An older report keeps its words until the new one is there; a new file goes again when the work fails.
    """
    if path is None:
        yield None
        return
    new = not path.exists()
    try:
        file = path.open("a", encoding="utf-8")
    except OSError as error:
        raise BadInput(f"{path}: expected a file to write the report to, got: {error.strerror}") from None
    try:
        with file:
            yield file
    except BaseException:
        if new:
            path.unlink(missing_ok=True)
        raise
