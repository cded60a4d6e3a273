"""Policy tables for tests."""

from __future__ import annotations

import json
from pathlib import Path

from lessonroom.policy import Band, Mode
from lessonroom.policy_file import PACKAGED
from lessonroom.simulate.facts import PLACE


def minors_allowed(folder: Path) -> Path:
    """The packaged table with one row that goes further, as counsel of some place may write it.

    In ``facts.PLACE`` the server may look at students of 13 to 15 whose guardian agrees.
    """
    table = json.loads(PACKAGED.read_text(encoding="utf-8"))
    for row in table["rows"]:
        if PLACE in row["places"] and Band.FROM_13 in row["bands"]:
            row["highest"] = Mode.M3.value
    path = folder / "table.json"
    path.write_text(json.dumps(table), encoding="utf-8")
    return path
