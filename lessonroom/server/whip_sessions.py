"""The WHIP sessions of one process."""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field
from typing import cast

from fastapi import Request

from lessonroom.auth import hash_secret
from lessonroom.errors import NotFound, TicketRefused
from lessonroom.media.peer import Analyser


@dataclass(slots=True)
class Sessions:
    """WHIP sessions of one process by their unguessable ids. ``beginning``: offers that are being answered."""

    open: dict[str, Session] = field(default_factory=dict)
    beginning: int = 0

    def forget(self, session: str) -> None:
        """This session is over."""
        self.open.pop(session, None)

    def find(self, room: str, session: str, bearer: str) -> Session:
        """The session, for the bearer that opened it. Raises NotFound, TicketRefused."""
        found = self.open.get(session)
        if found is None or found.room != room:
            raise NotFound("expected a session that is open, got another")
        if not hmac.compare_digest(found.bearer_hash, hash_secret(bearer)):
            raise TicketRefused("expected the ticket that opened this session, got another")
        return found


@dataclass(frozen=True, slots=True)
class Session:
    """One client's session."""

    room: str
    bearer_hash: str = field(repr=False)
    analyser: Analyser


def sessions_of(request: Request) -> Sessions:
    """The sessions of this application; made with the first request, as a router has no life of its own."""
    state = request.app.state
    if not hasattr(state, "whip_sessions"):
        state.whip_sessions = Sessions()
    return cast("Sessions", state.whip_sessions)
