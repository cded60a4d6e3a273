"""One receive-only peer connection with the guard in place."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, cast

from aiortc import (
    MediaStreamTrack,
    RTCConfiguration,
    RTCDtlsTransport,
    RTCIceServer,
    RTCPeerConnection,
    RTCRtpReceiver,
    RTCRtpSender,
    RTCRtpTransceiver,
)
from aiortc.rtcconfiguration import RTCIceTransportPolicy

from lessonroom import logs
from lessonroom.media.guard.decoding import Decoded
from lessonroom.media.guard.dtls import take_rsa
from lessonroom.media.guard.ice import empty_sockets, gather_loopback, listen, watch_consent
from lessonroom.media.guard.inlet import Inlet, hand_over
from lessonroom.media.guard.receiver import VideoReceiver
from lessonroom.media.guard.sampling import EVERY_PICTURE, Reader

log = logs.get(__name__)

PRIVATE_NAMES = {
    "aiortc.rtcpeerconnection.RTCPeerConnection": (
        "_RTCPeerConnection__certificates",
        "_RTCPeerConnection__createDtlsTransport",
        "_RTCPeerConnection__createTransceiver",
        "_RTCPeerConnection__stream_id",
        "_RTCPeerConnection__transceivers",
    ),
    "aiortc.rtcrtpsender.RTCRtpSender": ("_ssrc", "_stream_id"),
    "aiortc.rtcicetransport.RTCIceGatherer": ("_connection",),
    "aiortc.rtcdtlstransport.RTCCertificate": ("_create_ssl_context",),
    "aiortc.rtcdtlstransport.RTCDtlsTransport": (
        "_handle_rtcp_data",
        "_handle_rtp_data",
        "_register_rtp_receiver",
        "_rx_srtp",
        "_send_rtp",
        "_state",
        "_unregister_rtp_receiver",
    ),
    "aioice.Connection": (
        "get_component_candidates",
        "query_consent",
        "build_request",
        "sendto",
        "_closing",
        "_nominated",
        "_protocols",
        "check_incoming",
        "data_received",
        "_queue",
    ),
    "aioice.stun.Transaction": ("_Transaction__timeout_delay",),
    "aioice.ice.StunProtocol": ("transactions",),
}
"""Names that the guard uses although nobody promised them; a test looks whether they are still there."""


class _Peer(RTCPeerConnection):
    """A peer connection whose one transceiver has our receiver from the start.

    aiortc's own, only to be thrown away, would take 2.5 ms for the thousand buckets of its bandwidth estimate.
    """

    def __init__(self, configuration: RTCConfiguration, make: Callable[[RTCDtlsTransport], VideoReceiver]) -> None:
        super().__init__(configuration)
        self._make = make

    def _RTCPeerConnection__createTransceiver(  # noqa: N802 - aiortc's private name
        self, direction: str, kind: str, sender_track: MediaStreamTrack | None = None
    ) -> RTCRtpTransceiver:
        """What aiortc does for the first transceiver of a connection."""
        private = cast(Any, self)
        transport = private._RTCPeerConnection__createDtlsTransport()
        sender, receiver = RTCRtpSender(sender_track or kind, transport), self._make(transport)
        receiver._set_rtcp_ssrc(sender._ssrc)
        sender._stream_id = private._RTCPeerConnection__stream_id
        transceiver = RTCRtpTransceiver(kind, cast(RTCRtpReceiver, receiver), sender, direction)
        private._RTCPeerConnection__transceivers.append(transceiver)
        return transceiver


class Connection:
    """A peer connection that receives one video stream and nothing else.

    ``on_picture``, ``on_end`` and ``reader``: see :class:`VideoReceiver`. ``relay_only``: only candidates of a TURN
    server are gathered and used. ``loopback``: gather loopback addresses, too, so that a machine without a network can
    talk to itself.
    """

    def __init__(
        self,
        ice_servers: Sequence[RTCIceServer],
        *,
        relay_only: bool,
        loopback: bool,
        on_picture: Callable[[Decoded], None],
        on_end: Callable[[], None],
        reader: Reader = EVERY_PICTURE,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        policy = RTCIceTransportPolicy.RELAY if relay_only else RTCIceTransportPolicy.ALL
        # an empty list, not None: with None aiortc asks a public STUN server
        self.peer = _Peer(
            RTCConfiguration(iceServers=list(ice_servers), iceTransportPolicy=policy),
            partial(VideoReceiver, on_picture=on_picture, on_end=on_end, reader=reader, clock=clock),
        )
        take_rsa(self.peer)
        self.receiver = cast(VideoReceiver, self.peer.addTransceiver("video", direction="recvonly").receiver)
        hand_over(self.receiver.transport, self.receiver)
        self.heard_at: float | None = None
        """When the peer last sent anything that only it can have sent: media, or checks while it answers ours."""
        self._clock = clock
        self._mend_ice(loopback=loopback and not relay_only)
        self._closing: asyncio.Task[None] | None = None

    def _mend_ice(self, *, loopback: bool) -> None:
        if loopback:
            gather_loopback(self.peer)
        self._consent = watch_consent(self.peer, self._clock)
        inlet = Inlet(self.receiver, self._heard)
        empty_sockets(self.peer, inlet.take)
        listen(self.peer, self._checked, inlet.take)

    def _heard(self) -> None:
        self.heard_at = self._clock()

    def _checked(self) -> None:
        """A check of the peer's; from one that answers none of ours, media alone are a sign of life."""
        if self._consent.holds(self._clock()):
            self._heard()

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
