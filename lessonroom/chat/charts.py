"""Drawings of the report on the contact filter: axes, lines, marks, bars. Inline SVG, pure.

Colours come from the page's CSS classes (:mod:`lessonroom.paper`), so that one drawing serves light, dark and paper.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

WIDTH, HEIGHT = 480, 320
LEFT, RIGHT, TOP, BOTTOM = 58, 14, 14, 44

Point = tuple[float, float]

STYLE: Final = """
.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,26rem),1fr));gap:.75rem;margin-bottom:.75rem}
.charts .card{margin:0}
.chart{display:block;width:100%;height:auto;font:12px system-ui,sans-serif}
.line.other{stroke:var(--evidence)}
.even{stroke:var(--soft);stroke-dasharray:2 4}
.mark{fill:var(--hint);stroke:var(--card);stroke-width:2}
.dot{fill:var(--accent)}
.span{stroke:var(--accent);stroke-width:1.5}
rect.contacts{fill:var(--accent)}
rect.harmless{fill:var(--evidence)}
.swatch-contacts{background:var(--accent)}
.swatch-mark{background:var(--hint);width:.75rem!important;height:.75rem!important;border-radius:50%!important}
"""


@dataclass(frozen=True, slots=True)
class Scale:
    """One axis. ``place``: a value to 0 (begin) to 1 (end); ``ticks``: values that are written, with their words."""

    name: str
    ticks: Sequence[tuple[float, str]]
    place: Callable[[float], float] = lambda value: value


def percent(name: str) -> Scale:
    """Shares from 0 to 100 %."""
    return Scale(name, [(tick / 100, f"{tick} %") for tick in (0, 25, 50, 75, 100)])


def odds(name: str) -> Scale:
    """Probabilities, so that 0.01 and 0.99 have room: their log odds, from 0.001 to 0.999."""
    end = math.log(999.0)

    def place(value: float) -> float:
        near = min(max(value, 0.001), 0.999)
        return 0.5 + math.log(near / (1.0 - near)) / (2.0 * end)

    return Scale(name, [(tick, f"{tick:g}") for tick in (0.001, 0.01, 0.1, 0.5, 0.9, 0.99, 0.999)], place)


def rare(name: str) -> Scale:
    """Shares of which the small ones matter: logarithms from 0.01 % on; what is less lies on the ground."""
    ticks = [(tick / 100, f"{tick:g} %") for tick in (0.01, 0.1, 1, 10, 100)]
    return Scale(name, ticks, lambda value: 1.0 + math.log10(max(value, 1e-4)) / 4.0)


def counts(name: str, most: int) -> Scale:
    """Numbers from 0 to ``most``: logarithms, so that one stands out beside thousands."""
    top = math.ceil(math.log10(max(most, 1) + 1))
    ticks = [(0.0, "0"), *((10.0**power, f"{10**power:,}") for power in range(top + 1))]
    return Scale(name, ticks, lambda value: math.log10(value + 1.0) / math.log10(10.0**top + 1.0))


class Chart:
    """One drawing; everything is put in with the axes' own values."""

    def __init__(self, name: str, title: str, across: Scale, up: Scale) -> None:
        self._name = name
        self._title = title
        self._across = across
        self._up = up
        self._parts = [*self._grid()]

    def x(self, value: float) -> float:
        """Where a value of the axis across stands."""
        return LEFT + (WIDTH - LEFT - RIGHT) * min(max(self._across.place(value), 0.0), 1.0)

    def y(self, value: float) -> float:
        """Where a value of the axis up stands."""
        return TOP + (HEIGHT - TOP - BOTTOM) * (1.0 - min(max(self._up.place(value), 0.0), 1.0))

    def line(self, points: Iterable[Point], kind: str = "line") -> None:
        """Join points."""
        joined = " ".join(f"{self.x(across):.1f},{self.y(up):.1f}" for across, up in points)
        self._parts.append(f'<polyline class="{kind}" points="{joined}"/>')

    def threshold(self, across: float) -> None:
        """A line from bottom to top where the threshold is."""
        x = self.x(across)
        self._parts.append(
            f'<line class="threshold" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{HEIGHT - BOTTOM}">'
            f"<title>the threshold, {across:.3f}</title></line>"
        )

    def mark(self, across: float, up: float, words: str) -> None:
        """The point where the filter works."""
        self._parts.append(
            f'<circle class="mark" cx="{self.x(across):.1f}" cy="{self.y(up):.1f}" r="7">'
            f"<title>{escape(words)}</title></circle>"
        )

    def measured(self, across: float, up: float, low: float, high: float, words: str) -> None:
        """A point with its interval."""
        x = f"{self.x(across):.1f}"
        self._parts.append(
            f'<g><title>{escape(words)}</title><line class="span" x1="{x}" x2="{x}" y1="{self.y(low):.1f}" '
            f'y2="{self.y(high):.1f}"/><circle class="dot" cx="{x}" cy="{self.y(up):.1f}" r="4.5"/></g>'
        )

    def bar(self, left: float, right: float, up: float, kind: str, words: str) -> None:
        """A bar from the ground, between two values of the axis across."""
        x, y = self.x(left), self.y(up)
        self._parts.append(
            f'<rect class="{kind}" x="{x:.1f}" y="{y:.1f}" width="{max(self.x(right) - x, 1.0):.1f}" '
            f'height="{HEIGHT - BOTTOM - y:.1f}"><title>{escape(words)}</title></rect>'
        )

    def draw(self) -> str:
        """The whole drawing."""
        return (
            f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-labelledby="{self._name}" class="chart">'
            f'<title id="{self._name}">{escape(self._title)}</title>{"".join(self._parts)}</svg>'
        )

    def _grid(self) -> Iterator[str]:
        wide, high = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM
        yield f'<rect class="plot" x="{LEFT}" y="{TOP}" width="{wide}" height="{high}" rx="6"/>'
        for value, word in self._across.ticks:
            x = f"{self.x(value):.1f}"
            yield f'<line class="grid" x1="{x}" x2="{x}" y1="{TOP}" y2="{TOP + high}"/>'
            yield f'<text class="tick" x="{x}" y="{TOP + high + 17}" text-anchor="middle">{word}</text>'
        for value, word in self._up.ticks:
            y = self.y(value)
            yield f'<line class="grid" x1="{LEFT}" x2="{LEFT + wide}" y1="{y:.1f}" y2="{y:.1f}"/>'
            yield f'<text class="tick" x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{word}</text>'
        middle = f'x="{LEFT + wide / 2:.0f}" y="{HEIGHT - 6}"'
        yield f'<text class="axis" {middle} text-anchor="middle">{escape(self._across.name)}</text>'
