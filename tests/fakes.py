"""Small real implementations for tests. Each is held to the suite of its protocol in ``tests/contracts``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from lessonroom.errors import NotFound, StoreDown
from lessonroom.storage.audit import AuditRecord, Head, Link
from lessonroom.storage.chain import START, head_of, link_to
from lessonroom.storage.consent import ConsentRecord
from lessonroom.storage.store import (
    GRACE_SECONDS,
    HintRecord,
    MemberRecord,
    MessageState,
    NewMessage,
    RoomRecord,
    StoredMessage,
    keepable,
)


class FakeStore:
    """A store in dictionaries. ``down = True`` makes every call fail until it is set back.

    ``struck``: times of proven violations by sender, which the product only keeps with a person's decision.
    """

    def __init__(self) -> None:
        self.down = False
        self._open = False
        self._rooms: dict[str, RoomRecord] = {}
        self._members: dict[str, MemberRecord] = {}
        self._tickets: dict[str, float] = {}
        self._messages: dict[str, list[StoredMessage]] = {}
        self._consents: dict[str, ConsentRecord] = {}
        self._links: list[Link] = []
        self._hints: dict[tuple[str, str], HintRecord] = {}
        self._hints_off: set[str] = set()
        self.struck: dict[str, list[float]] = {}
        self._paying: set[str] = set()

    async def open(self) -> None:
        self._open = True
        await self.check()

    async def close(self) -> None:
        self._open = False

    async def check(self) -> None:
        if self.down or not self._open:
            raise StoreDown("the fake store was told to be down, or is not open")

    async def record(self, audit: AuditRecord) -> None:
        await self.check()
        self._record(audit)

    def _record(self, audit: AuditRecord | None) -> None:
        if audit is not None and all(link.record.id != audit.id for link in self._links):
            previous = self._links[-1].hash if self._links else START
            self._links.append(link_to(len(self._links) + 1, previous, audit))

    async def audits(self, after: str | None, limit: int) -> Sequence[AuditRecord]:
        await self.check()
        start = 0
        if after is not None:
            start = next((link.number for link in self._links if link.record.id == after), 0)
            if not start:
                raise NotFound("expected the id of a record, got another one")
        return [link.record for link in self._links[start:][:limit]]

    async def links(self, after: int, limit: int) -> Sequence[Link]:
        await self.check()
        return self._links[after:][:limit]

    async def head(self) -> Head:
        await self.check()
        return head_of(self._links[-1]) if self._links else Head(0, START)

    async def add_room(self, room: RoomRecord, *, audit: AuditRecord | None = None) -> None:
        await self.check()
        if room.id not in self._rooms:
            self._rooms[room.id] = room
            self._record(audit)

    async def room(self, room: str) -> RoomRecord:
        await self.check()
        return self._known(room)

    async def open_rooms(self) -> Sequence[RoomRecord]:
        await self.check()
        return sorted((r for r in self._rooms.values() if r.closed_at is None), key=lambda r: r.created_at)

    async def close_room(self, room: str, at: float, *, audit: AuditRecord | None = None) -> None:
        await self.check()
        known = self._known(room)
        if known.closed_at is None:
            self._rooms[room] = replace(known, closed_at=at)
            self._record(audit)

    async def set_ceiling(self, room: str, ceiling: str, two_keys: bool, audit: AuditRecord) -> tuple[str, bool]:
        await self.check()
        known = self._known(room)
        mode = min(known.ceiling or ceiling, ceiling)
        stricter = replace(known, ceiling=mode, two_keys=known.two_keys or two_keys)
        if stricter != known:
            self._rooms[room] = stricter
            self._record(audit)
        return mode, stricter.two_keys

    def _known(self, room: str) -> RoomRecord:
        if room not in self._rooms:
            raise NotFound("expected a room that exists, got another id")
        return self._rooms[room]

    async def add_member(self, member: MemberRecord, *, audit: AuditRecord | None = None) -> None:
        await self.check()
        keepable(member.name + member.sender + member.release)
        if member.room:
            self._known(member.room)
        if member.id not in self._members:
            self._members[member.id] = member
            self._record(audit)

    async def member(self, member: str) -> MemberRecord:
        await self.check()
        if member not in self._members:
            raise NotFound("expected a member that exists, got another id")
        return self._members[member]

    async def members(self, room: str) -> Sequence[MemberRecord]:
        await self.check()
        return [member for member in self._members.values() if room and member.room == room]

    async def redeem(self, member: str, code_hash: str, session_hash: str, expires_at: float, now: float) -> bool:
        await self.check()
        known = self._members.get(member)
        if known is None or known.session_hash or known.code_hash != code_hash or known.code_expires_at <= now:
            return False
        self._members[member] = replace(known, session_hash=session_hash, session_expires_at=expires_at)
        return True

    async def renew(self, member: str, code_hash: str, expires_at: float, *, audit: AuditRecord | None = None) -> None:
        known = await self.member(member)
        if not known.sender:
            raise NotFound("expected a member that exists, got another id")
        new = {"code_hash": code_hash, "code_expires_at": expires_at, "session_hash": None, "session_expires_at": None}
        self._members[member] = replace(known, **new)
        self._record(audit)

    async def spend(self, ticket: str, expires_at: float, now: float) -> bool:
        await self.check()
        self._tickets = {known: until for known, until in self._tickets.items() if until > now - GRACE_SECONDS}
        if ticket in self._tickets or expires_at <= now:
            return False
        self._tickets[ticket] = expires_at
        return True

    async def append(self, message: NewMessage, *, audit: AuditRecord | None = None) -> tuple[StoredMessage, bool]:
        await self.check()
        keepable(message.text)
        self._known(message.room)
        known = self._find(message.room, message.sender, message.id)
        if known is not None:
            return known, False
        log = self._messages.setdefault(message.room, [])
        log.append(StoredMessage(len(log) + 1, message))
        self._record(audit)
        return log[-1], True

    def _find(self, room: str, sender: str, id: str) -> StoredMessage | None:  # noqa: A002
        log = self._messages.get(room, [])
        return next((stored for stored in log if (stored.message.sender, stored.message.id) == (sender, id)), None)

    async def after(self, room: str, seq: int, reader: str, limit: int) -> Sequence[StoredMessage]:
        await self.check()
        log = (stored for stored in self._messages.get(room, []) if stored.seq > seq)
        seen = [s for s in log if s.message.state is MessageState.RELAYED or s.message.sender == reader]
        return seen[:limit]

    async def recent(self, room: str, limit: int) -> Sequence[StoredMessage]:
        await self.check()
        return self._messages.get(room, [])[-limit:] if limit else []

    async def last_seq(self, room: str) -> int:
        await self.check()
        return len(self._messages.get(room, []))

    async def appeal(
        self,
        room: str,
        sender: str,
        id: str,  # noqa: A002
        at: float,
        *,
        audit: AuditRecord | None = None,
    ) -> StoredMessage:
        await self.check()
        known = self._find(room, sender, id)
        if known is None or known.message.state not in {MessageState.BLOCKED, MessageState.APPEALED}:
            raise NotFound("expected a blocked message of this member, got another id")
        if known.message.state is MessageState.BLOCKED:
            self._record(audit)
        appealed = replace(known, message=replace(known.message, state=MessageState.APPEALED))
        self._messages[room][known.seq - 1] = appealed
        return appealed

    async def add_consent(self, consent: ConsentRecord, audit: AuditRecord) -> None:
        await self.check()
        self._known(consent.room)
        await self.member(consent.member)
        if consent.id not in self._consents:
            self._consents[consent.id] = consent
            self._record(audit)

    async def consents(self, person: str) -> Sequence[ConsentRecord]:
        await self.check()
        own = [consent for consent in self._consents.values() if consent.person == person]
        last = {(consent.purpose, consent.by): consent for consent in own}
        return [consent for consent in own if last[consent.purpose, consent.by] is consent]

    async def add_hint(self, hint: HintRecord, *, audit: AuditRecord | None = None) -> None:
        await self.check()
        self._known(hint.room)
        if (hint.room, hint.id) not in self._hints:
            self._hints[hint.room, hint.id] = hint
            self._record(audit)

    async def answer_hint(self, room: str, hint: str, answer: str) -> None:
        await self.check()
        if (room, hint) not in self._hints:
            raise NotFound("expected a hint of this room, got another id")
        self._hints[room, hint] = replace(self._hints[room, hint], answer=answer)

    async def hints(self, room: str) -> Sequence[HintRecord]:
        await self.check()
        return [hint for hint in self._hints.values() if hint.room == room]

    async def set_hints_on(self, room: str, on: bool) -> None:
        await self.check()
        self._known(room)
        (self._hints_off.discard if on else self._hints_off.add)(room)

    async def hints_on(self, room: str) -> bool:
        await self.check()
        return room not in self._hints_off

    async def strikes(self, sender: str) -> Sequence[float]:
        await self.check()
        return self.struck.get(sender, [])

    async def paying(self, sender: str) -> bool:
        await self.check()
        return sender in self._paying

    async def set_paying(self, sender: str, paying: bool, *, at: float = 0.0, audit: AuditRecord | None = None) -> None:
        await self.check()
        (self._paying.add if paying else self._paying.discard)(keepable(sender))
        self._record(audit)
