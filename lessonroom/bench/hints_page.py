"""The report of ``lessonroom bench hints``: a page with tables and the curve of false hints against delay. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any, Final

from lessonroom import paper

Row = Mapping[str, Any]

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 900, 420, 70, 30, 20, 60
FIRST, LAST = 4.0, 40.0
"""Seconds of delay that are drawn."""
LEAST, MOST = 0.03, 10.0
"""Hints an hour that are drawn, on a logarithmic axis; fewer lie on its foot."""
STYLE: Final = """
.other{fill:none;stroke:var(--soft)}.ours{fill:var(--evidence)}
.goal{stroke:var(--evidence);stroke-dasharray:4 5}
.swatch-other{border:1px solid var(--soft)}
"""


def page(figures: Mapping[str, Any]) -> str:
    """The whole report."""
    rules = ", ".join(f"{name} {value:g}" for name, value in figures["rules"].items())
    about = "; ".join([f"Simulated students, seed {figures['seed']}", rules, *figures["warnings"]])
    false = (
        [escape(row["scene"]), f"{row['hints']}", f"{row['per_hour']:.2f}", _span(row)] for row in figures["false"]
    )
    told = (
        [escape(row["change"]), f"{row['within_20_s']:.0%}", _span(row), _delay(row["median_delay"])]
        for row in figures["changes"]
    )
    return paper.page(
        "Hints: what quickness costs",
        [
            paper.head("Hints: what quickness costs", escape(about)),
            paper.card("False hints against delay", curve(figures["curve"], figures["rules"]) + _LEGEND),
            paper.card(
                "Lessons in which nothing is the matter", paper.table(("scene", "hints", "an hour", "95 %"), false)
            ),
            paper.card("Changes", paper.table(("change", "told within 20 s", "95 %", "median delay, s"), told)),
            paper.foot("Students are generated; where pictures are named, they are real ones of many people."),
        ],
        STYLE,
    )


_LEGEND: Final = paper.legend(
    [("swatch-evidence", "the rules in force"), ("swatch-other", "other times of clear change, holds and thresholds")]
)


def curve(points: Sequence[Row], rules: Mapping[str, float]) -> str:
    """Each point is one set of rules: how long until nine of ten changes are told, and false hints an hour."""
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-labelledby="curve-title">'
        '<title id="curve-title">False hints per hour against the delay of nine in ten true ones</title>'
        f"{''.join([*_axes(), *_dots(points, rules)])}</svg>"
    )


def picture(figures: Mapping[str, Any]) -> str:
    """The curve alone, as a file that brings its own colours, readable on light and on dark."""
    drawn = curve(figures["curve"], figures["rules"])
    drawn = drawn.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1)
    return drawn.replace("<title", f"<style>{_ALONE}</style><title", 1) + "\n"


_ALONE: Final = (
    "text{font:14px system-ui,sans-serif}.tick,.axis{fill:#7a8583}.grid{stroke:#8886}"
    ".other{fill:none;stroke:#7a8583}.ours,.goal{fill:#c98a1b;stroke:#c98a1b}.goal{stroke-dasharray:4 5}"
)


def _axes() -> Iterator[str]:
    for second in range(5, int(LAST) + 1, 5):
        x = _x(second)
        yield f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{HEIGHT - BOTTOM}"/>'
        yield f'<text class="tick" x="{x:.1f}" y="{HEIGHT - BOTTOM + 20}" text-anchor="middle">{second} s</text>'
    for rate in (0.1, 1.0, 10.0):
        y = _y(rate)
        kind = "goal" if rate == 1.0 else "grid"
        yield f'<line class="{kind}" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
        yield f'<text class="tick" x="{LEFT - 10}" y="{y + 4:.1f}" text-anchor="end">{rate:g}/h</text>'
    yield f'<line class="goal" x1="{_x(20):.1f}" x2="{_x(20):.1f}" y1="{TOP}" y2="{HEIGHT - BOTTOM}"/>'
    yield (
        f'<text class="axis" x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 14}" text-anchor="middle">'
        "time until nine of ten clear changes are told</text>"
    )


def _dots(points: Sequence[Row], rules: Mapping[str, float]) -> Iterator[str]:
    drawn = [point for point in points if point["delay_of_90_percent"] is not None]
    for point in sorted(drawn, key=lambda point: _in_force(point, rules)):
        ours = _in_force(point, rules)
        words = (
            f"clear for {point['clear']:g} s, hold {point['hold']:g} s, threshold {point['threshold']:g}: "
            f"{point['false_per_hour']:g} an hour, {point['delay_of_90_percent']:g} s"
        )
        yield (
            f'<circle class="{"ours" if ours else "other"}" cx="{_x(point["delay_of_90_percent"]):.1f}" '
            f'cy="{_y(point["false_per_hour"]):.1f}" r="{8 if ours else 4}"><title>{words}</title></circle>'
        )


def _in_force(point: Row, rules: Mapping[str, float]) -> bool:
    return all(point[name] == rules[name] for name in ("clear", "hold", "threshold"))


def _x(seconds: float) -> float:
    return LEFT + (WIDTH - LEFT - RIGHT) * (min(LAST, max(FIRST, seconds)) - FIRST) / (LAST - FIRST)


def _y(rate: float) -> float:
    share = math.log(min(MOST, max(LEAST, rate)) / LEAST) / math.log(MOST / LEAST)
    return TOP + (HEIGHT - TOP - BOTTOM) * (1.0 - share)


def _span(row: Row) -> str:
    return "{:.2f} to {:.2f}".format(*row["interval_95"])


def _delay(seconds: float | None) -> str:
    return "-" if seconds is None else f"{seconds:.1f}"
