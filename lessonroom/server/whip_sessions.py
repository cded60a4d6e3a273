"""The WHIP sessions of one process."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol, cast

from fastapi import Request

from lessonroom.auth import hash_secret
from lessonroom.errors import NotFound, TicketRefused
from lessonroom.media.peer import IceServer
from lessonroom.media.sdp import SdpPolicy
from lessonroom.rooms import live

MOST_OVER = 256
"""How many sessions that ended by themselves are remembered until their client ends them, too."""
UNKNOWN = "expected a session that is open, got another"


class Analyser(live.Analyser, Protocol):
    """What WHIP needs of an analyser, wherever it runs (:class:`lessonroom.media.peer.Analyser`)."""

    @property
    def answer(self) -> str:
        """The SDP for the client."""
        ...

    @property
    def ufrag(self) -> str:
        """The client's ICE user name."""
        ...

    async def add_candidate(self, line: str, mid: str) -> None:
        """Take one more candidate. Raises BadSdp."""
        ...


class Accept(Protocol):
    """Makes analysers: :meth:`lessonroom.media.peer.Analyser.accept` or :meth:`lessonroom.workers.pool.Workers.accept`.

    Raises BadSdp for the offer, Busy when no address to receive on is found, EngineDown when nothing can look now.
    """

    async def __call__(
        self,
        offer_sdp: str,
        ice_servers: Sequence[IceServer],
        *,
        policy: SdpPolicy,
        on_end: Callable[[str], None],
    ) -> Analyser:
        """Answer an offer."""
        ...


@dataclass(slots=True)
class Sessions:
    """WHIP sessions of one process by their unguessable ids. ``beginning``: offers that are being answered."""

    open: dict[str, Session] = field(default_factory=dict)
    beginning: int = 0
    _over: dict[str, tuple[str, str]] = field(default_factory=dict)

    def forget(self, session: str) -> None:
        """This session is over. Its client may not know that yet, and ends it, too."""
        found = self.open.pop(session, None)
        if found is not None:
            self._over[session] = (found.room, found.bearer_hash)
        while len(self._over) > MOST_OVER:
            del self._over[next(iter(self._over))]

    def find(self, room: str, session: str, bearer: str) -> Session:
        """The session, for the bearer that opened it. Raises NotFound, TicketRefused."""
        found = self.open.get(session)
        if found is None:
            raise NotFound(UNKNOWN)
        _check(found.room, found.bearer_hash, room, bearer)
        return found

    async def end(self, room: str, session: str, bearer: str) -> None:
        """End the session, or take note that its client knows of its end. Raises NotFound, TicketRefused."""
        if session in self._over:
            _check(*self._over[session], room, bearer)
        else:
            await self.find(room, session, bearer).analyser.close()
        self._over.pop(session, None)


def _check(own_room: str, bearer_hash: str, room: str, bearer: str) -> None:
    if own_room != room:
        raise NotFound(UNKNOWN)
    if not hmac.compare_digest(bearer_hash, hash_secret(bearer)):
        raise TicketRefused("expected the ticket that opened this session, got another", why="other_purpose")


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
