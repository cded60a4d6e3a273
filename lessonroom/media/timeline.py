"""The report's drawing: strain over time, hints on it, and below it what was not seen. Inline SVG, pure.

Colours come from the page's CSS classes, so that one drawing serves light, dark and paper.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from lessonroom.media.types import Cue, Unseen, Watching
from lessonroom.media.words import CUES, UNSEEN, WATCHING, clock

Record = Mapping[str, Any]

WIDTH, LEFT, RIGHT = 1000, 92, 16
TOP, HEIGHT = 40, 210
LANE, GAP = 16, 8
LONGEST_LINE = 1500
"""Points of the line; a longer lesson is drawn with the highest value of each stretch."""
STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600)


@dataclass(frozen=True, slots=True)
class Stretch:
    """A time, in seconds, in which one thing was the case."""

    start: float
    end: float
    what: str


@dataclass(frozen=True, slots=True)
class Scale:
    """Seconds to pixels."""

    seconds: float

    def x(self, at: float) -> float:
        """Where a moment stands."""
        return LEFT + (WIDTH - LEFT - RIGHT) * min(1.0, max(0.0, at / self.seconds))


def draw(records: Sequence[Record], seconds: float, spacing: float, threshold: float) -> str:
    """The whole drawing. ``spacing``: seconds between two samples."""
    scale = Scale(max(seconds, spacing))
    strains = [record for record in records if record["type"] == "strain"]
    seen = [record for record in records if record["type"] == "observation"]
    hints = [record for record in records if record["type"] == "hint"]
    lanes = list(_lanes(strains, seen, spacing))
    height = TOP + HEIGHT + 34 + len(lanes) * (LANE + GAP)
    parts = [
        *_grid(scale, threshold),
        *_states(strains, scale, spacing),
        *(_line(part, scale) for part in _parts(strains, spacing)),
        *(_marker(number, hint, scale) for number, hint in enumerate(hints, 1)),
    ]
    for number, (name, kind, stretches) in enumerate(lanes):
        parts += _lane(name, kind, stretches, scale, TOP + HEIGHT + 34 + number * (LANE + GAP))
    return (
        f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-labelledby="timeline-title" class="timeline">'
        f'<title id="timeline-title">Strain over time, with {len(hints)} hints, and what was not seen</title>'
        f"{''.join(parts)}</svg>"
    )


def stretches(moments: Iterable[tuple[float, str | None]], spacing: float) -> list[Stretch]:
    """Join equal neighbours in time; None belongs to no stretch."""
    found: list[Stretch] = []
    for at, what in moments:
        if what is None:
            continue
        last = found[-1] if found else None
        if last is not None and last.what == what and at - last.end <= spacing * 0.75:
            found[-1] = Stretch(last.start, at + spacing, what)
        else:
            found.append(Stretch(at, at + spacing, what))
    return found


def _grid(scale: Scale, threshold: float) -> Iterator[str]:
    yield f'<rect class="plot" x="{LEFT}" y="{TOP}" width="{WIDTH - LEFT - RIGHT}" height="{HEIGHT}" rx="6"/>'
    step = next((step for step in STEPS if scale.seconds / step <= 10), STEPS[-1])
    for number in range(math.floor(scale.seconds / step) + 1):
        x = scale.x(number * step)
        yield f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{TOP + HEIGHT}"/>'
        word = clock(number * step)
        yield f'<text class="tick" x="{x:.1f}" y="{TOP + HEIGHT + 18}" text-anchor="middle">{word}</text>'
    y = _y(threshold)
    yield f'<line class="threshold" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
    for at, word in ((1.0, "strained"), (threshold, "hint from here"), (0.0, "calm")):
        yield f'<text class="axis" x="{LEFT - 10}" y="{_y(at) + 4:.1f}" text-anchor="end">{word}</text>'


def _states(strains: Sequence[Record], scale: Scale, spacing: float) -> Iterator[str]:
    """Shade the time without an estimate."""
    moments = ((row["at"], row["watching"] if row["level"] is None else None) for row in strains)
    for piece in stretches(moments, spacing):
        x, width = scale.x(piece.start), scale.x(piece.end) - scale.x(piece.start)
        title = f"{WATCHING[Watching(piece.what)]}, {clock(piece.start)} to {clock(piece.end)}"
        yield (
            f'<rect class="{escape(piece.what)}" x="{x:.1f}" y="{TOP}" width="{width:.1f}" height="{HEIGHT}">'
            f"<title>{title}</title></rect>"
        )
        if width > 150:
            word = WATCHING[Watching(piece.what)]
            yield f'<text class="state" x="{x + width / 2:.1f}" y="{TOP + 22}" text-anchor="middle">{word}</text>'


def _parts(strains: Sequence[Record], spacing: float) -> Iterator[list[tuple[float, float]]]:
    """The line's unbroken parts as (at, level), thinned where there are more points than the eye can tell."""
    keep = max(1, math.ceil(len(strains) / LONGEST_LINE))
    part: list[tuple[float, float]] = []
    for number in range(0, len(strains), keep):
        known = [(row["at"], row["level"]) for row in strains[number : number + keep] if row["level"] is not None]
        if known and (not part or known[0][0] - part[-1][0] <= 4 * spacing * keep):
            part.append(max(known, key=lambda point: point[1]))
            continue
        if part:
            yield part
        part = known[:1]
    if part:
        yield part


def _line(part: list[tuple[float, float]], scale: Scale) -> str:
    points = " ".join(f"{scale.x(at):.1f},{_y(level):.1f}" for at, level in part)
    first, last = scale.x(part[0][0]), scale.x(part[-1][0])
    area = f"{first:.1f},{_y(0):.1f} {points} {last:.1f},{_y(0):.1f}"
    return f'<polygon class="area" points="{area}"/><polyline class="line" points="{points}"/>'


def _marker(number: int, hint: Record, scale: Scale) -> str:
    x = scale.x(hint["at"])
    title = f"Hint {number} at {clock(hint['at'])}: {CUES[Cue(hint['cue'])]}"
    return (
        f'<g class="hint"><title>{escape(title)}</title>'
        f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{TOP - 6}" y2="{TOP + HEIGHT}"/>'
        f'<circle cx="{x:.1f}" cy="{TOP - 18}" r="12"/>'
        f'<text x="{x:.1f}" y="{TOP - 13.5:.1f}" text-anchor="middle">{number}</text></g>'
    )


def _lanes(
    strains: Sequence[Record], seen: Sequence[Record], spacing: float
) -> Iterator[tuple[str, str, list[Stretch]]]:
    """Name, class and stretches of each row below the plot; rows without any are left out."""
    short = {Cue.FROWNING: "frowning", Cue.DISTRESS: "distress", Cue.DISENGAGED: "eyes closed"}
    for cue, name in short.items():
        here = ((row["at"], cue.value if _has(row, cue) else None) for row in strains)
        found = stretches(here, spacing)
        if found:
            yield name, "evidence", found
    hidden = stretches(((row["at"], row.get("unseen")) for row in seen), spacing)
    if hidden:
        yield "not seen", "unseen", hidden


def _has(row: Record, cue: Cue) -> bool:
    return any(piece["cue"] == cue.value for piece in row["evidence"])


def _lane(name: str, kind: str, pieces: list[Stretch], scale: Scale, y: float) -> Iterator[str]:
    yield f'<text class="axis" x="{LEFT - 10}" y="{y + 12}" text-anchor="end">{name}</text>'
    yield f'<rect class="track" x="{LEFT}" y="{y}" width="{WIDTH - LEFT - RIGHT}" height="{LANE}" rx="4"/>'
    for piece in pieces:
        x = scale.x(piece.start)
        width = max(1.5, scale.x(piece.end) - x)
        word = UNSEEN[Unseen(piece.what)] if kind == "unseen" else name
        yield (
            f'<rect class="{kind}" x="{x:.1f}" y="{y}" width="{width:.1f}" height="{LANE}" rx="2">'
            f"<title>{word}, {clock(piece.start)} to {clock(piece.end)}</title></rect>"
        )


def _y(level: float) -> float:
    return TOP + HEIGHT * (1.0 - level)
