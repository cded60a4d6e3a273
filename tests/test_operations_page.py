"""The page for operators says what is: every series, with its type and labels, and no series that there is not."""

from __future__ import annotations

import re
from pathlib import Path

from prometheus_client.metrics import MetricWrapperBase

from lessonroom.metrics import Metrics

PAGE = (Path(__file__).parent.parent / "docs" / "operations.md").read_text(encoding="utf-8")
UNITS = ("seconds", "bytes", "ratio", "celsius", "watts")


def told() -> dict[str, tuple[str, tuple[str, ...], str]]:
    """Type, labels and unit of each series in the page's table."""
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in PAGE.splitlines()]
    rows = [row for row in rows if len(row) == 6 and row[0].startswith("`")]
    assert all(meaning and action for *_, meaning, action in rows)
    return {row[0].strip("`"): (row[1], tuple(re.findall(r"`(\w+)`", row[2])), row[3]) for row in rows}


def real() -> dict[str, tuple[str, tuple[str, ...]]]:
    """Type and labels of each series in the registry."""
    found: dict[str, tuple[str, tuple[str, ...]]] = {}
    for collector in Metrics().registry._collector_to_names:
        for family in collector.collect():
            name = family.name + ("_total" if family.type == "counter" else "")
            labels = collector._labelnames if isinstance(collector, MetricWrapperBase) else ()
            found[name] = family.type, tuple(labels)
    return found


def test_the_page_has_every_series_and_no_other() -> None:
    """Both ways, with type and labels; on systems without /proc the process' own are not there."""
    there, written = real(), {name: row[:2] for name, row in told().items()}
    assert there.keys() - written.keys() == set()
    assert {name for name in written.keys() - there.keys() if not name.startswith("process_")} == set()
    assert {name: written[name] for name in there} == there


def test_a_series_with_a_unit_has_it_in_its_name() -> None:
    """Only counts of things have none: rooms, messages, frames."""
    for name, (_, _, unit) in told().items():
        ending = name.removesuffix("_total").rsplit("_", 1)[-1]
        said = unit.split()[-1].lower() if not unit.startswith("seconds since") else "seconds"
        assert (ending in UNITS) == (said in UNITS), name
        assert said == ending or ending not in UNITS, name


def test_counters_end_as_counters_do() -> None:
    assert all(name.endswith("_total") == (kind == "counter") for name, (kind, _) in real().items())
