"""Whether a lesson is analysed, and what everybody is told about it. Pure.

The indicator is off with a reason until the first estimate arrives, so that it never promises what is not happening,
and goes off in the very event that makes analysis forbidden. What the pictures show may flicker from sample to sample;
a change of that kind is shown once it has lasted ``STEADY`` seconds.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache

from lessonroom.media.types import Strain, Unseen, Watching
from lessonroom.messages import Analysis
from lessonroom.policy import Mode, mode_now
from lessonroom.rooms.ceiling import Ceiling
from lessonroom.rooms.consent import Consent

STEADY = 2.0
"""How long a change in what is seen must last before it is shown, in seconds."""
SILENCE = 5.0
"""An estimate older than this, in seconds, no longer speaks of now."""

View = tuple[str, str | None]
"""State and reason of the indicator."""


@dataclass(slots=True)
class Watch:
    """The analysis' part of a room.

    ``session``: the analyser that runs; ``trouble``: why the last one ended or was refused; ``page``: the student's
    page that ``camera_on`` speaks of; ``hints_on``: the teacher's switch; ``cap``: the most that the owner allows;
    ``ceiling``: the most that the rules of the place allow, None while that is not decided; ``device``: the most that
    the student's own device can do.
    """

    cap: Mode
    server_can: Mode
    consent: Consent
    hints_on: bool
    ceiling: Ceiling | None = None
    device: Mode = Mode.M0
    camera_on: bool = True
    session: int | None = None
    page: str | None = None
    trouble: str | None = None
    _shown: View | None = None
    _candidate: View | None = None
    _since: float = 0.0
    _heard_at: float = 0.0

    def forbidden(self, *, student_here: bool) -> str | None:
        """Why no analyser may run now, or None when one may.

        The student is asked before the guardian, and nobody for what would not run anyway.
        """
        return next((reason for reason, holds in self._obstacles(student_here=student_here) if holds), None)

    def _obstacles(self, *, student_here: bool) -> Iterator[tuple[str, bool]]:
        yield "not_allowed", self._most is Mode.M0
        yield "on_device_only", self._most < Mode.M3
        yield "vision_down", self.server_can < Mode.M3
        yield "not_agreed", self.consent.agreed is not True
        yield "guardian_missing", self.consent.guardian_missing
        yield "hints_off", not self.hints_on
        yield "no_camera", not student_here
        yield "camera_muted", not self.camera_on

    @property
    def _most(self) -> Mode:
        """The most that owner and rules allow."""
        return Mode.M0 if self.ceiling is None else min(self.cap, self.ceiling.mode)

    def settle(self, ceiling: Ceiling) -> None:
        """Take in what the rules allow. What was decided before does not rise, and a guardian who was needed is."""
        if (kept := self.ceiling) is not None:
            two_keys = ceiling.two_keys or kept.two_keys
            ceiling = replace(ceiling, mode=min(ceiling.mode, kept.mode), two_keys=two_keys)
        self.ceiling = ceiling
        self.consent.two_keys = ceiling.two_keys

    def due(self, now: float) -> bool:
        """Whether a row of the table has had its time, and nobody has told us yet."""
        return self.ceiling is not None and self.ceiling.mode > Mode.M0 and now >= self.ceiling.until

    def expire(self, now: float) -> Ceiling | None:
        """Let end what a row of the table allowed that has had its time; the new ceiling, None when it stays."""
        if self.ceiling is None or not self.due(now):
            return None
        self.ceiling = replace(self.ceiling, mode=Mode.M0)
        return self.ceiling

    def new_page(self, page: str, device: Mode) -> None:
        """The student opened another page: its camera counts as on until it says otherwise."""
        self.page, self.device, self.camera_on, self.trouble = page, device, True, None

    def start(self, session: int) -> None:
        """An analyser begins; nothing was seen yet."""
        self.stop()
        self.session, self.trouble = session, None

    def stop(self) -> None:
        """Forget the analyser and all that it saw."""
        self.session = self._shown = self._candidate = None

    def hear(self, strain: Strain, now: float) -> None:
        """Take in a new estimate."""
        self._heard_at = now
        view = _view(strain)
        if self._shown is None or view == self._shown:
            self._shown, self._candidate = view, None
        elif view != self._candidate or now < self._since:
            self._candidate, self._since = view, now
        elif now - self._since >= STEADY:
            self._shown, self._candidate = view, None

    def analysis(self, *, student_here: bool, now: float) -> Analysis:
        """The indicator."""
        mode = mode_now(
            ceiling=self.ceiling.mode if self.ceiling else Mode.M0,
            cap=self.cap,
            needs_met=not self.consent.guardian_missing,
            agreed=self.consent.agreed,
            device=self.device,
            server_can=self.server_can,
        )
        state, reason = self._now(self.forbidden(student_here=student_here), now)
        return _indicator(mode, state, reason)

    def _now(self, forbidden: str | None, now: float) -> View:
        if forbidden is not None:
            return "off", forbidden
        if self.session is None:
            return "off", self.trouble or "connecting"
        if self._shown is None:
            return "off", "connecting"
        return self._shown if now - self._heard_at <= SILENCE else ("off", "connection_poor")


@cache  # asked for after every event, and there are not many
def _indicator(mode: Mode, state: str, reason: str | None) -> Analysis:
    return Analysis.model_validate({"mode": mode.value, "state": state, "reason": reason})


def _view(strain: Strain) -> View:
    if strain.unseen is Unseen.NOT_LOOKED:
        return "off", "vision_down"
    unseen = strain.unseen.value if strain.unseen else None
    if strain.watching is Watching.LEARNING:
        return "learning", unseen
    return "watching", unseen if strain.watching is Watching.UNSURE else None
