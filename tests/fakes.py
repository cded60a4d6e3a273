"""Small real implementations for tests. Each is held to the suite of its protocol in ``tests/contracts``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from lessonroom.errors import NotFound, StoreDown
from lessonroom.storage.store import (
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
        self._consents: dict[tuple[str, str], bool] = {}
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

    async def add_room(self, room: RoomRecord) -> None:
        await self.check()
        self._rooms.setdefault(room.id, room)

    async def room(self, room: str) -> RoomRecord:
        await self.check()
        return self._known(room)

    async def open_rooms(self) -> Sequence[RoomRecord]:
        await self.check()
        return sorted((r for r in self._rooms.values() if r.closed_at is None), key=lambda r: r.created_at)

    async def close_room(self, room: str, at: float) -> None:
        await self.check()
        known = self._known(room)
        if known.closed_at is None:
            self._rooms[room] = replace(known, closed_at=at)

    def _known(self, room: str) -> RoomRecord:
        if room not in self._rooms:
            raise NotFound("expected a room that exists, got another id")
        return self._rooms[room]

    async def add_member(self, member: MemberRecord) -> None:
        await self.check()
        keepable(member.name + member.sender)
        if member.room:
            self._known(member.room)
        self._members.setdefault(member.id, member)

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

    async def spend(self, ticket: str, expires_at: float, now: float) -> bool:
        await self.check()
        self._tickets = {known: until for known, until in self._tickets.items() if until > now}
        if ticket in self._tickets or expires_at <= now:
            return False
        self._tickets[ticket] = expires_at
        return True

    async def append(self, message: NewMessage) -> tuple[StoredMessage, bool]:
        await self.check()
        keepable(message.text)
        self._known(message.room)
        known = self._find(message.room, message.sender, message.id)
        if known is not None:
            return known, False
        log = self._messages.setdefault(message.room, [])
        log.append(StoredMessage(len(log) + 1, message))
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

    async def appeal(self, room: str, sender: str, id: str, at: float) -> StoredMessage:  # noqa: A002
        await self.check()
        known = self._find(room, sender, id)
        if known is None or known.message.state not in {MessageState.BLOCKED, MessageState.APPEALED}:
            raise NotFound("expected a blocked message of this member, got another id")
        appealed = replace(known, message=replace(known.message, state=MessageState.APPEALED))
        self._messages[room][known.seq - 1] = appealed
        return appealed

    async def set_consent(self, room: str, member: str, agreed: bool, at: float) -> None:
        self._known(room)
        await self.member(member)
        self._consents[room, member] = agreed

    async def consent(self, room: str, member: str) -> bool | None:
        await self.check()
        return self._consents.get((room, member))

    async def add_hint(self, hint: HintRecord) -> None:
        await self.check()
        self._known(hint.room)
        self._hints.setdefault((hint.room, hint.id), hint)

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

    async def set_paying(self, sender: str, paying: bool) -> None:
        await self.check()
        (self._paying.add if paying else self._paying.discard)(keepable(sender))
