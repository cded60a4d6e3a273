"""Whether a lesson is analysed, and what everybody is told about it. Pure.

The indicator is off with a reason until the first estimate arrives, so that it never promises what is not happening,
and goes off in the very event that makes analysis forbidden. What the pictures show may flicker from sample to sample;
a change of that kind is shown once it has lasted ``STEADY`` seconds.
"""

from __future__ import annotations

from dataclasses import dataclass

from lessonroom.media.types import Strain, Unseen, Watching
from lessonroom.messages import Analysis
from lessonroom.policy import Mode, effective
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
    page that ``camera_on`` speaks of; ``hints_on``: the teacher's switch.
    """

    cap: Mode
    server_can: Mode
    consent: Consent
    hints_on: bool
    camera_on: bool = True
    session: int | None = None
    page: str | None = None
    trouble: str | None = None
    _shown: View | None = None
    _candidate: View | None = None
    _since: float = 0.0
    _heard_at: float = 0.0

    def forbidden(self, *, student_here: bool) -> str | None:
        """Why no analyser may run now, or None when one may."""
        if effective(self.cap, True, Mode.M3) < Mode.M3:
            return "not_allowed"
        if effective(self.cap, True, self.server_can) < Mode.M3:
            return "vision_down"
        if self.consent.agreed is not True:
            return "not_agreed"
        if not self.hints_on:
            return "hints_off"
        if not student_here:
            return "no_camera"
        return None if self.camera_on else "camera_muted"

    def new_page(self, page: str) -> None:
        """The student opened another page: its camera counts as on until it says otherwise."""
        self.page, self.camera_on, self.trouble = page, True, None

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
        mode = effective(self.cap, self.consent.agreed, self.server_can)
        state, reason = self._now(self.forbidden(student_here=student_here), now)
        return Analysis.model_validate({"mode": mode.value, "state": state, "reason": reason})

    def _now(self, forbidden: str | None, now: float) -> View:
        if forbidden is not None:
            return "off", forbidden
        if self.session is None:
            return "off", self.trouble or "connecting"
        if self._shown is None:
            return "off", "connecting"
        return self._shown if now - self._heard_at <= SILENCE else ("off", "connection_poor")


def _view(strain: Strain) -> View:
    if strain.unseen is Unseen.NOT_LOOKED:
        return "off", "vision_down"
    unseen = strain.unseen.value if strain.unseen else None
    if strain.watching is Watching.LEARNING:
        return "learning", unseen
    return "watching", unseen if strain.watching is Watching.UNSURE else None
