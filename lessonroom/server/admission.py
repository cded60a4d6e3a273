"""Who gets in: rooms, members, links, sessions, tickets. The steps stand in ``docs/architecture.md``.

Secrets are made here and never kept: the store has their hashes, the links and cookies have them in clear.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from urllib.parse import urlsplit

from lessonroom import auth
from lessonroom.auth import Purpose, TicketClaims
from lessonroom.config import Settings
from lessonroom.errors import BadInput, NotFound, Refused, TicketRefused
from lessonroom.policy import Band, Mode
from lessonroom.rooms.recording import SERVER
from lessonroom.rooms.recording import record as on_record
from lessonroom.storage.store import MemberRecord, RoomRecord, Store

DAY = 86_400.0
LOCAL_HOSTS = ("127.0.0.1", "localhost", "[::1]")
"""Names under which a browser on the same machine reaches the server."""
MOST_REMEMBERED = 1000
"""How many of those who spoke of consent last can take it back while the store is down."""
ONE_EACH = ("teacher", "student", "guardian")
"""Roles of which a room has one at most."""


@dataclass(frozen=True, slots=True)
class Invitation:
    """A new member and the link that lets them in, once."""

    member: str
    link: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class About:
    """What the platform knows of a person, for the policy; empty: unknown or none.

    ``place``: country or state of ISO 3166; ``band``: of :class:`~lessonroom.policy.Band`; ``release``: reference of
    the student's written release.
    """

    place: str = ""
    band: str = ""
    release: str = ""


NOTHING = About()

PAGES = {"teacher": "lesson", "student": "lesson", "guardian": "consents", "observer": "operations"}
"""The page that a role's link leads to."""


@dataclass(frozen=True, slots=True)
class _Invited:
    room: str
    role: str
    name: str
    sender: str
    about: About


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
        self._spoke: OrderedDict[str, tuple[MemberRecord, MemberRecord]] = OrderedDict()
        self.public_url = public_url(settings)
        self.origins = origins(settings)

    # --- making (administration, demo) -----------------------------------------------------------------------------

    async def make_room(self, mode_cap: Mode = Mode.M0, setting: str = "", *, actor: str = SERVER) -> str:
        """A new room. ``mode_cap``: the most analysis that its owner allows.

        ``setting``: who put the student into the lesson, of :class:`~lessonroom.policy.Setting`, empty when unknown;
        ``actor``: who asks, for the audit.
        """
        room = _word()
        audit = on_record(actor, "room.made", f"room:{room}", mode_cap=mode_cap.value, setting=setting)
        await self._store.add_room(RoomRecord(room, mode_cap.value, self._clock(), setting=setting), audit=audit)
        return room

    async def make_member(
        self,
        room: str,
        role: str,
        name: str,
        sender: str = "",
        *,
        about: About = NOTHING,
        prefix: str = "",
        actor: str = SERVER,
    ) -> Invitation:
        """A teacher, a student or a minor student's guardian; a room has one of each.

        ``sender``: the platform's stable name of the person, the member's own id when empty; ``prefix``: the path
        under which the application is mounted; ``actor``: who asks, for the audit. A guardian gets a link to the page
        of consent and enters no room. Raises NotFound, BadInput for a second one or for a guardian of nobody, Refused
        for a closed room.
        """
        if role not in ONE_EACH:
            raise BadInput("expected the role teacher, student or guardian, got another one")
        async with self._making:
            record = await self._store.room(room)
            if record.closed_at is not None:
                raise Refused("expected an open room, got one that is closed")
            members = await self._store.members(room)
            if any(member.role == role for member in members):
                raise BadInput(f"expected a room without a {role}, got one that has one")
            if role == "guardian":
                _check_ward(members)
            return await self._invite(_Invited(room, role, name, sender, about), prefix, actor)

    async def make_operator(self, name: str = "operator", *, prefix: str = "", actor: str = SERVER) -> Invitation:
        """An operator, who sees figures of all rooms and enters none."""
        return await self._invite(_Invited("", "observer", name, "", NOTHING), prefix, actor)

    async def _invite(self, person: _Invited, prefix: str, actor: str) -> Invitation:
        member, code, now = _word(), secrets.token_urlsafe(24), self._clock()
        made = MemberRecord(
            id=member,
            room=person.room,
            role=person.role,
            name=person.name,
            sender=person.sender or member,
            created_at=now,
            code_hash=auth.hash_secret(code),
            code_expires_at=now + self._link_seconds(person.role),
            **asdict(person.about),
        )
        audit = on_record(
            actor,
            "member.made",
            f"member:{member}",
            role=made.role,
            place=made.place,
            band=made.band,
            release=bool(made.release),
        )
        await self._store.add_member(made, audit=audit)
        return Invitation(member, self._link(person.role, member, code, prefix))

    async def renew_link(self, room: str, member: str, *, prefix: str = "", actor: str = SERVER) -> Invitation:
        """Another link for a member who lost theirs or wants another browser; it ends link and session from before.

        Whoever is in the lesson by the old one stays until the new one is opened. ``prefix``, ``actor``: see
        :meth:`make_member`. Raises NotFound, Refused for another room's member and for a closed room.
        """
        known = await self._store.member(member)
        if known.room != room:
            raise Refused("expected a member of this room, got one of another")
        if (await self._store.room(room)).closed_at is not None:
            raise Refused("expected an open room, got one that is closed")
        code = secrets.token_urlsafe(24)
        audit = on_record(actor, "link.renewed", f"member:{member}", role=known.role)
        until = self._clock() + self._link_seconds(known.role)
        await self._store.renew(member, auth.hash_secret(code), until, audit=audit)
        self._spoke.pop(member, None)
        return Invitation(member, self._link(known.role, member, code, prefix))

    def _link(self, role: str, member: str, code: str, prefix: str) -> str:
        return f"{self.public_url}{prefix}/{PAGES[role]}/{member}#{code}"

    def _link_seconds(self, role: str) -> float:
        return self._settings.guardian_days * DAY if role == "guardian" else self._settings.link_hours * 3600

    def _session_seconds(self, role: str) -> float:
        return self._settings.guardian_days * DAY if role == "guardian" else self._settings.session_hours * 3600

    async def ward(self, guardian: MemberRecord) -> MemberRecord:
        """The student for whom a guardian speaks. Raises NotFound, also for one who was forgotten; StoreDown."""
        for member in await self._store.members(guardian.room):
            if member.role == "student" and member.sender:
                return member
        raise NotFound("expected a room with a student, got one without")

    def remember(self, reader: MemberRecord, person: MemberRecord) -> None:
        """``reader`` may speak for ``person``, as the store has just said."""
        self._spoke[reader.id] = reader, person
        self._spoke.move_to_end(reader.id)
        if len(self._spoke) > MOST_REMEMBERED:
            self._spoke.popitem(last=False)

    def remembered(self, member: str, secret: str) -> tuple[MemberRecord, MemberRecord] | None:
        """Reader and person as they were remembered; None when they were not. Raises TicketRefused."""
        found = self._spoke.get(member)
        return None if found is None else (self._check(found[0], secret), found[1])

    def alias(self, sender: str) -> str:
        """What a sender is called in records that stay for ever."""
        return auth.alias(self._secret, sender)

    # --- letting in --------------------------------------------------------------------------------------------------

    async def redeem(self, member: str, code: str) -> tuple[MemberRecord, str, float]:
        """Exchange a link's code for a session: the member, the session's secret, its life in seconds.

        Raises TicketRefused when the code is wrong, used or too old; NotFound.
        """
        now, session = self._clock(), secrets.token_urlsafe(32)
        found = await self._store.member(member)
        life = self._session_seconds(found.role)
        hashed = auth.hash_secret(session)
        if not await self._store.redeem(member, auth.hash_secret(code), hashed, now + life, now):
            raise TicketRefused(
                "expected a link that was not used yet, got one that was, or that is too old", why="wrong_code"
            )
        return found, session, life

    async def session(self, member: str, secret: str) -> MemberRecord:
        """The member whose session this is. Raises TicketRefused, NotFound."""
        return self._check(await self._store.member(member), secret)

    def _check(self, record: MemberRecord, secret: str) -> MemberRecord:
        lives = record.session_expires_at is not None and self._clock() < record.session_expires_at
        if not auth.matches(secret, record.session_hash) or not lives:
            raise TicketRefused(
                "expected the session of this member, got none or another; open the link again", why="wrong_session"
            )
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
            raise TicketRefused("expected a ticket that was not used yet, got one that was", why="replayed")
        return claims


def _check_ward(members: Sequence[MemberRecord]) -> None:
    """Raises BadInput where there is nobody for whom a guardian would have to speak."""
    student = next((member for member in members if member.role == "student"), None)
    if student is None or student.band == Band.ADULT:
        raise BadInput("expected a room with a student under 18, got one without")


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
