"""The polite side of the lesson's call, without a browser: answers the teacher's page, sends the camera, hears nothing.

Perfect negotiation (W3C WebRTC 1.0, section 10.7) with a simplification that the protocol allows: this side never
offers, so offers never collide. aiortc cannot restart ICE; an offer that asks for it gets a new connection.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.sdp import candidate_from_sdp

from lessonroom.media.guard import end_consent_checks, gather_loopback
from lessonroom.messages import Candidate, Description, IceServer, Signal
from lessonroom.simulate.sources import Camera
from lessonroom.simulate.whip import configuration, end

RATE = 12.0
DEVICES = '{"camera":true,"microphone":false}'
"""What pages tell one another over the call's data channel: which devices are on."""
_IDENTITY = re.compile(r"^(?:o=\S+ (\S+)|a=ice-ufrag:(\S+))", re.MULTILINE)


class Call:
    """The call with the teacher's page."""

    def __init__(self, camera: Camera) -> None:
        self._camera = camera
        self._peer: RTCPeerConnection | None = None
        self._knows: tuple[str, ...] = ()

    @property
    def connected(self) -> bool:
        """Whether the teacher can see the camera."""
        return self._peer is not None and self._peer.connectionState == "connected"

    async def hear(
        self, signal: Signal, ice_servers: Sequence[IceServer], *, relay_only: bool = False
    ) -> Description | None:
        """Take in what the teacher's page said; gives the answer when that was an offer.

        ``relay_only``: by way of a TURN server or not at all.

        Raises ValueError, or aiortc's InvalidStateError, for what cannot be applied.
        """
        if signal.description is not None and signal.description.type == "offer":
            return await self._answer(signal.description.sdp, ice_servers, relay_only)
        if signal.candidate is not None and self._peer is not None:
            await self._add(self._peer, signal.candidate)
        return None

    async def close(self) -> None:
        """Hang up."""
        peer, self._peer = self._peer, None
        if peer is not None:
            await end(peer)

    async def _answer(self, sdp: str, ice_servers: Sequence[IceServer], relay_only: bool) -> Description:
        identity = identity_of(sdp)
        if self._peer is None or identity != self._knows:
            await self.close()
            self._peer, self._knows = self._begin(configuration(ice_servers, relay_only=relay_only)), identity
        peer = self._peer
        await peer.setRemoteDescription(RTCSessionDescription(sdp, "offer"))
        self._fill(peer)
        end_consent_checks(peer)
        if not relay_only:
            gather_loopback(peer)
        await peer.setLocalDescription(await peer.createAnswer())
        return Description(type="answer", sdp=peer.localDescription.sdp)

    def _begin(self, how: RTCConfiguration) -> RTCPeerConnection:
        peer = RTCPeerConnection(how)
        channel = peer.createDataChannel("devices", negotiated=True, id=0)
        channel.on("open", lambda: channel.send(DEVICES))
        return peer

    def _fill(self, peer: RTCPeerConnection) -> None:
        """Send the camera where the offer has room for it; take nothing, so that nothing has to be decoded."""
        for transceiver in peer.getTransceivers():
            if transceiver.kind == "video" and transceiver.sender.track is None:
                transceiver.sender.replaceTrack(self._camera.track(rate=RATE))
            transceiver.direction = "sendonly" if transceiver.kind == "video" else "inactive"

    @staticmethod
    async def _add(peer: RTCPeerConnection, named: Candidate) -> None:
        if not named.candidate:
            return  # the end of candidates
        candidate = candidate_from_sdp(named.candidate.removeprefix("candidate:"))
        candidate.sdpMid, candidate.sdpMLineIndex = named.sdpMid, named.sdpMLineIndex
        await peer.addIceCandidate(candidate)


def identity_of(sdp: str) -> tuple[str, ...]:
    """Session id and ICE user names: another session, or the same one after an ICE restart, is another connection."""
    return tuple(dict.fromkeys(one or other for one, other in _IDENTITY.findall(sdp)))
