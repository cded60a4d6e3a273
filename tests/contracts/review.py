"""What every store keeps to for reviewers. Used as :mod:`tests.contracts.store` is."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any, Protocol

import pytest

from lessonroom.errors import Conflict, NotFound
from lessonroom.storage.audit import AuditRecord
from lessonroom.storage.review import Decided, Decision, Judge, Period, Reviews, Tally, Why
from lessonroom.storage.store import MessageState, NewMessage, Store, StoredMessage
from tests.contracts.store import NOW, OTHER, ROOM, SPANS, STUDENT, TEACHER, fill, numbers, said

BLOCKED, HELD, APPEALED, RELAYED = (
    MessageState.BLOCKED,
    MessageState.HELD,
    MessageState.APPEALED,
    MessageState.RELAYED,
)
EVERY = tuple(Why)


class Records(Store, Reviews, Protocol):
    """A store with the reviewers' part."""


def look(name: str = "audit-1") -> AuditRecord:
    return AuditRecord(name, NOW, "operator-1", "message.read", "message:1")


async def append(store: Store, number: int | str, state: MessageState = HELD, **changes: Any) -> NewMessage:
    message = said(number, state=RELAYED if state is APPEALED else state, **changes)
    if state is APPEALED:
        await store.append(replace(message, state=BLOCKED))
        return (await store.appeal(message.room, message.sender, message.id, NOW)).message
    return (await store.append(message))[0].message


async def number_of(store: Records, message: NewMessage) -> int:
    found = await store.queue(EVERY, 999)
    return next(one.number for one in found if one.message.id == message.id)


async def decide(store: Records, number: int, contact: bool, *, kind: str | None = None, at: float = NOW) -> Decided:
    record = AuditRecord(f"decision-{number}-{at}-{contact}", at, "operator-1", "message.decided", f"message:{number}")
    return await store.decide(Decision(number, contact, kind, "operator-1", at), record)


async def begin(store: Records, state: MessageState = HELD, **changes: Any) -> int:
    """A room with one message that waits."""
    await fill(store)
    return await number_of(store, await append(store, 1, state, **changes))


class ReviewContract:
    """Tests that use an open, empty store."""

    # --- the queue ---

    async def test_what_waits_comes_by_reason_and_the_oldest_first_in_each(self, store: Records) -> None:
        await fill(store)
        for number, state in enumerate((BLOCKED, HELD, APPEALED, RELAYED) * 2):
            await append(store, number, state, sampled=state is RELAYED)
        found = await store.queue(EVERY, 99)
        assert [one.why for one in found] == [why for why in Why for _ in range(2)]
        assert [one.message.id for one in found] == [f"message-{number}" for number in (2, 6, 1, 5, 0, 4, 3, 7)]
        assert [one.message.id for one in await store.queue([Why.SAMPLE, Why.HELD], 3)] == [
            "message-3",
            "message-7",
            "message-1",
        ]
        assert list(await store.queue([], 9)) == []

    async def test_a_message_waits_as_it_was_written_under_a_name_that_does_not_tell_its_room(
        self, store: Records
    ) -> None:
        await fill(store)
        for room in (OTHER, ROOM):
            message = said(1, room=room.id, state=HELD, findings=SPANS, lang="uk", degraded=True)
            await store.append(message)
        first, second = await store.queue(EVERY, 9)
        assert second.message == message
        assert first.number < second.number  # one count for all rooms

    async def test_a_relayed_message_waits_only_when_chance_has_chosen_it(self, store: Records) -> None:
        await fill(store)
        await append(store, 1, RELAYED)
        await append(store, 2, RELAYED, sampled=True)
        assert [(one.why, one.message.id) for one in await store.queue(EVERY, 9)] == [(Why.SAMPLE, "message-2")]

    async def test_all_that_wait_are_counted(self, store: Records) -> None:
        assert dict(await store.waiting()) == dict.fromkeys(Why, 0)
        await fill(store)
        for number, state in enumerate((BLOCKED, BLOCKED, APPEALED)):
            await append(store, number, state)
        assert dict(await store.waiting()) == {Why.APPEALED: 1, Why.HELD: 0, Why.BLOCKED: 2, Why.SAMPLE: 0}

    # --- reading ---

    async def test_a_message_is_read_with_the_lines_before_it(self, store: Records) -> None:
        """Whatever became of them, and of its own room alone."""
        await fill(store)
        for number, state in enumerate((RELAYED, BLOCKED, RELAYED)):
            await append(store, number, state)
        await append(store, "elsewhere", RELAYED, room=OTHER.id)
        asked = await append(store, 3, HELD, sender=TEACHER.id)
        await append(store, "later", RELAYED)
        reading = await store.read(await number_of(store, asked), 2, look())
        assert reading.message == asked
        assert [line.id for line in reading.before] == ["message-1", "message-2"]

    async def test_who_reads_is_written_down_in_the_same_breath(self, store: Records) -> None:
        number = await begin(store)
        await store.read(number, 6, look())
        assert list(await store.audits(None, 9)) == [look()]

    @pytest.mark.parametrize("number", [0, 2, 99, 2**53])
    async def test_a_message_that_nobody_asked_people_about_cannot_be_read(self, store: Records, number: int) -> None:
        """Numbers can be guessed; only what waits or was decided is open."""
        await begin(store)
        await append(store, 2, RELAYED)
        with pytest.raises(NotFound):
            await store.read(number, 6, look())
        assert list(await store.audits(None, 9)) == []

    async def test_a_decided_message_can_still_be_read(self, store: Records) -> None:
        number = await begin(store, BLOCKED)
        await decide(store, number, True)
        assert (await store.read(number, 6, look())).message.id == "message-1"

    # --- decisions ---

    @pytest.mark.parametrize("state", [HELD, APPEALED])
    async def test_what_is_no_contact_is_released_with_a_new_place(self, store: Records, state: MessageState) -> None:
        number = await begin(store, state)
        await append(store, 2, RELAYED)
        decided = await decide(store, number, False)
        assert (decided.released, decided.fresh, decided.why) == (True, True, Why(state.value))
        assert (decided.stored.seq, decided.stored.decided, decided.stored.message.state) == (3, True, RELAYED)
        assert numbers(await store.after(ROOM.id, 0, TEACHER.id, 9)) == [2, 3]
        assert list(await store.after(ROOM.id, 2, STUDENT.id, 9)) == [decided.stored]
        assert (await store.append(said(3)))[0].seq == 4
        assert dict(await store.waiting()) == dict.fromkeys(Why, 0)

    @pytest.mark.parametrize("state", [HELD, APPEALED])
    async def test_what_is_a_contact_is_stopped_and_its_writer_learns_of_it(
        self, store: Records, state: MessageState
    ) -> None:
        """Under a new place, too, so that a writer who was away learns of it on return; nobody else sees it."""
        number = await begin(store, state)
        decided = await decide(store, number, True, kind="phone")
        assert (decided.released, decided.stored.seq, decided.stored.message.state) == (False, 2, BLOCKED)
        assert list(await store.after(ROOM.id, 1, STUDENT.id, 9)) == [decided.stored]
        assert list(await store.after(ROOM.id, 0, TEACHER.id, 9)) == []

    @pytest.mark.parametrize(("state", "sampled"), [(BLOCKED, False), (RELAYED, True)])
    @pytest.mark.parametrize("contact", [True, False])
    async def test_what_nobody_waits_for_is_only_labelled(
        self, store: Records, state: MessageState, sampled: bool, contact: bool
    ) -> None:
        number = await begin(store, state, sampled=sampled)
        decided = await decide(store, number, contact)
        assert (decided.released, decided.stored.decided) == (False, False)
        assert (decided.stored.seq, decided.stored.message.state) == (1, state)
        assert [label.contact for label in await store.labels(0, 9, 0)] == [contact]
        assert dict(await store.waiting()) == dict.fromkeys(Why, 0)

    @pytest.mark.parametrize("contact", [True, False])
    async def test_in_a_closed_room_only_the_state_changes(self, store: Records, contact: bool) -> None:
        number = await begin(store)
        await store.close_room(ROOM.id, NOW)
        decided = await decide(store, number, contact)
        assert (decided.released, decided.stored.seq, decided.stored.decided) == (False, 1, False)
        assert decided.stored.message.state is (BLOCKED if contact else RELAYED)
        assert await store.last_seq(ROOM.id) == 1

    async def test_the_same_decision_again_changes_nothing(self, store: Records) -> None:
        """Its answer may have been lost; who asks again must hear the same."""
        number = await begin(store, APPEALED)
        first = await decide(store, number, False)
        again = await decide(store, number, False, at=NOW + 5)
        assert again == replace(first, fresh=False)
        assert await store.last_seq(ROOM.id) == 2
        assert [label.at for label in await store.labels(0, 9, 0)] == [NOW]
        assert len(await store.audits(None, 9)) == 1

    @pytest.mark.parametrize("state", [HELD, BLOCKED])
    async def test_another_decision_is_refused(self, store: Records, state: MessageState) -> None:
        number = await begin(store, state)
        await decide(store, number, True)
        with pytest.raises(Conflict):
            await decide(store, number, False)
        assert [label.contact for label in await store.labels(0, 9, 0)] == [True]

    async def test_of_many_who_decide_at_once_one_decides(self, store: Records) -> None:
        number = await begin(store)
        tries = (decide(store, number, turn % 2 == 0, at=NOW + turn) for turn in range(20))
        answers = await asyncio.gather(*tries, return_exceptions=True)
        assert sum(isinstance(answer, Conflict) for answer in answers) == 10
        assert sum(answer.fresh for answer in answers if isinstance(answer, Decided)) == 1
        assert await store.last_seq(ROOM.id) == 2

    async def test_a_message_that_never_waited_is_not_decided(self, store: Records) -> None:
        number = await begin(store)
        await append(store, 2, RELAYED)
        for other in (number + 1, number + 2, 0):
            with pytest.raises(NotFound):
                await decide(store, other, True)
        assert list(await store.labels(0, 9, 0)) == []

    async def test_a_message_that_is_sent_again_is_answered_with_what_was_decided(self, store: Records) -> None:
        number = await begin(store)
        decided = await decide(store, number, False)
        assert await store.append(said(1, state=HELD)) == (decided.stored, False)

    # --- appeals against decisions ---

    async def test_a_block_that_was_confirmed_before_its_appeal_is_looked_at_anew(self, store: Records) -> None:
        number = await begin(store, BLOCKED)
        await decide(store, number, True)
        await store.appeal(ROOM.id, STUDENT.id, "message-1", NOW + 1)
        assert [(one.number, one.why) for one in await store.queue(EVERY, 9)] == [(number, Why.APPEALED)]
        decided = await decide(store, number, False, at=NOW + 2)
        assert decided.released
        assert [(label.contact, label.why) for label in await store.labels(0, 9, 0)] == [(False, Why.APPEALED)]
        assert list(await store.strikes(STUDENT.sender)) == []

    @pytest.mark.parametrize("contact", [True, False])
    async def test_an_appeal_against_a_decision_is_answered_with_that_decision(
        self, store: Records, contact: bool
    ) -> None:
        number = await begin(store, APPEALED)
        decided = await decide(store, number, contact)
        assert await store.appeal(ROOM.id, STUDENT.id, "message-1", NOW + 1) == decided.stored
        assert dict(await store.waiting()) == dict.fromkeys(Why, 0)

    # --- strikes ---

    @pytest.mark.parametrize("state", [HELD, APPEALED, BLOCKED])
    async def test_a_contact_is_a_strike_for_its_sender_at_the_time_of_the_message(
        self, store: Records, state: MessageState
    ) -> None:
        number = await begin(store, state, at=NOW - 60)
        decided = await decide(store, number, True, at=NOW)
        assert decided.sender == STUDENT.sender
        assert list(await store.strikes(STUDENT.sender)) == [NOW - 60]
        assert list(await store.strikes(TEACHER.sender)) == []

    async def test_no_contact_takes_away_the_strike_of_that_message_alone(self, store: Records) -> None:
        await fill(store)
        found = [await append(store, number, BLOCKED, at=NOW + number) for number in range(3)]
        places = [await number_of(store, message) for message in found]
        for place in places:
            await decide(store, place, True)
        assert list(await store.strikes(STUDENT.sender)) == [NOW, NOW + 1, NOW + 2]
        await store.appeal(ROOM.id, STUDENT.id, "message-1", NOW)
        await decide(store, places[1], False, at=NOW + 9)
        assert list(await store.strikes(STUDENT.sender)) == [NOW, NOW + 2]

    async def test_a_sender_is_known_by_the_platforms_name(self, store: Records) -> None:
        number = await begin(store)
        await decide(store, number, True)
        await store.set_paying(STUDENT.sender, True)
        known = await store.sender(STUDENT.sender)
        assert (known.sender, known.paying, known.strikes) == (STUDENT.sender, True, (NOW,))
        nobody = await store.sender("nobody")
        assert (nobody.paying, nobody.strikes) == (False, ())

    async def test_who_has_several_fresh_strikes_is_listed(self, store: Records) -> None:
        await fill(store)
        times = {TEACHER.id: [NOW - 100, NOW - 1], STUDENT.id: [NOW - 3, NOW - 2, NOW - 1]}
        for sender, at in ((sender, at) for sender, ats in times.items() for at in ats):
            message = await append(store, f"{sender}-{at:.0f}", BLOCKED, sender=sender, at=at)
            await decide(store, await number_of(store, message), True)
        (found,) = await store.struck(NOW - 50, 2)
        assert (found.sender, found.strikes) == (STUDENT.sender, (NOW - 3, NOW - 2, NOW - 1))
        assert [one.sender for one in await store.struck(NOW - 200, 2)] == [TEACHER.sender, STUDENT.sender]

    # --- labels and figures ---

    async def test_a_label_has_all_that_is_needed_to_learn_from_it(self, store: Records) -> None:
        await fill(store)
        await append(store, 0, RELAYED)
        message = await append(store, 1, HELD, lang="ru", probability=0.93)
        number = await number_of(store, message)
        await decide(store, number, True, kind="phone", at=NOW + 7)
        (label,) = await store.labels(0, 9, 5)
        assert (label.number, label.contact, label.kind, label.why) == (number, True, "phone", Why.HELD)
        assert (label.model, label.probability, label.actor, label.at) == (message.model, 0.93, "operator-1", NOW + 7)
        assert label.message == replace(message, state=BLOCKED)
        assert [line.id for line in label.before] == ["message-0"]

    async def test_labels_come_in_parts_without_gap_or_double(self, store: Records) -> None:
        await fill(store)
        for number in range(5):
            await decide(store, await number_of(store, await append(store, number)), True)
        seen: list[str] = []
        after = 0
        while part := await store.labels(after, 2, 0):
            seen += [label.message.id for label in part]
            after = part[-1].number
        assert seen == [f"message-{number}" for number in range(5)]

    async def test_wrong_blocks_are_counted_among_blocked_and_appealed_alone(self, store: Records) -> None:
        assert await store.blocks(0) == (0, 0)
        await fill(store)
        for turn, (state, contact, at) in enumerate(
            [(BLOCKED, True, 9), (BLOCKED, False, 9), (APPEALED, False, 9), (HELD, False, 9), (APPEALED, False, 1)]
        ):
            number = await number_of(store, await append(store, turn, state))
            await decide(store, number, contact, at=NOW + at)
        assert await store.blocks(NOW + 5) == (3, 2)

    async def test_a_period_counts_what_the_filter_said_and_not_what_came_of_it(self, store: Records) -> None:
        await fill(store)
        for turn, (state, at) in enumerate(
            [
                (RELAYED, 0),
                (RELAYED, 9),
                (HELD, 1),
                (APPEALED, 2),
                (APPEALED, 3),
                (BLOCKED, 4),
                (RELAYED, -1),
                (HELD, 10),
            ]
        ):
            message = await append(store, turn, state, at=NOW + at, lang="ru", probability=0.5)
            if turn in {2, 3, 5}:
                await decide(store, await number_of(store, message), False)
        await append(store, "paying", RELAYED, at=NOW, decider="standing")
        found = await store.period(NOW, NOW + 10)
        assert (found.appeals, found.upheld) == (2, 1)
        assert found.tallies == (
            Tally("ru", "block", 10, 3),
            Tally("ru", "hold", 10, 1),
            Tally("ru", "relay", 10, 2),
        )
        assert await store.period(NOW + 50, NOW + 60) == Period((), 0, 0)

    async def test_probabilities_fall_into_twenty_bins_of_each_language(self, store: Records) -> None:
        await fill(store)
        for turn, (lang, probability) in enumerate(
            [("ru", 0.0), ("ru", 0.049), ("ru", 0.05), ("ru", 0.949), ("uk", 0.95), ("uk", 1.0)]
        ):
            await append(store, turn, RELAYED, lang=lang, probability=probability)
        tallies = (await store.period(NOW, NOW + 1)).tallies
        assert [(one.lang, one.bin, one.count) for one in tallies] == [
            ("ru", 0, 2),
            ("ru", 1, 1),
            ("ru", 18, 1),
            ("uk", 19, 2),
        ]

    async def test_models_are_measured_by_what_people_said(self, store: Records) -> None:
        """To hold a harmless message is an alarm, too; a contact that was relayed is a miss."""
        await fill(store)
        for turn, (state, contact, model) in enumerate(
            [
                (BLOCKED, True, "a"),
                (HELD, False, "a"),
                (RELAYED, False, "a"),
                (RELAYED, True, "b"),
                (APPEALED, False, "b"),
            ]
        ):
            message = await append(store, turn, state, sampled=state is RELAYED, model=model)
            await decide(store, await number_of(store, message), contact)
        assert list(await store.judges(NOW)) == [Judge("a", 3, 1), Judge("b", 2, 2)]
        assert list(await store.judges(NOW + 1)) == []

    # --- the audit ---

    async def test_records_are_read_in_the_order_of_their_making(self, store: Records) -> None:
        number = await begin(store)
        records = [replace(look(f"audit-{turn}"), detail={"contact": True, "kind": None}) for turn in range(4)]
        for record in records:
            await store.read(number, 0, record)
        assert list(await store.audits(None, 9)) == records
        assert list(await store.audits("audit-1", 1)) == records[2:3]
        assert list(await store.audits("audit-3", 9)) == []
        with pytest.raises(NotFound):
            await store.audits("audit-9", 9)

    async def test_a_decision_and_its_record_are_one(self, store: Records) -> None:
        number = await begin(store)
        await decide(store, number, True)
        with pytest.raises(Conflict):
            await decide(store, number, False)
        (record,) = await store.audits(None, 9)
        assert (record.actor, record.action, record.subject) == ("operator-1", "message.decided", f"message:{number}")

    async def test_a_place_in_the_log_is_never_given_twice(self, store: Records) -> None:
        """New messages and decisions take turns."""
        await fill(store)
        held = [await number_of(store, await append(store, turn)) for turn in range(20)]
        more = [store.append(said(f"more-{turn}")) for turn in range(20)]
        decided = [decide(store, number, bool(number % 2)) for number in held]
        answers: list[Any] = list(await asyncio.gather(*more, *decided))
        places = [a.stored.seq if isinstance(a, Decided) else a[0].seq for a in answers]
        assert sorted(places) == list(range(21, 61))
        assert isinstance(answers[0][0], StoredMessage)
