"""The analyser: the server's own WebRTC peer, which receives one student's video and sends nothing.

One :class:`Analyser` per WHIP session. It never raises into the room: whatever happens to the connection comes as one
call of ``on_end``. There is no ICE restart; a client whose connection was lost makes a new one.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Protocol

from aiortc import RTCIceCandidate, RTCIceServer, RTCSessionDescription
from aiortc.exceptions import InvalidAccessError, InvalidStateError, OperationError
from av.video.frame import VideoFrame

from lessonroom.errors import BadSdp, Busy
from lessonroom.media import h264
from lessonroom.media.candidates import RemoteCandidate
from lessonroom.media.frames import Frames
from lessonroom.media.guard import Connection
from lessonroom.media.guard.decoding import Decoded
from lessonroom.media.meter import UNMETERED, Meter
from lessonroom.media.sdp import Offer, SdpPolicy, read_candidates, read_offer

CONNECT_SECONDS = 20.0
"""Time for ICE and DTLS; after it the session ends as ``FAILED``."""
SILENT_SECONDS = 5.0
"""Without a packet of video for so long, the state is ``SILENT``: a muted camera, or a poor line."""
LOST_SECONDS = 15.0
"""Without any sign of life for so long, the session ends as ``LOST``.

Connectivity checks are one as long as the client answers ours, media always (:mod:`.guard.consent`)."""
LOOK_SECONDS = 1.0
"""How often silence is looked for."""


class State(StrEnum):
    """Where a session is."""

    CONNECTING = "connecting"
    RECEIVING = "receiving"
    SILENT = "silent"
    CLOSED = "closed"


class End(StrEnum):
    """Why a session ended."""

    CLOSED = "closed"
    """This side closed it."""
    LEFT = "left"
    """The client said goodbye."""
    LOST = "lost"
    """The client is not heard any more."""
    FAILED = "failed"
    """No connection came about in time."""


class IceServer(Protocol):
    """A STUN or TURN server, as :class:`lessonroom.messages.IceServer` has it."""

    @property
    def urls(self) -> Sequence[str]:
        """Addresses such as ``turn:turn.example.org?transport=udp``."""
        ...

    @property
    def username(self) -> str | None:
        """TURN only."""
        ...

    @property
    def credential(self) -> str | None:
        """TURN only."""
        ...


class Analyser:
    """One receive-only WebRTC session; made by :meth:`accept`.

    ``answer``: the SDP for the client. ``frames``: decoded pictures, newest wins; where its reader says how often it
    takes one, what is dear to decode is decoded no more often.
    """

    def __init__(
        self,
        offer: Offer,
        ice_servers: Sequence[IceServer],
        *,
        policy: SdpPolicy,
        on_end: Callable[[End], None],
        meter: Meter,
    ) -> None:
        self.frames: Frames[VideoFrame] = Frames()
        self.answer = ""
        self._offer = offer
        self._policy = policy
        self._on_end = on_end
        self._meter = meter
        self._lost = {"broken": 0, "skipped": 0}
        self._end: End | None = None
        self._named = offer.named
        self._began = time.monotonic()
        self._connected = False
        self._look: asyncio.TimerHandle | None = None
        self._closing: asyncio.Task[None] | None = None
        self._connection = Connection(
            [_rtc(server) for server in ice_servers],
            relay_only=policy.relay_only,
            loopback=policy.loopback,
            on_picture=self._picture,
            on_end=lambda: self._finish(End.LEFT),
            reader=self.frames,
        )
        self._connection.peer.on("connectionstatechange", self._state_changed)

    @classmethod
    async def accept(
        cls,
        offer_sdp: str,
        ice_servers: Sequence[IceServer],
        *,
        policy: SdpPolicy,
        on_end: Callable[[End], None],
        meter: Meter = UNMETERED,
    ) -> Analyser:
        """Answer an offer. Gathers candidates, which takes up to 5 s when a STUN or TURN server does not answer.

        ``on_end`` is called once, on the event loop, when the session is over, also after :meth:`close`; never before
        this returns. Raises BadSdp for an offer that is not accepted and Busy when no address to receive on is found.
        """
        analyser = cls(read_offer(offer_sdp, policy), ice_servers, policy=policy, on_end=on_end, meter=meter)
        try:
            await analyser._answer()
        except BaseException:
            analyser._end = End.CLOSED
            await analyser._shut()
            raise
        analyser._look_again()
        return analyser

    @property
    def state(self) -> State:
        """Where the session is now."""
        if self._end is not None:
            return State.CLOSED
        last = self._connection.receiver.last_packet_at
        if not self._connected or last is None:
            return State.CONNECTING
        return State.SILENT if time.monotonic() - last > SILENT_SECONDS else State.RECEIVING

    @property
    def ended(self) -> End | None:
        """Why the session ended, or None while it goes on."""
        return self._end

    @property
    def mid(self) -> str:
        """Name of the media section that candidates belong to."""
        return self._offer.mid

    @property
    def ufrag(self) -> str:
        """The client's ICE user name; a fragment with another one asks for an ICE restart."""
        return self._offer.ufrag

    async def add_candidate(self, line: str, mid: str) -> None:
        """Take one more candidate, the value of ``a=candidate:``; one that may not be used is left out.

        ``mid``: empty, or the media section it is for. Raises BadSdp when it is malformed or one too many.
        """
        found = list(read_candidates([line], self._policy, before=self._named))
        self._named += 1
        if self._end is None and mid in {"", self._offer.mid}:
            for candidate in found:
                await self._connection.peer.addIceCandidate(_candidate(candidate, self._offer.mid))

    async def close(self) -> None:
        """End the session: nothing more comes out of ``frames`` from now on. Returns within about 2 s, always.

        May be called any number of times, also at once.
        """
        self._finish(End.CLOSED)
        if self._closing is not None:
            await asyncio.shield(self._closing)

    async def _answer(self) -> None:
        peer = self._connection.peer
        try:
            await peer.setRemoteDescription(RTCSessionDescription(self._offer.sdp, "offer"))
            await peer.setLocalDescription(await peer.createAnswer())
        except (OperationError, InvalidAccessError, InvalidStateError, ValueError):
            raise BadSdp("expected an offer that can be answered, got one without a common format") from None
        answer = str(peer.localDescription.sdp)
        if "a=candidate:" not in answer:
            raise Busy("expected an address to receive on, got none: no network, or no answer from the TURN server")
        self.answer = h264.mended(answer, self._offer.h264)

    def _picture(self, decoded: Decoded) -> None:
        self.frames.put(decoded.picture, decoded.at)

    def _state_changed(self) -> None:
        state = self._connection.peer.connectionState
        if state == "connected":
            self._connected = True
        elif state == "failed":
            self._finish(End.LOST if self._connected else End.FAILED)
        elif state == "closed":
            self._finish(End.LEFT if self._connected else End.FAILED)

    def _look_again(self) -> None:
        """Absence makes no event, so look for it."""
        if self._end is not None:
            return
        self._tell_lost()
        now = time.monotonic()
        heard = self._connection.heard_at or self._began
        if not self._connected and now - self._began > CONNECT_SECONDS:
            self._finish(End.FAILED)
        elif self._connected and now - heard > LOST_SECONDS:
            self._finish(End.LOST)
        else:
            self._look = asyncio.get_running_loop().call_later(LOOK_SECONDS, self._look_again)

    def _finish(self, reason: End) -> None:
        """Stop at once, tell why, and give back what the connection holds in the background."""
        if self._end is not None:
            return
        self._end = reason
        self._tell_lost()
        self.frames.close()
        self._closing = asyncio.create_task(self._shut(), name="close-analyser")
        self._on_end(reason)

    def _tell_lost(self) -> None:
        """Tell the meter what was lost since the last time."""
        receiver = self._connection.receiver
        for kind, count in (("broken", receiver.decode_errors), ("skipped", receiver.dropped)):
            more, self._lost[kind] = count - self._lost[kind], count
            if more:
                self._meter.media_lost(kind, more)

    async def _shut(self) -> None:
        if self._look is not None:
            self._look.cancel()
        await self._connection.close()


def _rtc(server: IceServer) -> RTCIceServer:
    return RTCIceServer(urls=list(server.urls), username=server.username, credential=server.credential)


def _candidate(candidate: RemoteCandidate, mid: str) -> RTCIceCandidate:
    return RTCIceCandidate(
        component=1,
        foundation=candidate.foundation,
        ip=candidate.address,
        port=candidate.port,
        priority=candidate.priority,
        protocol="udp",
        type=candidate.type,
        sdpMid=mid,
    )
