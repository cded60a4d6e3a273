"""What the ICE agent of a guarded connection does otherwise than aioice's.

Instances are changed, never classes or modules: other connections of the process stay as aiortc made them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import aioice
from aiortc import RTCPeerConnection

from lessonroom.media.guard.consent import Consent, keep_asking
from lessonroom.media.guard.inlet import read_at_once, replace

MOST_DATAGRAMS = 512
"""Datagrams that may wait for the transport to read them; what comes then is dropped, as a network does."""
LOOPBACK = ("127.0.0.1", "::1")


def gather_loopback(peer: RTCPeerConnection) -> None:
    """Let this connection gather loopback candidates, too; to be called before its description is set.

    aioice leaves them out, so that on a machine without a network two peers never meet.
    """
    for ice in _agents(peer):
        original = ice.get_component_candidates

        async def gather(
            component: int,
            addresses: list[str],
            timeout: int = 5,  # noqa: ASYNC109 - aioice's signature
            original: Any = original,
        ) -> Any:
            return await original(component, [*addresses, *LOOPBACK], timeout)

        replace(ice, "get_component_candidates", gather)


def end_consent_checks(peer: RTCPeerConnection) -> None:
    """Let no task for consent checks (RFC 7675) begin when the connection was closed while it was being made.

    aioice 0.13 begins one then, which has nothing to check, and so never ends.
    """
    for ice in _agents(peer):
        original = ice.query_consent

        async def query_consent(ice: aioice.Connection = ice, original: Any = original) -> None:
            if not ice._closing:
                await original()

        replace(ice, "query_consent", query_consent)


def watch_consent(peer: RTCPeerConnection, clock: Callable[[], float]) -> Consent:
    """Let a connection whose peer gives no consent to send go on without sending, where aioice closes it.

    Whatever is to be sent then (RTCP, an alert of DTLS) is dropped. For a connection with one transport.
    """
    consent = Consent()
    for ice in _agents(peer):
        send = ice.sendto

        async def query_consent(ice: aioice.Connection = ice) -> None:
            await keep_asking(ice, consent, clock)

        async def sendto(data: bytes, component: int, send: Any = send) -> None:
            if consent.holds(clock()):
                await send(data, component)

        replace(ice, "query_consent", query_consent)
        replace(ice, "sendto", sendto)
    return consent


def empty_sockets(peer: RTCPeerConnection, take: Callable[[bytes], bool]) -> None:
    """Let each socket that is gathered be read until it is empty; ``take`` says whether it wants a datagram."""
    for ice in _agents(peer):
        original = ice.get_component_candidates

        async def gather(*arguments: Any, ice: Any = ice, original: Any = original, **named: Any) -> Any:
            candidates = await original(*arguments, **named)
            for protocol in ice._protocols:
                read_at_once(protocol, take)
            return candidates

        replace(ice, "get_component_candidates", gather)


def listen(peer: RTCPeerConnection, heard: Callable[[], None], take: Callable[[bytes], bool]) -> None:
    """Call ``heard`` for each connectivity check whose sender has shown that it knows the password.

    Media are ``take``'s, which looks whose they are; whatever else comes is no sign of life. What cannot be of use is
    dropped here, for anybody may send to an open port: an empty datagram ends aiortc 1.16's session with an IndexError,
    and aioice keeps all data that come before the connection stands.
    """
    for ice in _agents(peer):
        checked, received = ice.check_incoming, ice.data_received

        def check_incoming(*arguments: Any, checked: Any = checked) -> None:
            heard()
            checked(*arguments)

        def data_received(data: bytes, component: int, ice: Any = ice, received: Any = received) -> None:
            if data and not take(data) and ice._queue.qsize() < MOST_DATAGRAMS:
                received(data, component)

        replace(ice, "check_incoming", check_incoming)
        replace(ice, "data_received", data_received)


def _agents(peer: RTCPeerConnection) -> Iterator[aioice.Connection]:
    for transceiver in peer.getTransceivers():
        yield transceiver.receiver.transport.transport.iceGatherer._connection
