"""How near each part of the server is to its limit, and whether it takes more. Pure.

A part's *load* is a share of its limit: 1 is the limit. A part is *full* once its load has been at the limit or above
for a while without a break, and is so until it has been clearly below for as long: a server that says no, then yes,
then no, sends its clients back and forth.

While a part is full the server is overloaded: it is not ready (``/readyz``), and further lessons are not analysed.
Lessons that are analysed go on, and so does everybody's chat. New rooms are taken unless a part is full that chat
needs, too (:data:`CHAT_NEEDS`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

PARTS: Final = ("store", "event_loop", "processor", "inference", "analysers", "gpu")
"""What can be at its limit; of two that are, the first is named."""
CAN_BE_FULL: Final = ("store", "event_loop", "processor", "inference")
"""A part that is not here is used up rather than overloaded: the places of analysers are counted elsewhere, and a GPU
that works all the time is only slow when inference is."""
CHAT_NEEDS: Final = frozenset({"store", "event_loop"})
EASED: Final = 0.8
"""A full part has eased below this load."""
BUSY: Final = 0.85
"""From this load on, an operator should know."""
STORE_SHARE: Final = 0.5
"""Of the places in the store's queue: at so many the limit is reached, while there is still room for a burst."""
LEAST_LOOKS: Final = 10
"""Of fewer looks no share says anything."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Where the limits are. ``loop``: mean lateness of the event loop, in seconds; ``processor``: share of all cores;
    ``late``: share of looks without an answer in time; ``deadline``: of a look, in seconds; ``records``: places in the
    store's queue; ``analysers``: places; ``seconds``: how long a part is at its limit before it is full; 0: never.
    """

    loop: float
    processor: float
    late: float
    deadline: float
    records: int
    analysers: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Now:
    """What was measured over the last seconds. ``machine`` and ``server``: shares of all cores, everybody's work and
    ours; ``age``: of the observations, seconds, p95, None without any; ``gpu``: the busiest one's utilization, or None.
    """

    loop: float = 0.0
    machine: float = 0.0
    server: float = 0.0
    looks: float = 0.0
    late: float = 0.0
    age: float | None = None
    records: int = 0
    analysers: int = 0
    gpu: float | None = None


def loads(now: Now, limits: Limits) -> dict[str, float]:
    """The load of each part, 1 at its limit."""
    late = now.late / now.looks / limits.late if now.looks >= LEAST_LOOKS else 0.0
    return {
        "store": now.records / max(1.0, limits.records * STORE_SHARE),
        "event_loop": now.loop / limits.loop,
        "processor": now.machine / limits.processor,
        "inference": max(late, (now.age or 0.0) / limits.deadline),
        "analysers": now.analysers / limits.analysers if limits.analysers else 0.0,
        **({} if now.gpu is None else {"gpu": now.gpu}),
    }


def ours(load: Mapping[str, float], now: Now) -> dict[str, float]:
    """The loads that may make a part full: a processor that others fill does not, while we are served in time."""
    mine = now.server >= now.machine / 2
    return {part: load[part] if mine or part != "processor" else 0.0 for part in CAN_BE_FULL}


@dataclass(frozen=True, slots=True)
class Part:
    """``since``: since when a part that is not full has been at its limit, or a full one has been below."""

    full: bool = False
    since: float | None = None


def step(part: Part, load: float, now: float, seconds: float) -> Part:
    """The part after a reading of its load. ``seconds``: how long a turn must last to count; 0: it is never full."""
    turned = load < EASED if part.full else load >= 1.0
    if seconds <= 0.0:
        return Part()
    if not turned:
        return Part(part.full)
    since = now if part.since is None else part.since
    return Part(not part.full) if now - since >= seconds else Part(part.full, since)


@dataclass(slots=True)
class Capacity:
    """What the server is able to take now. Fed once a second by :mod:`lessonroom.server.figures`."""

    limits: Limits
    load: Mapping[str, float] = field(default_factory=dict)
    _parts: dict[str, Part] = field(default_factory=lambda: dict.fromkeys(CAN_BE_FULL, Part()))

    @property
    def full(self) -> tuple[str, ...]:
        """The parts that are full."""
        return tuple(part for part, state in self._parts.items() if state.full)

    def read(self, measured: Now, now: float) -> None:
        """Take in what was measured; ``now``: seconds of a clock that is never set back."""
        self.load = loads(measured, self.limits)
        for part, load in ours(self.load, measured).items():
            self._parts[part] = step(self._parts[part], load, now, self.limits.seconds)

    def may_admit(self) -> bool:
        """Whether further lessons are analysed."""
        return not self.full

    def may_open(self) -> bool:
        """Whether new rooms are taken."""
        return not CHAT_NEEDS.intersection(self.full)

    def nearest(self) -> tuple[str, float]:
        """What limits capacity: the part with the highest load, and that load; of equals the first of PARTS."""
        found = [(part, self.load[part]) for part in PARTS if part in self.load]
        return max(found, key=lambda one: one[1], default=("none", 0.0))


@dataclass(frozen=True, slots=True)
class Troubles:
    """What went wrong in the last seconds, whatever the load.

    ``store``: it failed; ``no_vision``: no models; ``vision``: looks that failed, for another reason than the time.
    """

    store: bool = False
    no_vision: bool = False
    vision: bool = False


@dataclass(frozen=True, slots=True)
class Health:
    """``state``: green, amber or red; ``key``: of the page's sentence; ``limits``: the part that limits capacity."""

    state: str
    key: str
    limits: str
    share: float


def health(capacity: Capacity, troubles: Troubles) -> Health:
    """Is everything well, and what limits capacity now."""
    part, share = capacity.nearest()
    full = next((one for one in PARTS if one in capacity.full), "")
    found = (
        (troubles.store, "red", "store_down"),
        (troubles.vision, "red", "vision_down"),
        (bool(full), "red", f"{full}_full"),
        (troubles.no_vision, "amber", "no_vision"),
        (part == "analysers" and share >= 1.0, "amber", "analysers_taken"),
        (share >= BUSY, "amber", f"{part}_busy"),
    )
    state, key = next((row[1:] for row in found if row[0]), ("green", "all_well"))
    return Health(state, key, full or part, capacity.load.get(full, share))
