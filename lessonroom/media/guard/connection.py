"""One receive-only peer connection with the guard in place, and what its ICE agent does otherwise than aioice's.

Instances are changed, never classes or modules: other connections of the process stay as aiortc made them.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Any

import aioice
import structlog
from aiortc import RTCConfiguration, RTCIceServer, RTCPeerConnection
from aiortc.rtcconfiguration import RTCIceTransportPolicy
from aiortc.rtcrtptransceiver import RTCRtpTransceiver

from lessonroom.media.guard.decoding import Decoded
from lessonroom.media.guard.receiver import VideoReceiver

log = structlog.get_logger(__name__)

PRIVATE_NAMES = {
    "aiortc.rtcrtptransceiver.RTCRtpTransceiver": ("_RTCRtpTransceiver__receiver",),
    "aiortc.rtcicetransport.RTCIceGatherer": ("_connection",),
    "aiortc.rtcdtlstransport.RTCDtlsTransport": ("_rtp_router", "_register_rtp_receiver", "_send_rtp"),
    "aioice.Connection": ("get_component_candidates", "request_received", "data_received"),
}
"""Names that the guard uses although nobody promised them; a test looks whether they are still there."""

LOOPBACK = ("127.0.0.1", "::1")


class Connection:
    """A peer connection that receives one video stream and nothing else.

    ``on_picture`` and ``on_end``: see :class:`VideoReceiver`. ``relay_only``: only candidates of a TURN server are
    gathered and used. ``loopback``: gather loopback addresses, too, so that a machine without a network can talk to
    itself.
    """

    def __init__(
        self,
        ice_servers: Sequence[RTCIceServer],
        *,
        relay_only: bool,
        loopback: bool,
        on_picture: Callable[[Decoded], None],
        on_end: Callable[[], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        policy = RTCIceTransportPolicy.RELAY if relay_only else RTCIceTransportPolicy.ALL
        # an empty list, not None: with None aiortc asks a public STUN server
        self.peer = RTCPeerConnection(RTCConfiguration(iceServers=list(ice_servers), iceTransportPolicy=policy))
        transceiver = self.peer.addTransceiver("video", direction="recvonly")
        transport = transceiver.receiver.transport
        self.receiver = VideoReceiver(transport, on_picture=on_picture, on_end=on_end, clock=clock)
        self.receiver._set_rtcp_ssrc(transceiver.sender._ssrc)
        _replace(transceiver, "_RTCRtpTransceiver__receiver", self.receiver)
        if loopback and not relay_only:
            gather_loopback(self.peer)
        self._clock = clock
        self.heard_at: float | None = None
        """When the peer last sent anything at all, connectivity checks included."""
        self._listen(_ice(transceiver))
        self._closing: asyncio.Task[None] | None = None

    async def close(self, patience: float = 2.0) -> None:
        """End the connection. Returns after ``patience`` seconds at the latest; what is left then ends by itself.

        aiortc's own close waits for the TURN server to confirm, half a minute when it is gone, and never returns to
        a second caller when the first was cancelled.
        """
        if self._closing is None:
            self._closing = asyncio.create_task(self.peer.close(), name="close-peer")
            self._closing.add_done_callback(_tell)
        await asyncio.wait([self._closing], timeout=patience)

    def _listen(self, ice: aioice.Connection) -> None:
        """Note when the peer is heard. Its checks come every few seconds (RFC 7675), when no video does, too."""
        checked, received = ice.request_received, ice.data_received

        def request_received(*arguments: Any) -> None:
            self.heard_at = self._clock()
            checked(*arguments)

        def data_received(data: bytes, component: int) -> None:
            self.heard_at = self._clock()
            received(data, component)

        _replace(ice, "request_received", request_received)
        _replace(ice, "data_received", data_received)


def gather_loopback(peer: RTCPeerConnection) -> None:
    """Let this connection gather loopback candidates, too; to be called before its description is set.

    aioice leaves them out, so that on a machine without a network two peers never meet.
    """
    for transceiver in peer.getTransceivers():
        ice = _ice(transceiver)
        original = ice.get_component_candidates

        async def gather(
            component: int,
            addresses: list[str],
            timeout: int = 5,  # noqa: ASYNC109 - aioice's signature
            original: Any = original,
        ) -> Any:
            return await original(component, [*addresses, *LOOPBACK], timeout)

        _replace(ice, "get_component_candidates", gather)


def _tell(closing: asyncio.Task[None]) -> None:
    """Say that aiortc failed to close; there is nobody who could do more about it."""
    if not closing.cancelled() and (error := closing.exception()) is not None:
        log.warning("peer.close_failed", error=type(error).__name__)


def _ice(transceiver: RTCRtpTransceiver) -> aioice.Connection:
    return transceiver.receiver.transport.transport.iceGatherer._connection


def _replace(owner: object, name: str, value: object) -> None:
    """Put ``value`` in the place of something that is already there, on this one instance."""
    getattr(owner, name)
    setattr(owner, name, value)
