"""Addresses, origins, links and tickets."""

from __future__ import annotations

import pytest

from lessonroom.config import Settings
from lessonroom.errors import BadInput, NotFound, Refused, TicketRefused
from lessonroom.server.admission import Admission, origins, public_url
from tests.fakes import FakeStore

SECRET = b"s" * 32


class Clock:
    now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def admission(clock: Clock) -> Admission:
    store = FakeStore()
    await store.open()
    return Admission(store, Settings(link_hours=1, session_hours=2, ticket_seconds=30), SECRET, clock)


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ({"host": "127.0.0.1", "port": 80}, "http://127.0.0.1:80"),
        ({"host": "0.0.0.0", "port": 8400}, "http://127.0.0.1:8400"),
        ({"host": "::1", "port": 8400}, "http://[::1]:8400"),
        ({"public_url": "https://a.example/x/"}, "https://a.example/x"),
    ],
)
def test_the_public_address(given: dict[str, object], url: str) -> None:
    assert public_url(Settings.model_validate(given)) == url


def test_a_server_with_a_public_address_knows_that_origin_and_the_allowed_ones_alone() -> None:
    settings = Settings(public_url="https://a.example/x", allowed_origins="https://b.example")  # type: ignore[arg-type]
    assert origins(settings) == {"https://a.example", "https://b.example"}


def test_a_server_without_one_is_reached_on_its_own_machine() -> None:
    found = origins(Settings(port=8400))
    assert found == {"http://127.0.0.1:8400", "http://localhost:8400", "http://[::1]:8400"}
    assert origins(Settings(host="10.0.0.5", port=8400)) == {"http://10.0.0.5:8400"}


async def test_a_link_holds_its_code_in_the_fragment_and_the_store_only_its_hash(admission: Admission) -> None:
    room = await admission.make_room()
    made = await admission.make_member(room, "teacher", "Tina")
    address, _, code = made.link.partition("#")
    assert address.endswith(f"/lesson/{made.member}")
    record = await admission._store.member(made.member)
    assert code not in repr(record)
    assert code not in repr(made)


async def test_a_link_ends_after_its_hours(admission: Admission, clock: Clock) -> None:
    made = await admission.make_operator()
    clock.now += 3601
    with pytest.raises(TicketRefused):
        await admission.redeem(made.member, made.link.partition("#")[2])


async def test_a_session_is_for_its_member_and_its_hours(admission: Admission, clock: Clock) -> None:
    one, other = await admission.make_operator(), await admission.make_operator()
    _, secret, life = await admission.redeem(one.member, one.link.partition("#")[2])
    assert (await admission.session(one.member, secret)).id == one.member
    for member, tried in ((other.member, secret), (one.member, "guess"), (one.member, "")):
        with pytest.raises(TicketRefused):
            await admission.session(member, tried)
    clock.now += life
    with pytest.raises(TicketRefused):
        await admission.session(one.member, secret)


async def test_a_ticket_is_taken_once_in_time_and_for_its_purpose(admission: Admission, clock: Clock) -> None:
    room = await admission.make_room()
    made = await admission.make_member(room, "student", "Sam")
    record = await admission._store.member(made.member)
    ticket = admission.ticket(record, "socket", "http://a").ticket
    with pytest.raises(TicketRefused):
        await admission.admit(ticket, "whip", "http://a")
    with pytest.raises(TicketRefused):
        await admission.admit(ticket, "socket", "http://b")
    claims = await admission.admit(ticket, "socket", "http://a")
    assert (claims.room, claims.member, claims.role) == (room, made.member, "student")
    with pytest.raises(TicketRefused, match="not used yet"):
        await admission.admit(ticket, "socket", "http://a")
    late = admission.ticket(record, "socket", "http://a").ticket
    clock.now += 30
    with pytest.raises(TicketRefused, match="fresh"):
        await admission.admit(late, "socket", "http://a")


async def test_rooms_take_one_teacher_one_student_and_no_other_role(admission: Admission) -> None:
    room = await admission.make_room()
    await admission.make_member(room, "teacher", "Tina")
    await admission.make_member(room, "student", "Sam")
    for role in ("teacher", "student", "observer", "analyser"):
        with pytest.raises(BadInput):
            await admission.make_member(room, role, "Another")
    with pytest.raises(NotFound):
        await admission.make_member("room-none", "teacher", "Tina")
    await admission._store.close_room(room, 0.0)
    with pytest.raises(Refused):
        await admission.make_member(room, "teacher", "Tina")
