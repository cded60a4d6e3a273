"""Consent to send (RFC 7675): what is left of a session whose peer answers no check."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from lessonroom.media import peer as peer_module
from lessonroom.media.guard import consent
from lessonroom.media.guard.consent import LASTS, Consent
from lessonroom.media.peer import Analyser, End
from lessonroom.media.sdp import SdpPolicy
from tests.rtc import MovingPicture, Sender


def test_consent_lasts_from_one_answer_to_thirty_seconds_after_it() -> None:
    asked = Consent()
    assert asked.holds(1e9)
    asked.given(100.0)
    asked.given(105.0)
    assert asked.holds(104.9 + LASTS)
    assert not asked.holds(105.0 + LASTS)


def test_consent_that_was_lost_is_never_given_again() -> None:
    """RFC 7675 section 5.1: the same credentials must not be used for it."""
    asked = Consent()
    asked.given(100.0)
    asked.given(100.0 + LASTS)
    assert not asked.holds(100.1 + LASTS)
    assert not asked.holds(101.0)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consent, "LASTS", 0.8)
    monkeypatch.setattr(consent, "ASK_SECONDS", (0.1, 0.2))
    monkeypatch.setattr(peer_module, "LOST_SECONDS", 1.0)
    monkeypatch.setattr(peer_module, "LOOK_SECONDS", 0.05)


class Session:
    """A client that answers no check once it sends, and what it is sent after that."""

    def __init__(self) -> None:
        self.sender = Sender(MovingPicture(rate=20))
        self.ice: Any = self.sender.sender.transport.transport._connection
        self.ended: asyncio.Future[End] = asyncio.get_running_loop().create_future()
        self.came: list[bytes] = []
        self.analyser: Analyser

    async def begin(self, *, deaf: bool) -> Session:
        policy = SdpPolicy(loopback=True)
        offer = await self.sender.offer()
        self.analyser = await Analyser.accept(offer, [], policy=policy, on_end=self.ended.set_result)
        await self.sender.answered(self.analyser.answer)
        await asyncio.wait_for(self.analyser.frames.take(), 10)
        original = self.ice.data_received

        def data_received(data: bytes, component: int) -> None:
            self.came.append(data)
            original(data, component)

        self.ice.data_received = data_received
        if deaf:
            self.ice.request_received = lambda *_: None
        return self

    @property
    def consent(self) -> Consent:
        return self.analyser._connection._consent

    async def lose_consent(self) -> None:
        async with asyncio.timeout(10):
            while self.consent._until > 0:
                await asyncio.sleep(0.05)

    async def close(self) -> None:
        await asyncio.gather(self.analyser.close(), self.sender.close())


@pytest.mark.usefixtures("quick")
async def test_a_client_that_answers_no_check_is_seen_on_and_sent_nothing_more() -> None:
    """FFmpeg's muxer is one; aioice closes its connection after half a minute."""
    session = await Session().begin(deaf=True)
    await session.lose_consent()
    await asyncio.sleep(0.1)
    session.came.clear()
    receiver = session.analyser._connection.receiver
    receiver._send(b"\x81\xc9\x00\x01\x00\x00\x00\x01")
    packets = receiver.packets
    async with asyncio.timeout(10):
        while receiver.packets < packets + 40:
            await session.analyser.frames.take()
    assert (session.came, session.ended.done(), receiver.dropped) == ([], False, 0)
    await session.analyser.close()
    await asyncio.sleep(0.1)
    assert session.came == [], "an alert of DTLS is no part of ICE"
    await session.close()


@pytest.mark.usefixtures("quick")
async def test_a_client_that_answers_checks_is_sent_reports_on_and_on() -> None:
    session = await Session().begin(deaf=False)
    await asyncio.sleep(2.0)
    session.came.clear()
    async with asyncio.timeout(10):
        while not session.came:
            await session.analyser.frames.take()
    assert not session.ended.done()
    await session.close()


@pytest.mark.usefixtures("quick")
async def test_answers_that_come_late_over_a_slow_line_are_consent(monkeypatch: pytest.MonkeyPatch) -> None:
    """A satellite, or an uplink whose queue is full: they take longer than half a second, and longer than a check."""
    monkeypatch.setattr(consent, "LASTS", 1.6)
    session = await Session().begin(deaf=False)
    answer, loop = session.ice.request_received, asyncio.get_running_loop()
    session.ice.request_received = lambda *arguments: loop.call_later(0.9, answer, *arguments)
    until = []
    for _ in range(5):
        await asyncio.sleep(0.8)
        until.append(session.consent._until)
    assert until == sorted(set(until))
    (pair,) = session.analyser._connection.receiver.transport.transport._connection._nominated.values()
    assert 1 <= len(pair.protocol.transactions) <= 0.9 / consent.ASK_SECONDS[0] + 1, "each check has its end"
    await session.close()
    assert not pair.protocol.transactions


@pytest.mark.usefixtures("quick")
async def test_without_consent_and_without_media_the_clients_checks_keep_nothing_alive() -> None:
    session = await Session().begin(deaf=True)
    await session.lose_consent()
    session.sender.sender.transport._send_rtp = lambda _: asyncio.sleep(0)  # type: ignore[method-assign,assignment]
    connection = session.analyser._connection
    heard = []
    for _ in range(10):
        connection._checked()
        heard.append(connection.heard_at)
        await asyncio.sleep(0.02)
    assert heard[0] == heard[-1]
    assert await asyncio.wait_for(session.ended, 5) is End.LOST
    await session.close()
