"""One receive-only peer connection with the guard in place."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence

from aiortc import RTCConfiguration, RTCIceServer, RTCPeerConnection
from aiortc.rtcconfiguration import RTCIceTransportPolicy

from lessonroom import logs
from lessonroom.media.guard.decoding import Decoded
from lessonroom.media.guard.ice import end_consent_checks, gather_loopback, listen, replace
from lessonroom.media.guard.receiver import VideoReceiver
from lessonroom.media.guard.routing import ReceiverRouter

log = logs.get(__name__)

PRIVATE_NAMES = {
    "aiortc.rtcrtptransceiver.RTCRtpTransceiver": ("_RTCRtpTransceiver__receiver",),
    "aiortc.rtcicetransport.RTCIceGatherer": ("_connection",),
    "aiortc.rtcdtlstransport.RTCDtlsTransport": ("_rtp_router", "_register_rtp_receiver", "_send_rtp"),
    "aioice.Connection": (
        "get_component_candidates",
        "query_consent",
        "_closing",
        "request_received",
        "data_received",
        "_queue",
    ),
}
"""Names that the guard uses although nobody promised them; a test looks whether they are still there."""


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
        replace(transport, "_rtp_router", ReceiverRouter())
        self.receiver = VideoReceiver(transport, on_picture=on_picture, on_end=on_end, clock=clock)
        self.receiver._set_rtcp_ssrc(transceiver.sender._ssrc)
        replace(transceiver, "_RTCRtpTransceiver__receiver", self.receiver)
        self.heard_at: float | None = None
        """When the peer last sent anything at all, connectivity checks included."""
        self._clock = clock
        self._mend_ice(loopback=loopback and not relay_only)
        self._closing: asyncio.Task[None] | None = None

    def _mend_ice(self, *, loopback: bool) -> None:
        if loopback:
            gather_loopback(self.peer)
        end_consent_checks(self.peer)
        listen(self.peer, self._heard)

    def _heard(self) -> None:
        self.heard_at = self._clock()

    async def close(self, patience: float = 2.0) -> None:
        """End the connection. Returns after ``patience`` seconds at the latest; what is left then ends by itself.

        aiortc's own close waits for the TURN server to confirm, half a minute when it is gone, and never returns to
        a second caller when the first was cancelled.
        """
        if self._closing is None:
            self._closing = asyncio.create_task(self.peer.close(), name="close-peer")
            self._closing.add_done_callback(_tell)
        await asyncio.wait([self._closing], timeout=patience)


def _tell(closing: asyncio.Task[None]) -> None:
    """Say that aiortc failed to close; there is nobody who could do more about it."""
    if not closing.cancelled() and (error := closing.exception()) is not None:
        log.warning("a peer connection failed to close", error=type(error).__name__)
