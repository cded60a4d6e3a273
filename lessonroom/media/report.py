"""The report on one video: a page that needs nothing but itself, no script, no font, no other host. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any

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
    parts = (
        _head(name, clip),
        f'<section class="figures" aria-label="In short">{"".join(_figures(clip, summary))}</section>',
        _card("Timeline", draw(records, clip["seconds"], spacing, threshold) + _legend()),
        _card("Hints", _hints(hints, summary)),
        _card("Not seen", _unseen(summary, hidden)),
        _foot(),
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        f"<title>{escape(name)} – Lessonroom</title><style>{STYLE}</style></head>"
        f"<body><main>{''.join(parts)}</main></body></html>\n"
    )


def _card(title: str, inside: str) -> str:
    return f'<section class="card"><h2>{title}</h2>{inside}</section>'


def _head(name: str, clip: Record) -> str:
    return (
        f'<header><p class="product">Lessonroom</p><h1>{escape(name)}</h1><p class="about">'
        f"{clock(clip['seconds'])} of video, {clip['width']}×{clip['height']}, "
        f"{clip['samples_per_second']:g} samples per second, on {escape(str(clip['provider']))}</p></header>"
    )


def _figures(clip: Record, summary: Record) -> Iterator[str]:
    watching = summary["watching"]
    yield _figure(f"{summary['seen']:.0%}", "of the time the face was seen")
    yield _figure(str(summary["hints"]), "hint" if summary["hints"] == 1 else "hints")
    yield _figure(lasting(summary["above"]), "at or above the threshold")
    yield _figure(lasting(watching.get("learning", 0.0)), "getting to know the face")
    yield _figure(lasting(watching.get("unsure", 0.0)), "unsure")


def _figure(value: str, meaning: str) -> str:
    return f"<div><strong>{escape(value)}</strong><span>{meaning}</span></div>"


def _legend() -> str:
    rows = (
        ("swatch-line", "estimate of strain, against this person's own calm face"),
        ("swatch-hint", "hint to the teacher"),
        ("swatch-evidence", "evidence"),
        ("swatch-unseen", "not seen: counts neither way"),
        ("swatch-learning", "no estimate: learning or unsure"),
    )
    return f'<ul class="legend">{"".join(f"<li><i class={kind}></i>{text}</li>" for kind, text in rows)}</ul>'


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
    sums = "".join(
        f"<tr><td>{UNSEEN[Unseen(reason)]}</td><td>{lasting(seconds)}</td></tr>"
        for reason, seconds in sorted(summary["unseen"].items(), key=lambda pair: -pair[1])
    )
    longest = sorted(sorted(hidden, key=lambda each: each.start - each.end)[:MOST_ROWS], key=lambda each: each.start)
    rows = "".join(
        f"<tr><td>{clock(each.start)}</td><td>{lasting(max(1.0, each.end - each.start))}</td>"
        f"<td>{UNSEEN[Unseen(each.what)]}</td></tr>"
        for each in longest
    )
    return (
        f"<table><thead><tr><th>Reason</th><th>In all</th></tr></thead><tbody>{sums}</tbody></table>"
        f"<details><summary>Each time, {len(hidden)} in all</summary><table><thead><tr><th>At</th><th>For</th>"
        f"<th>Reason</th></tr></thead><tbody>{rows}</tbody></table></details>"
    )


def _foot() -> str:
    return (
        "<footer><p>Strain is a guess from a camera picture against the person's own calm face. It is no measure of a "
        "person, of knowledge or of a teacher, and it is often wrong: people also frown when they think. "
        "Use it to ask, never to judge.</p></footer>"
    )


STYLE = """
:root{--ground:#f6f4ef;--card:#fff;--ink:#1c2628;--soft:#546063;--rule:#e0dbd0;--accent:#0b6b63;--area:#0b6b6322;
--evidence:#c98a1b;--unseen:#aab0ad;--shade:#ece9e1;--hint:#1c2628;--hint-ink:#fff}
@media (prefers-color-scheme:dark){:root{--ground:#131919;--card:#1c2424;--ink:#e8ecea;--soft:#a3b0ad;--rule:#2e3838;
--accent:#7fd1c4;--area:#7fd1c422;--evidence:#e0b04e;--unseen:#5d6866;--shade:#252e2e;--hint:#e8ecea;--hint-ink:#131919}}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--ink);
font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
main{max-width:68rem;margin:0 auto;padding:2.5rem 1.25rem 3rem}
header{margin-bottom:1.75rem}
.product{margin:0;color:var(--accent);font-weight:600;letter-spacing:.01em}
h1{margin:.15rem 0 .25rem;font-size:1.75rem;line-height:1.2;overflow-wrap:anywhere}
h2{margin:0 0 1rem;font-size:1.1rem}
.about{margin:0;color:var(--soft)}
.figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(10.5rem,1fr));gap:.75rem;margin-bottom:.75rem}
.figures div,.card{background:var(--card);border:1px solid var(--rule);border-radius:12px}
.figures div{padding:1rem 1.15rem}
.figures strong{display:block;font-size:1.5rem;font-weight:650;font-variant-numeric:tabular-nums}
.figures span{color:var(--soft);font-size:.9rem}
.card{padding:1.25rem 1.35rem;margin-bottom:.75rem;overflow-x:auto}
.timeline{display:block;width:100%;min-width:40rem;height:auto;font:12px system-ui,sans-serif}
.plot,.track{fill:var(--shade);opacity:.45}
.grid{stroke:var(--rule)}
.tick,.axis,.state{fill:var(--soft)}
.state{font-style:italic}
.threshold{stroke:var(--soft);stroke-dasharray:4 5}
.line{fill:none;stroke:var(--accent);stroke-width:2.25;stroke-linejoin:round}
.area{fill:var(--area)}
rect.learning,rect.unsure{fill:var(--unseen);opacity:.22}
rect.evidence{fill:var(--evidence)}
rect.unseen{fill:var(--unseen)}
.hint line{stroke:var(--hint);stroke-width:1.25}
.hint circle{fill:var(--hint)}
.hint text{fill:var(--hint-ink);font-weight:650;font-size:13px}
.legend{display:flex;flex-wrap:wrap;gap:.35rem 1.5rem;margin:1rem 0 0;padding:0;list-style:none;color:var(--soft);
font-size:.875rem}
.legend i{display:inline-block;width:1.1rem;height:.7rem;border-radius:3px;margin-right:.5rem}
.swatch-line{background:linear-gradient(var(--accent),var(--accent)) center/100% 3px no-repeat}
.swatch-hint{background:var(--hint);width:.75rem!important;height:.75rem!important;border-radius:50%!important;
vertical-align:-1px}
.swatch-evidence{background:var(--evidence)}
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
.advice,.none{color:var(--soft)}
.none{margin:0}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th{text-align:left;color:var(--soft);font-weight:500;font-size:.875rem}
th,td{padding:.4rem .75rem .4rem 0;border-bottom:1px solid var(--rule)}
tbody tr:last-child td{border-bottom:0}
details{margin-top:1rem}
summary{cursor:pointer;color:var(--accent);padding:.6rem 0;min-height:44px}
footer{color:var(--soft);font-size:.9rem;max-width:46rem;padding-top:.75rem}
@media print{:root{--ground:#fff;--card:#fff;--ink:#000;--soft:#444;--rule:#bbb;--accent:#08544e;--area:#08544e1a;
--evidence:#8a5c00;--unseen:#888;--shade:#eee;--hint:#000;--hint-ink:#fff}
main{padding:0;max-width:none}.card,.figures div{break-inside:avoid}.timeline{min-width:0}
*{-webkit-print-color-adjust:exact;print-color-adjust:exact}}
"""
