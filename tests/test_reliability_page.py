"""docs/reliability.md names tests that exist, and has a row for everything that a server must bear."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")
ROWS = (
    "admission", "SDP and ICE", "sockets", "slow readers", "storm", "kill -9", "outage", "model failures", "fuzzing",
    "load", "soak", "supply chain",
)  # fmt: skip


def test_every_test_that_the_page_names_exists() -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)`", PAGE)
    assert len(named) > 12
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_everything_that_a_server_must_bear_has_a_row() -> None:
    assert [row for row in ROWS if f"\n| {row} |" not in PAGE] == []
