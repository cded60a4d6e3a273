"""Generated students for tests of the media line; the generator itself is the product's own (``lessonroom bench``)."""

from __future__ import annotations

from lessonroom.bench.students import Student, always, bursts, drifting, held

__all__ = ["Student", "always", "bursts", "drifting", "held"]
