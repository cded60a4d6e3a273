"""What the ICE agent of a guarded connection does otherwise than aioice's.

Instances are changed, never classes or modules: other connections of the process stay as aiortc made them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import aioice
from aiortc import RTCPeerConnection

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


def listen(peer: RTCPeerConnection, heard: Callable[[], None]) -> None:
    """Call ``heard`` for whatever comes from the other side: media, and the checks that come when no media do.

    What cannot be of use is dropped here, for anybody may send to an open port: an empty datagram ends aiortc 1.16's
    session with an IndexError, and aioice keeps all data that come before the connection stands.
    """
    for ice in _agents(peer):
        checked, received = ice.request_received, ice.data_received

        def request_received(*arguments: Any, checked: Any = checked) -> None:
            heard()
            checked(*arguments)

        def data_received(data: bytes, component: int, ice: Any = ice, received: Any = received) -> None:
            if data and ice._queue.qsize() < MOST_DATAGRAMS:
                heard()
                received(data, component)

        replace(ice, "request_received", request_received)
        replace(ice, "data_received", data_received)


def replace(owner: object, name: str, value: object) -> None:
    """Put ``value`` in the place of something that is already there, on this one instance."""
    getattr(owner, name)
    setattr(owner, name, value)


def _agents(peer: RTCPeerConnection) -> Iterator[aioice.Connection]:
    for transceiver in peer.getTransceivers():
        yield transceiver.receiver.transport.transport.iceGatherer._connection
