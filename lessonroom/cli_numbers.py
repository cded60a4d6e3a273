"""Numbers that people type: each has a least and perhaps a most, is finite, and is refused in words."""

from __future__ import annotations

import math

import click


class Number(click.FloatRange):
    """A number with a fraction. ``nan`` and ``inf`` are none: a measurement of so many seconds would never end."""

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The number; raises click.BadParameter."""
        try:
            number = float(str(value))
        except ValueError:
            self.fail(f"expected a number, got {value!r}", param, ctx)
        if not math.isfinite(number):
            self.fail(f"expected a finite number, got {value!r}", param, ctx)
        return float(super().convert(number, param, ctx))


class Count(click.IntRange):
    """A whole number."""

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The number; raises click.BadParameter."""
        try:
            number = int(str(value))
        except ValueError:
            self.fail(f"expected a whole number, got {value!r}", param, ctx)
        return int(super().convert(number, param, ctx))
