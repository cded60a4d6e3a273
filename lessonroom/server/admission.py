"""Who gets in: rooms, members, links, sessions, tickets. The steps stand in ``docs/architecture.md``.

Secrets are made here and never kept: the store has their hashes, the links and cookies have them in clear.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from lessonroom import auth
from lessonroom.auth import Purpose, TicketClaims
from lessonroom.config import Settings
from lessonroom.errors import BadInput, Refused, TicketRefused
from lessonroom.policy import Mode
from lessonroom.storage.store import MemberRecord, RoomRecord, Store

LOCAL_HOSTS = ("127.0.0.1", "localhost", "[::1]")
"""Names under which a browser on the same machine reaches the server."""
ONE_EACH = ("teacher", "student")


@dataclass(frozen=True, slots=True)
class Invitation:
    """A new member and the link that lets them in, once."""

    member: str
    link: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Ticket:
    """A signed ticket and its life in seconds."""

    ticket: str = field(repr=False)
    expires_in: float


class Admission:
    """Makes rooms and members, and lets members in. ``secret``: the signing key, at least 32 bytes."""

    def __init__(self, store: Store, settings: Settings, secret: bytes, clock: Callable[[], float] = time.time) -> None:
        self._store = store
        self._settings = settings
        self._secret = secret
        self._clock = clock
        self._making = asyncio.Lock()
        self.public_url = public_url(settings)
        self.origins = origins(settings)

    # --- making (administration, demo) -----------------------------------------------------------------------------

    async def make_room(self, mode_cap: Mode = Mode.M0) -> str:
        """A new room; ``mode_cap``: the most analysis that its owner allows."""
        room = _word()
        await self._store.add_room(RoomRecord(room, mode_cap.value, self._clock()))
        return room

    async def make_member(self, room: str, role: str, name: str, sender: str = "", *, prefix: str = "") -> Invitation:
        """A teacher or a student of a room; a room has one of each.

        ``sender``: the platform's stable name of the person, the member's own id when empty; ``prefix``: the path
        under which the application is mounted. Raises NotFound, BadInput for a second one, Refused for a closed room.
        """
        if role not in ONE_EACH:
            raise BadInput("expected the role teacher or student, got another one")
        async with self._making:
            record = await self._store.room(room)
            if record.closed_at is not None:
                raise Refused("expected an open room, got one that is closed")
            if any(member.role == role for member in await self._store.members(room)):
                raise BadInput(f"expected a room without a {role}, got one that has one")
            return await self._invite(room, role, name, sender, f"{prefix}/lesson")

    async def make_operator(self, name: str = "operator", *, prefix: str = "") -> Invitation:
        """An operator, who sees figures of all rooms and enters none."""
        return await self._invite("", "observer", name, "", f"{prefix}/operations")

    async def _invite(self, room: str, role: str, name: str, sender: str, path: str) -> Invitation:
        member, code, now = _word(), secrets.token_urlsafe(24), self._clock()
        await self._store.add_member(
            MemberRecord(
                id=member,
                room=room,
                role=role,
                name=name,
                sender=sender or member,
                created_at=now,
                code_hash=auth.hash_secret(code),
                code_expires_at=now + self._settings.link_hours * 3600,
            )
        )
        return Invitation(member, f"{self.public_url}{path}/{member}#{code}")

    # --- letting in --------------------------------------------------------------------------------------------------

    async def redeem(self, member: str, code: str) -> tuple[MemberRecord, str, float]:
        """Exchange a link's code for a session: the member, the session's secret, its life in seconds.

        Raises TicketRefused when the code is wrong, used or too old; NotFound.
        """
        now, life, session = self._clock(), self._settings.session_hours * 3600, secrets.token_urlsafe(32)
        record = await self._store.member(member)
        hashed = auth.hash_secret(session)
        if not await self._store.redeem(member, auth.hash_secret(code), hashed, now + life, now):
            raise TicketRefused("expected a link that was not used yet, got one that was, or that is too old")
        return record, session, life

    async def session(self, member: str, secret: str) -> MemberRecord:
        """The member whose session this is. Raises TicketRefused, NotFound."""
        record = await self._store.member(member)
        lives = record.session_expires_at is not None and self._clock() < record.session_expires_at
        if not auth.matches(secret, record.session_hash) or not lives:
            raise TicketRefused("expected the session of this member, got none or another; open the link again")
        return record

    def ticket(self, record: MemberRecord, purpose: Purpose, origin: str) -> Ticket:
        """A ticket for one connection. Raises Refused when the member's role may not enter there."""
        if not auth.may(record.role, purpose):
            raise Refused(f"expected a role that may enter {purpose}, got one that may not")
        now, life = self._clock(), self._settings.ticket_seconds
        claims = TicketClaims(
            id=secrets.token_urlsafe(16),
            room=record.room,
            member=record.id,
            role=record.role,
            purpose=purpose,
            origin=origin,
            expires_at=now + life,
        )
        return Ticket(auth.issue(self._secret, claims, now), life)

    async def foreign_ticket(self, room: str, member: str) -> Ticket:
        """A WHIP ticket for a client that is no browser. Raises NotFound, Refused."""
        record = await self._store.member(member)
        if record.room != room:
            raise Refused("expected a member of this room, got one of another")
        return self.ticket(record, "whip", "")

    async def admit(self, ticket: str, purpose: Purpose, origin: str) -> TicketClaims:
        """Take a ticket; it is used up. Raises TicketRefused, StoreDown."""
        now = self._clock()
        claims = auth.read(self._secret, ticket, purpose=purpose, origin=origin, now=now)
        if not await self._store.spend(claims.id, claims.expires_at, now):
            raise TicketRefused("expected a ticket that was not used yet, got one that was")
        return claims


def public_url(settings: Settings) -> str:
    """The address under which browsers reach the server, without a slash at the end."""
    if settings.public_url:
        return settings.public_url.rstrip("/")
    host = "127.0.0.1" if settings.host in {"0.0.0.0", "::", ""} else settings.host  # noqa: S104 - compared only
    return f"http://{_bracketed(host)}:{settings.port}"


def origins(settings: Settings) -> frozenset[str]:
    """The exact origins whose pages may connect.

    A server without a public address is reached on its own machine, under any of the machine's names for itself.
    """
    own = urlsplit(public_url(settings))
    found = {f"{own.scheme}://{own.netloc}", *settings.allowed_origins}
    if not settings.public_url and own.hostname in {"127.0.0.1", "localhost", "::1"}:
        found |= {f"http://{host}:{settings.port}" for host in LOCAL_HOSTS}
    return frozenset(found)


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _word() -> str:
    """A random id: 22 characters of the alphabet that the protocol allows."""
    return secrets.token_urlsafe(16)
