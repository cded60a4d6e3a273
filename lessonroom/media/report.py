"""The report on one video: a page that needs nothing but itself, no script, no font, no other host. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any

from lessonroom import paper
from lessonroom.media.timeline import Stretch, draw, stretches
from lessonroom.media.types import Cue, Unseen
from lessonroom.media.words import ADVICE, CUES, UNSEEN, clock, lasting

Record = Mapping[str, Any]

MOST_ROWS = 200
"""Rows of the table of unseen time; the longest are shown."""


def page(name: str, records: Sequence[Record], *, threshold: float) -> str:
    """The page for the records of :mod:`lessonroom.media.analyse`, a ``clip`` first and a ``summary`` last."""
    clip, summary = records[0], records[-1]
    spacing = 1.0 / clip["samples_per_second"]
    hints = [record for record in records if record["type"] == "hint"]
    hidden = stretches(((row["at"], row.get("unseen")) for row in records if row["type"] == "observation"), spacing)
    return paper.page(
        name,
        (
            paper.head(name, _about(clip)),
            paper.figures(_figures(clip, summary)),
            paper.card("Timeline", draw(records, clip["seconds"], spacing, threshold) + paper.legend(LEGEND)),
            paper.card("Hints", _hints(hints, summary)),
            paper.card("Not seen", _unseen(summary, hidden)),
            paper.foot(FOOT),
        ),
        STYLE,
    )


def _about(clip: Record) -> str:
    return (
        f"{clock(clip['seconds'])} of video, {clip['width']}×{clip['height']}, "
        f"{clip['samples_per_second']:g} samples per second, on {escape(str(clip['provider']))}"
    )


def _figures(clip: Record, summary: Record) -> Iterator[tuple[str, str]]:
    watching = summary["watching"]
    yield f"{summary['seen']:.0%}", "of the time the face was seen"
    yield str(summary["hints"]), "hint" if summary["hints"] == 1 else "hints"
    yield lasting(summary["above"]), "at or above the threshold"
    yield lasting(watching.get("learning", 0.0)), "getting to know the face"
    yield lasting(watching.get("unsure", 0.0)), "unsure"


LEGEND = (
    ("swatch-line", "estimate of strain, against this person's own calm face"),
    ("swatch-hint", "hint to the teacher"),
    ("swatch-evidence", "evidence"),
    ("swatch-unseen", "not seen: counts neither way"),
    ("swatch-learning", "no estimate: learning or unsure"),
)


def _hints(hints: Sequence[Record], summary: Record) -> str:
    if not hints:
        seen = "Nobody was seen." if summary["seen"] == 0 else "Nothing held long enough to be worth a word."
        return f'<p class="none">No hint. {seen} Hints never come in the first two minutes unless set otherwise.</p>'
    rows = "".join(
        f"<li><b>{number}</b><div><p>{escape(CUES[Cue(hint['cue'])])}.</p>"
        f"<p class=advice>{escape(ADVICE[hint['advice']])}</p></div><time>{clock(hint['at'])}</time></li>"
        for number, hint in enumerate(hints, 1)
    )
    return f'<ol class="hints">{rows}</ol>'


def _unseen(summary: Record, hidden: Sequence[Stretch]) -> str:
    if not summary["unseen"]:
        return '<p class="none">The face was seen in every sample.</p>'
    sums = sorted(summary["unseen"].items(), key=lambda pair: -pair[1])
    longest = sorted(sorted(hidden, key=lambda each: each.start - each.end)[:MOST_ROWS], key=lambda each: each.start)
    each_time = paper.table(
        ("At", "For", "Reason"),
        ((clock(each.start), lasting(max(1.0, each.end - each.start)), UNSEEN[Unseen(each.what)]) for each in longest),
    )
    return (
        paper.table(("Reason", "In all"), ((UNSEEN[Unseen(reason)], lasting(seconds)) for reason, seconds in sums))
        + f"<details><summary>Each time, {len(hidden)} in all</summary>{each_time}</details>"
    )


FOOT = (
    "Strain is a guess from a camera picture against the person's own calm face. It is no measure of a "
    "person, of knowledge or of a teacher, and it is often wrong: people also frown when they think. "
    "Use it to ask, never to judge."
)

STYLE = """
.timeline{display:block;width:100%;min-width:40rem;height:auto;font:12px system-ui,sans-serif}
.state{font-style:italic}
.area{fill:var(--area)}
rect.learning,rect.unsure{fill:var(--unseen);opacity:.22}
rect.evidence{fill:var(--evidence)}
rect.unseen{fill:var(--unseen)}
.hint line{stroke:var(--hint);stroke-width:1.25}
.hint circle{fill:var(--hint)}
.hint text{fill:var(--hint-ink);font-weight:650;font-size:13px}
.swatch-hint{background:var(--hint);width:.75rem!important;height:.75rem!important;border-radius:50%!important;
vertical-align:-1px}
.swatch-unseen{background:var(--unseen)}
.swatch-learning{background:var(--unseen);opacity:.35}
.hints{margin:0;padding:0;list-style:none}
.hints li{display:flex;gap:1rem;align-items:flex-start;padding:.85rem 0;border-top:1px solid var(--rule)}
.hints li:first-child{border-top:0;padding-top:0}
.hints li:last-child{padding-bottom:0}
.hints b{flex:none;width:1.6rem;height:1.6rem;border-radius:50%;background:var(--hint);color:var(--hint-ink);
text-align:center;line-height:1.6rem;font-size:.85rem}
.hints p{margin:0}
.hints time{margin-left:auto;color:var(--soft);font-variant-numeric:tabular-nums}
.advice{color:var(--soft)}
@media print{.timeline{min-width:0}}
"""
