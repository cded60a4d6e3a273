"""Whether memory grows: a straight line through readings of it, by least squares. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

MIB: Final = 2**20
SETTLE_SECONDS: Final = 60.0
"""How long a server under load fills what it keeps: the window of each member's rate, contexts, caches."""
SHARE_SETTLING: Final = 0.5
"""Of a run that is shorter than two of these, so much is left out."""
ALLOWED_MIB: Final = 16.0
"""What the line may rise by from its beginning to its end, however long that is."""
ALLOWED_SETTLING_MIB: Final = 64.0
"""The same for a run that ends before the server has settled: it only finds large leaks."""

ALLOWED_KIB: Final = 64.0
"""What a connection that came and went may leave behind; one that is kept takes a megabyte or two."""
ALLOWED_MORE: Final = 2
"""Threads or descriptors that may be there after any number of connections: a pool's, an idle connection's."""

Point = tuple[float, float]
"""Seconds, bytes; or number of cycles, bytes."""


def line(points: Sequence[Point]) -> float:
    """Slope of the straight line through these points, in bytes a step; 0 for fewer than two places."""
    if len({at for at, _ in points}) < 2:
        return 0.0
    middle = sum(at for at, _ in points) / len(points)
    level = sum(size for _, size in points) / len(points)
    across = sum((at - middle) * (size - level) for at, size in points)
    return across / sum((at - middle) ** 2 for at, _ in points)


def per_minute(points: Sequence[Point]) -> float:
    """The same for points in seconds, in MiB per minute."""
    return 60.0 * line(points) / MIB


def settled(points: Sequence[Point]) -> Sequence[Point]:
    """The points after the time in which a server fills its memory once."""
    if not points:
        return points
    began, ended = points[0][0], points[-1][0]
    start = began + min(SETTLE_SECONDS, SHARE_SETTLING * (ended - began))
    return [point for point in points if point[0] >= start]


def grows(points: Sequence[Point]) -> bool:
    """Whether the line through the settled part of these points rises by more than is allowed."""
    kept = settled(points)
    if not kept:
        return False
    short = points[-1][0] - points[0][0] < SETTLE_SECONDS / SHARE_SETTLING
    rise = per_minute(kept) * (kept[-1][0] - kept[0][0]) / 60.0
    return rise > (ALLOWED_SETTLING_MIB if short else ALLOWED_MIB)


def left_behind(
    cycles: Sequence[int], *, memory: Sequence[int], threads: Sequence[int], descriptors: Sequence[int]
) -> Iterator[str]:
    """What connections that came and went have left, by readings after so many of them."""
    if line(list(zip(cycles, memory, strict=True))) > ALLOWED_KIB * 1024:
        yield "memory"
    for name, counts in (("threads", threads), ("descriptors", descriptors)):
        if counts[-1] - counts[0] > ALLOWED_MORE:
            yield name
