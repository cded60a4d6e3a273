"""What the ICE agent of a guarded connection does otherwise than aioice's.

Instances are changed, never classes or modules: other connections of the process stay as aiortc made them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import aioice
from aiortc import RTCPeerConnection

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
    """Call ``heard`` for whatever comes from the other side: media, and the checks that come when no media do."""
    for ice in _agents(peer):
        for name in ("request_received", "data_received"):
            original = getattr(ice, name)

            def received(*arguments: Any, original: Any = original) -> None:
                heard()
                original(*arguments)

            replace(ice, name, received)


def replace(owner: object, name: str, value: object) -> None:
    """Put ``value`` in the place of something that is already there, on this one instance."""
    getattr(owner, name)
    setattr(owner, name, value)


def _agents(peer: RTCPeerConnection) -> Iterator[aioice.Connection]:
    for transceiver in peer.getTransceivers():
        yield transceiver.receiver.transport.transport.iceGatherer._connection
