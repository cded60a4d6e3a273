"""What every store keeps to. A test module makes ``class TestX(StoreContract)`` with a fixture ``store``."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from lessonroom.errors import BadInput, NotFound, StoreDown
from lessonroom.storage.audit import AuditRecord, Head
from lessonroom.storage.chain import START, head_of, link_to
from lessonroom.storage.consent import By, ConsentRecord, Purpose
from lessonroom.storage.store import (
    GRACE_SECONDS,
    FoundSpan,
    HintRecord,
    MemberRecord,
    MessageState,
    NewMessage,
    RoomRecord,
    Store,
    StoredMessage,
)

NOW = 1_800_000_000.123456
ROOM = RoomRecord("room-0001", "M3", NOW)
OTHER = RoomRecord("room-0002", "M0", NOW + 1)
TEACHER = MemberRecord("teacher-1", ROOM.id, "teacher", "Ольга", "platform:1", NOW, "c" * 64, NOW + 60)
STUDENT = MemberRecord("student-1", ROOM.id, "student", "Anna 👩‍🎓", "platform:2", NOW, "d" * 64, NOW + 60)
HINT = HintRecord("hint-0001", ROOM.id, "face", "slower", NOW)
YES = ConsentRecord(
    "consent-1", STUDENT.sender, Purpose.HINTS, By.SELF, True, "a1b2", "uk", NOW, NOW + 9e6, ROOM.id, STUDENT.id
)
SPANS = (FoundSpan("phone", 3, 9, "digits"), FoundSpan("email", 0, 2))
TEXTS = ["hello", "привет", "'); DROP TABLE rooms; --", "a\n\tb", "👩‍🎓", "\u202e\ufeff", "%s :x ?", "x" * 20_000]


def said(number: int | str, *, sender: str = STUDENT.id, room: str = ROOM.id, **changes: Any) -> NewMessage:
    """A relayed message, unless the changes say otherwise."""
    message = NewMessage(
        room=room,
        sender=sender,
        id=f"message-{number}",
        text=f"text {number}",
        at=NOW,
        state=MessageState.RELAYED,
        probability=0.1234567890123,
        decider="model",
        model="contact_filter 1",
    )
    return replace(message, **changes)


def deed(name: str = "deed-1", **detail: Any) -> AuditRecord:
    return AuditRecord(name, NOW, STUDENT.id, "something.done", f"room:{ROOM.id}", detail)


async def recorded(store: Store) -> list[str]:
    return [record.id for record in await store.audits(None, 99)]


async def fill(store: Store) -> None:
    """Two rooms, a teacher and a student in the first."""
    for room in (ROOM, OTHER):
        await store.add_room(room)
    for member in (TEACHER, STUDENT):
        await store.add_member(member)


def numbers(found: Any) -> list[int]:
    return [stored.seq for stored in found]


class StoreContract:
    """Tests that use an open, empty store."""

    # --- rooms and members ---

    async def test_a_room_is_read_as_it_was_written(self, store: Store) -> None:
        await fill(store)
        assert await store.room(ROOM.id) == ROOM
        assert await store.room(OTHER.id) == OTHER

    async def test_a_room_keeps_how_it_was_bought_and_what_the_law_allows(self, store: Store) -> None:
        room = replace(ROOM, setting="self", ceiling="M2")
        await store.add_room(room)
        assert await store.room(ROOM.id) == room
        assert list(await store.open_rooms()) == [room]

    async def test_a_ceiling_only_falls(self, store: Store) -> None:
        """Whatever a later table says, a lesson that has begun is not raised; who asks hears what holds."""
        await fill(store)
        given = ["M2", "M3", "M2", "M1", "M2", "M0", "M3"]
        kept = [
            (await store.set_ceiling(ROOM.id, one, False, deed(f"deed-{turn}")))[0] for turn, one in enumerate(given)
        ]
        assert kept == ["M2", "M2", "M2", "M1", "M1", "M0", "M0"]
        assert (await store.room(ROOM.id)).ceiling == "M0"
        assert (await store.room(OTHER.id)).ceiling is None
        assert await recorded(store) == ["deed-0", "deed-3", "deed-5"]

    async def test_a_lesson_that_needed_two_keys_needs_them_for_good(self, store: Store) -> None:
        """Whatever a later table or later facts say: who was a minor at the start is one until the end."""
        await fill(store)
        given = [False, True, False]
        kept = [await store.set_ceiling(ROOM.id, "M2", one, deed(f"deed-{turn}")) for turn, one in enumerate(given)]
        assert kept == [("M2", False), ("M2", True), ("M2", True)]
        assert (await store.room(ROOM.id)).two_keys is True
        assert await recorded(store) == ["deed-0", "deed-1"]

    async def test_of_ceilings_set_at_once_the_lowest_holds(self, store: Store) -> None:
        await fill(store)
        tries = (store.set_ceiling(ROOM.id, f"M{turn % 3 + 1}", False, deed(f"deed-{turn}")) for turn in range(12))
        assert (await asyncio.gather(*tries))[-1] == ("M1", False)
        assert (await store.room(ROOM.id)).ceiling == "M1"

    async def test_a_room_that_is_not_there_is_not_found(self, store: Store) -> None:
        with pytest.raises(NotFound):
            await store.room("room-none")

    async def test_the_same_room_twice_changes_nothing(self, store: Store) -> None:
        """A write whose answer was lost is repeated; it must not undo what happened since."""
        await fill(store)
        await store.close_room(ROOM.id, NOW + 9)
        await store.add_room(ROOM)
        assert (await store.room(ROOM.id)).closed_at == NOW + 9

    async def test_open_rooms_are_listed_oldest_first_until_they_close(self, store: Store) -> None:
        await store.add_room(OTHER)
        await store.add_room(ROOM)
        assert list(await store.open_rooms()) == [ROOM, OTHER]
        await store.close_room(ROOM.id, NOW + 2)
        assert list(await store.open_rooms()) == [OTHER]

    async def test_a_room_closes_once(self, store: Store) -> None:
        await fill(store)
        await store.close_room(ROOM.id, NOW + 2)
        await store.close_room(ROOM.id, NOW + 3)
        assert await store.room(ROOM.id) == replace(ROOM, closed_at=NOW + 2)

    async def test_a_member_is_read_as_it_was_written(self, store: Store) -> None:
        await fill(store)
        assert await store.member(STUDENT.id) == STUDENT
        with pytest.raises(NotFound):
            await store.member("nobody")

    async def test_a_member_keeps_what_the_law_asks_about(self, store: Store) -> None:
        await store.add_room(ROOM)
        member = replace(STUDENT, place="US-IL", band="18+", release="paper № 7")
        await store.add_member(member)
        assert await store.member(STUDENT.id) == member
        assert list(await store.members(ROOM.id)) == [member]

    async def test_the_same_member_twice_changes_nothing(self, store: Store) -> None:
        await fill(store)
        await store.add_member(replace(STUDENT, role="teacher"))
        assert await store.member(STUDENT.id) == STUDENT

    async def test_members_come_in_the_order_of_their_making(self, store: Store) -> None:
        """Also when all were made in the same instant."""
        await fill(store)
        assert list(await store.members(ROOM.id)) == [TEACHER, STUDENT]
        assert list(await store.members(OTHER.id)) == []

    async def test_an_operator_belongs_to_no_room(self, store: Store) -> None:
        operator = replace(TEACHER, id="operator1", room="", role="observer")
        await store.add_member(operator)
        assert await store.member(operator.id) == operator
        assert list(await store.members("")) == []

    async def test_writing_about_a_room_or_member_that_is_not_there_is_not_found(self, store: Store) -> None:
        await fill(store)
        writes: list[Callable[[], Awaitable[Any]]] = [
            lambda: store.close_room("none", NOW),
            lambda: store.add_member(replace(STUDENT, id="student-9", room="none")),
            lambda: store.append(said(1, room="none")),
            lambda: store.appeal("none", STUDENT.id, "message-1", NOW),
            lambda: store.set_ceiling("none", "M0", False, deed()),
            lambda: store.add_consent(replace(YES, room="none"), deed()),
            lambda: store.add_consent(replace(YES, member="none"), deed()),
            lambda: store.add_hint(replace(HINT, room="none")),
            lambda: store.answer_hint("none", HINT.id, "helpful"),
            lambda: store.set_hints_on("none", False),
        ]
        for write in writes:
            with pytest.raises(NotFound):
                await write()
        assert await recorded(store) == []

    async def test_what_belongs_to_a_room_that_is_not_there_is_empty(self, store: Store) -> None:
        assert list(await store.members("none")) == []
        assert list(await store.hints("none")) == []
        assert list(await store.after("none", 0, "me", 9)) == []
        assert list(await store.recent("none", 9)) == []
        assert await store.last_seq("none") == 0
        assert list(await store.consents("none")) == []
        assert await store.hints_on("none") is True

    # --- codes and tickets ---

    async def test_a_code_is_exchanged_for_a_session_once(self, store: Store) -> None:
        await fill(store)
        assert await store.redeem(STUDENT.id, STUDENT.code_hash, "s" * 64, NOW + 600, NOW) is True
        assert await store.redeem(STUDENT.id, STUDENT.code_hash, "t" * 64, NOW + 900, NOW) is False
        expected = replace(STUDENT, session_hash="s" * 64, session_expires_at=NOW + 600)
        assert await store.member(STUDENT.id) == expected
        assert await store.member(TEACHER.id) == TEACHER

    @pytest.mark.parametrize(
        ("member", "code", "now"),
        [
            (STUDENT.id, TEACHER.code_hash, NOW),
            (STUDENT.id, "", NOW),
            (STUDENT.id, STUDENT.code_hash, STUDENT.code_expires_at),
            ("nobody", STUDENT.code_hash, NOW),
        ],
    )
    async def test_a_wrong_or_old_code_is_not_exchanged(self, store: Store, member: str, code: str, now: float) -> None:
        await fill(store)
        assert await store.redeem(member, code, "s" * 64, NOW + 600, now) is False
        assert await store.member(STUDENT.id) == STUDENT

    async def test_of_many_who_bring_the_same_code_one_gets_the_session(self, store: Store) -> None:
        await fill(store)
        tries = (store.redeem(STUDENT.id, STUDENT.code_hash, f"s{i}", NOW + 600, NOW) for i in range(20))
        assert sorted(await asyncio.gather(*tries)) == [False] * 19 + [True]

    async def test_another_code_ends_the_one_before_and_its_session(self, store: Store) -> None:
        await fill(store)
        audit = AuditRecord("a-renewed", NOW, "key:1", "link.renewed", f"member:{STUDENT.id}")
        assert await store.redeem(STUDENT.id, STUDENT.code_hash, "s" * 64, NOW + 600, NOW)
        await store.renew(STUDENT.id, "n" * 64, NOW + 900, audit=audit)
        expected = replace(STUDENT, code_hash="n" * 64, code_expires_at=NOW + 900)
        assert await store.member(STUDENT.id) == expected
        assert await store.member(TEACHER.id) == TEACHER
        assert not await store.redeem(STUDENT.id, STUDENT.code_hash, "t" * 64, NOW + 600, NOW)
        assert await store.redeem(STUDENT.id, "n" * 64, "t" * 64, NOW + 600, NOW)
        await store.add_member(replace(STUDENT, id="forgotten", sender=""))
        for member in ("nobody", "forgotten"):
            with pytest.raises(NotFound):
                await store.renew(member, "n" * 64, NOW + 900)

    async def test_a_ticket_is_spent_once(self, store: Store) -> None:
        assert await store.spend("ticket-1", NOW + 30, NOW) is True
        assert await store.spend("ticket-1", NOW + 30, NOW + 1) is False
        assert await store.spend("ticket-2", NOW + 30, NOW + 1) is True

    async def test_of_many_who_bring_the_same_ticket_one_enters(self, store: Store) -> None:
        tries = (store.spend("ticket-1", NOW + 30, NOW) for _ in range(20))
        assert sorted(await asyncio.gather(*tries)) == [False] * 19 + [True]

    async def test_a_ticket_cannot_be_spent_after_its_time_although_it_was_forgotten(self, store: Store) -> None:
        assert await store.spend("ticket-1", NOW + 30, NOW) is True
        later = NOW + 30 + GRACE_SECONDS
        assert await store.spend("ticket-2", later + 30, later) is True  # forgets the first
        assert await store.spend("ticket-1", NOW + 30, later) is False
        assert await store.spend("ticket-1", NOW + 30, NOW + 30) is False

    async def test_a_clock_that_is_set_back_does_not_revive_a_ticket(self, store: Store) -> None:
        assert await store.spend("ticket-1", NOW + 30, NOW) is True
        for turn, later in enumerate((30.0, 31.0, 29.0 + GRACE_SECONDS)):
            assert await store.spend(f"other-{turn}", NOW + 999, NOW + later) is True
            assert await store.spend("ticket-1", NOW + 30, NOW + 1) is False

    # --- messages ---

    @pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
    async def test_a_message_is_read_as_it_was_written(self, store: Store, text: str) -> None:
        await fill(store)
        message = said(1, text=text, state=MessageState.BLOCKED, findings=SPANS, lang="uk", degraded=True, sampled=True)
        assert await store.append(message) == (StoredMessage(1, message), True)
        (found,) = await store.recent(ROOM.id, 9)
        assert found == StoredMessage(1, message)
        assert isinstance(found.message.state, MessageState)

    @pytest.mark.parametrize("text", ["a\0b", "\ud800", "a\udfffb"], ids=["nul", "high", "low"])
    async def test_a_text_that_not_every_database_takes_is_refused_without_quoting_it(
        self, store: Store, text: str
    ) -> None:
        await fill(store)
        with pytest.raises(BadInput) as refused:
            await store.append(said(1, text=text))
        assert text not in str(refused.value)
        assert await store.last_seq(ROOM.id) == 0

    async def test_messages_are_numbered_from_one_in_each_room(self, store: Store) -> None:
        await fill(store)
        for number in (1, 2, 3):
            assert (await store.append(said(number)))[0].seq == number
        assert (await store.append(said(1, room=OTHER.id)))[0].seq == 1
        assert await store.last_seq(ROOM.id) == 3
        assert await store.last_seq(OTHER.id) == 1

    async def test_many_at_once_get_numbers_without_gap_or_double(self, store: Store) -> None:
        await fill(store)
        sent = [said(n, sender=f"sender-{n % 7}", room=room) for n in range(150) for room in (ROOM.id, OTHER.id)]
        kept = await asyncio.gather(*(store.append(message) for message in sent))
        for room in (ROOM.id, OTHER.id):
            assert sorted(s.seq for s, _ in kept if s.message.room == room) == list(range(1, 151))
            assert numbers(await store.recent(room, 500)) == list(range(1, 151))

    async def test_a_resent_message_is_answered_but_not_stored_twice(self, store: Store) -> None:
        """What was stored first stays, whatever the second verdict says."""
        await fill(store)
        first = said(1, state=MessageState.BLOCKED, findings=SPANS)
        await store.append(first)
        await store.append(said(2))
        again = said(1, text="other words", at=NOW + 5)
        assert await store.append(again) == (StoredMessage(1, first), False)
        assert await store.last_seq(ROOM.id) == 2
        assert (await store.append(said(3)))[0].seq == 3

    async def test_the_same_message_sent_many_times_at_once_is_stored_once(self, store: Store) -> None:
        await fill(store)
        kept = await asyncio.gather(*(store.append(said(1)) for _ in range(30)))
        assert [stored.seq for stored, _ in kept] == [1] * 30
        assert sorted(new for _, new in kept) == [False] * 29 + [True]

    async def test_a_resent_message_among_new_ones_takes_no_number(self, store: Store) -> None:
        await fill(store)
        await store.append(said(1))
        sent = [said(2), said(1, text="other words"), said(3), said(2, text="again"), said(4)]
        kept = await asyncio.gather(*(store.append(message) for message in sent))
        assert [(stored.seq, new) for stored, new in kept] == [(2, True), (1, False), (3, True), (2, False), (4, True)]
        assert [stored.message.text for stored, _ in kept] == [f"text {n}" for n in (2, 1, 3, 2, 4)]

    async def test_of_many_at_once_those_on_record_are_recorded_once_and_in_order(self, store: Store) -> None:
        await fill(store)
        sent = [said(n, state=MessageState.HELD if n % 3 else MessageState.RELAYED) for n in range(30)]
        for _ in range(2):
            kept = await asyncio.gather(
                *(store.append(one, audit=deed(one.id) if one.state == "held" else None) for one in sent)
            )
            assert [stored.seq for stored, _ in kept] == list(range(1, 31))
            assert await recorded(store) == [f"message-{n}" for n in range(30) if n % 3]

    async def test_two_writers_may_use_the_same_id(self, store: Store) -> None:
        await fill(store)
        await store.append(said(1))
        assert await store.append(said(1, sender=TEACHER.id)) == (StoredMessage(2, said(1, sender=TEACHER.id)), True)

    async def test_a_refused_record_takes_no_number_and_does_not_disturb_its_neighbours(self, store: Store) -> None:
        await fill(store)
        sent = [said(1), said("bad", text="\0"), said(2), said("lost", room="none"), said(3)]
        kept = await asyncio.gather(*(store.append(message) for message in sent), return_exceptions=True)
        assert [type(answer) for answer in kept] == [tuple, BadInput, tuple, NotFound, tuple]
        assert numbers(await store.recent(ROOM.id, 9)) == [1, 2, 3]

    async def test_a_reader_sees_relayed_messages_and_their_own(self, store: Store) -> None:
        await fill(store)
        for number, state in enumerate(MessageState, 1):
            await store.append(said(number, state=state))
        assert numbers(await store.after(ROOM.id, 0, STUDENT.id, 99)) == [1, 2, 3, 4]
        assert numbers(await store.after(ROOM.id, 0, TEACHER.id, 99)) == [1]
        assert numbers(await store.after(OTHER.id, 0, STUDENT.id, 99)) == []

    async def test_pages_follow_one_another_without_gap_or_double(self, store: Store) -> None:
        """Read as a client does: from the last number it has, through messages that it may not see."""
        await fill(store)
        for number in range(1, 12):
            await store.append(said(number, state=MessageState.BLOCKED if number % 3 == 0 else MessageState.RELAYED))
        seen: list[int] = []
        while page := await store.after(ROOM.id, seen[-1] if seen else 0, TEACHER.id, 3):
            assert len(page) <= 3
            seen += numbers(page)
        assert seen == [1, 2, 4, 5, 7, 8, 10, 11]

    async def test_nothing_comes_after_the_last(self, store: Store) -> None:
        await fill(store)
        await store.append(said(1))
        assert list(await store.after(ROOM.id, 1, STUDENT.id, 9)) == []
        assert list(await store.after(ROOM.id, 2**53 - 1, STUDENT.id, 9)) == []
        assert list(await store.after(ROOM.id, 0, STUDENT.id, 0)) == []

    async def test_recent_are_the_last_of_any_state_oldest_first(self, store: Store) -> None:
        await fill(store)
        for number, state in enumerate(MessageState, 1):
            await store.append(said(number, state=state))
        assert numbers(await store.recent(ROOM.id, 3)) == [2, 3, 4]
        assert numbers(await store.recent(ROOM.id, 99)) == [1, 2, 3, 4]
        assert numbers(await store.recent(ROOM.id, 0)) == []

    async def test_a_blocked_message_is_appealed_and_keeps_its_number(self, store: Store) -> None:
        await fill(store)
        blocked = said(1, state=MessageState.BLOCKED, findings=SPANS)
        await store.append(blocked)
        appealed = StoredMessage(1, replace(blocked, state=MessageState.APPEALED))
        assert await store.appeal(ROOM.id, STUDENT.id, blocked.id, NOW + 1) == appealed
        assert await store.appeal(ROOM.id, STUDENT.id, blocked.id, NOW + 2) == appealed
        assert list(await store.recent(ROOM.id, 9)) == [appealed]
        assert (await store.append(said(2)))[0].seq == 2

    @pytest.mark.parametrize("state", [MessageState.RELAYED, MessageState.HELD])
    async def test_only_a_blocked_message_can_be_appealed(self, store: Store, state: MessageState) -> None:
        await fill(store)
        await store.append(said(1, state=state))
        with pytest.raises(NotFound):
            await store.appeal(ROOM.id, STUDENT.id, "message-1", NOW)
        assert (await store.recent(ROOM.id, 1))[0].message.state is state

    async def test_nobody_appeals_for_another(self, store: Store) -> None:
        await fill(store)
        await store.append(said(1, state=MessageState.BLOCKED))
        with pytest.raises(NotFound):
            await store.appeal(ROOM.id, TEACHER.id, "message-1", NOW)
        assert (await store.recent(ROOM.id, 1))[0].message.state is MessageState.BLOCKED

    # --- consent, hints, senders ---

    async def test_the_last_word_on_consent_counts(self, store: Store) -> None:
        """The one that was said last, whatever the clock was set to."""
        await fill(store)
        assert list(await store.consents(STUDENT.sender)) == []
        for turn, given in enumerate((True, False, True, False)):
            said = replace(YES, id=f"consent-{turn}", given=given, at=NOW - turn, expires_at=NOW + 9e6 - turn)
            await store.add_consent(said, deed(f"deed-{turn}"))
            assert list(await store.consents(STUDENT.sender)) == [said]
        assert list(await store.consents(TEACHER.sender)) == []
        assert await recorded(store) == [f"deed-{turn}" for turn in range(4)]

    async def test_each_purpose_and_each_side_has_a_word_of_its_own(self, store: Store) -> None:
        await fill(store)
        words = [
            replace(YES, id=f"{purpose}-{by}-{given}", purpose=purpose, by=by, given=given)
            for given in (True, False)
            for purpose in Purpose
            for by in By
        ]
        for word in words:
            await store.add_consent(word, deed(word.id))
        assert list(await store.consents(STUDENT.sender)) == words[6:]
        assert {(type(word.purpose), type(word.by)) for word in await store.consents(STUDENT.sender)} == {(Purpose, By)}

    async def test_the_same_word_of_consent_twice_changes_nothing(self, store: Store) -> None:
        """It is written until it is kept; in between somebody may have taken it back."""
        await fill(store)
        no = replace(YES, id="consent-2", given=False)
        for word in (YES, no, YES):
            await store.add_consent(word, deed(f"deed {word.id}"))
        assert list(await store.consents(STUDENT.sender)) == [no]
        assert await recorded(store) == ["deed consent-1", "deed consent-2"]

    async def test_hints_are_kept_with_their_answers(self, store: Store) -> None:
        await fill(store)
        second = replace(HINT, id="hint-0002", cue="stuck")
        await store.add_hint(HINT)
        await store.add_hint(second)
        await store.answer_hint(ROOM.id, HINT.id, "helpful")
        assert list(await store.hints(ROOM.id)) == [replace(HINT, answer="helpful"), second]

    async def test_the_same_hint_twice_changes_nothing(self, store: Store) -> None:
        await fill(store)
        await store.add_hint(HINT)
        await store.answer_hint(ROOM.id, HINT.id, "not_helpful")
        await store.add_hint(HINT)
        assert list(await store.hints(ROOM.id)) == [replace(HINT, answer="not_helpful")]

    async def test_two_rooms_may_have_hints_of_the_same_id(self, store: Store) -> None:
        """A client makes the id of "I'm stuck": it must not hide or answer a hint of another room."""
        await fill(store)
        await store.add_hint(HINT)
        await store.add_hint(replace(HINT, room=OTHER.id))
        await store.answer_hint(OTHER.id, HINT.id, "closed")
        assert [hint.answer for hint in await store.hints(ROOM.id)] == [None]
        assert [hint.answer for hint in await store.hints(OTHER.id)] == ["closed"]

    async def test_a_hint_of_another_room_cannot_be_answered(self, store: Store) -> None:
        await fill(store)
        await store.add_hint(HINT)
        with pytest.raises(NotFound):
            await store.answer_hint(OTHER.id, HINT.id, "helpful")

    async def test_hints_are_on_until_they_are_turned_off(self, store: Store) -> None:
        await fill(store)
        assert await store.hints_on(ROOM.id) is True
        await store.set_hints_on(ROOM.id, False)
        assert await store.hints_on(ROOM.id) is False
        assert await store.hints_on(OTHER.id) is True
        await store.set_hints_on(ROOM.id, True)
        assert await store.hints_on(ROOM.id) is True

    async def test_nobody_begins_with_a_strike(self, store: Store) -> None:
        assert list(await store.strikes("platform:1")) == []

    async def test_who_pays_is_what_the_platform_said_last(self, store: Store) -> None:
        assert await store.paying("platform:2") is False
        for paying in (True, True, False, True):
            await store.set_paying("platform:2", paying)
            assert await store.paying("platform:2") is paying
        assert await store.paying("platform:1") is False

    # --- the audit ---

    async def test_what_is_done_and_its_record_are_one(self, store: Store) -> None:
        """Written once, also when the write is repeated because its answer was lost."""
        blocked = said(1, state=MessageState.BLOCKED)
        writes: list[Callable[[AuditRecord], Awaitable[Any]]] = [
            lambda audit: store.add_room(ROOM, audit=audit),
            lambda audit: store.add_member(STUDENT, audit=audit),
            lambda audit: store.set_ceiling(ROOM.id, "M1", False, audit),
            lambda audit: store.add_consent(YES, audit),
            lambda audit: store.append(blocked, audit=audit),
            lambda audit: store.appeal(ROOM.id, STUDENT.id, blocked.id, NOW, audit=audit),
            lambda audit: store.add_hint(HINT, audit=audit),
            lambda audit: store.set_paying(STUDENT.sender, True, audit=audit),
            lambda audit: store.close_room(ROOM.id, NOW, audit=audit),
            store.record,
        ]
        for turn, write in enumerate(writes):
            for _ in range(2):
                await write(deed(f"deed-{turn}"))
                assert await recorded(store) == [f"deed-{one}" for one in range(turn + 1)]

    async def test_a_write_that_changes_nothing_leaves_no_record(self, store: Store) -> None:
        await fill(store)
        blocked = said(1, state=MessageState.BLOCKED)
        await store.append(blocked)
        await store.appeal(ROOM.id, STUDENT.id, blocked.id, NOW)
        await store.add_hint(HINT)
        await store.close_room(ROOM.id, NOW)
        await store.add_room(ROOM, audit=deed())
        await store.add_member(STUDENT, audit=deed())
        await store.append(blocked, audit=deed())
        await store.appeal(ROOM.id, STUDENT.id, blocked.id, NOW, audit=deed())
        await store.add_hint(HINT, audit=deed())
        await store.close_room(ROOM.id, NOW, audit=deed())
        assert await recorded(store) == []

    async def test_a_write_that_fails_leaves_no_record(self, store: Store) -> None:
        await fill(store)
        with pytest.raises(BadInput):
            await store.append(said(1, text="\0"), audit=deed())
        with pytest.raises(NotFound):
            await store.add_hint(replace(HINT, room="none"), audit=deed())
        assert await recorded(store) == []
        assert await store.head() == Head(0, START)

    async def test_each_record_is_tied_to_the_one_before_it(self, store: Store) -> None:
        await fill(store)
        records = [deed(f"deed-{turn}", whole=turn, part=turn / 3, word="слово", none=None) for turn in range(5)]
        await asyncio.gather(*(store.record(record) for record in records))
        links = list(await store.links(0, 99))
        expected = START
        for number, (link, record) in enumerate(zip(links, records, strict=True), 1):
            assert link == link_to(number, expected, record)
            expected = link.hash
        assert await store.head() == head_of(links[-1])
        assert list(await store.links(2, 2)) == links[2:4]

    async def test_a_record_that_is_no_json_is_refused(self, store: Store) -> None:
        with pytest.raises(BadInput):
            await store.record(deed(share=float("nan")))
        assert await recorded(store) == []

    # --- the store itself ---

    async def test_a_store_that_works_says_so(self, store: Store) -> None:
        await store.check()
        await store.check()

    async def test_what_was_accepted_before_closing_is_finished(self, store: Store) -> None:
        await fill(store)
        writes = [asyncio.ensure_future(store.append(said(n))) for n in range(50)]
        await asyncio.sleep(0)  # each has been handed over, none is done
        await store.close()
        assert sorted(numbers([stored for stored, _ in await asyncio.gather(*writes)])) == list(range(1, 51))

    async def test_a_closed_store_refuses_and_can_be_closed_again(self, store: Store) -> None:
        await store.close()
        await store.close()
        for call in (store.check(), store.add_room(ROOM), store.append(said(1)), store.room(ROOM.id)):
            with pytest.raises(StoreDown):
                await call

    async def test_a_closed_store_opens_again_with_all_its_records(self, store: Store) -> None:
        await fill(store)
        await store.append(said(1))
        await store.close()
        await store.open()
        assert numbers(await store.recent(ROOM.id, 9)) == [1]
        assert (await store.append(said(2)))[0].seq == 2
