"""A WHIP client (RFC 9725) on aiortc: sends one video track to the analyser."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final
from urllib.parse import urljoin

import httpx
from aiortc import (
    RTCConfiguration,
    RTCIceServer,
    RTCIceTransportPolicy,
    RTCPeerConnection,
    RTCRtpSender,
    RTCRtpTransceiver,
    RTCSessionDescription,
)
from aiortc.mediastreams import MediaStreamTrack

from lessonroom.errors import Refused
from lessonroom.media.guard import end_consent_checks, gather_loopback
from lessonroom.messages import IceServer

CLOSE_SECONDS: Final = 2.0
"""Longest wait for a connection that is closed."""


def configuration(servers: Sequence[IceServer], *, relay_only: bool = False) -> RTCConfiguration:
    """The room's ICE servers as aiortc takes them; ``relay_only``: no path but through one of them."""
    return RTCConfiguration(
        iceTransportPolicy=RTCIceTransportPolicy.RELAY if relay_only else RTCIceTransportPolicy.ALL,
        iceServers=[
            RTCIceServer(urls=each.urls, username=each.username, credential=each.credential) for each in servers
        ],
    )


async def end(peer: RTCPeerConnection) -> None:
    """Close a connection. Returns after ``CLOSE_SECONDS`` at the latest.

    aiortc closes by itself when the other side is gone; when that was cancelled, its ``close()`` returns to nobody.
    """
    closing = asyncio.ensure_future(peer.close())
    try:
        await asyncio.wait([closing], timeout=CLOSE_SECONDS)
    finally:
        closing.cancel()
    if closing.done() and not closing.cancelled():
        closing.result()


class WhipFeed:
    """One WHIP session. ``gone`` is set when the connection has failed or was closed from the other side."""

    def __init__(
        self, http: httpx.AsyncClient, ice_servers: Sequence[IceServer] = (), *, relay_only: bool = False
    ) -> None:
        self._http = http
        self._relay_only = relay_only
        self._peer = RTCPeerConnection(configuration(ice_servers, relay_only=relay_only))
        self._location: str | None = None
        self._bearer = ""
        self.gone = asyncio.Event()

    @property
    def connected(self) -> bool:
        """Whether media can flow."""
        return self._peer.connectionState == "connected"

    @property
    def transceiver(self) -> RTCRtpTransceiver:
        """What carries the track, once :meth:`open` has returned."""
        return self._peer.getTransceivers()[0]

    async def open(self, room: str, ticket: str, track: MediaStreamTrack) -> None:
        """Offer the track and take the answer. Raises Refused, and httpx's errors of the network."""
        transceiver = self._peer.addTransceiver(track, direction="sendonly")
        codecs = RTCRtpSender.getCapabilities("video").codecs
        transceiver.setCodecPreferences([codec for codec in codecs if codec.mimeType == "video/VP8"])
        end_consent_checks(self._peer)
        if not self._relay_only:
            gather_loopback(self._peer)
        self._peer.on("connectionstatechange", self._moved)
        await self._peer.setLocalDescription(await self._peer.createOffer())
        self._bearer = ticket
        response = await self._send("POST", f"whip/{room}", self._peer.localDescription.sdp)
        self._location = urljoin(str(response.url), response.headers["location"])
        await self._peer.setRemoteDescription(RTCSessionDescription(response.text, "answer"))

    def moved(self) -> None:
        """The server says that what received this session is gone."""
        if self._location is not None:
            self.gone.set()

    async def close(self) -> None:
        """End the session on both sides; one that is gone already is no error."""
        location, self._location = self._location, None
        try:
            if location is not None:
                await self._send("DELETE", location, None)
        except (httpx.HTTPError, Refused):
            pass  # the server is away or has ended it: nothing is left to end
        finally:
            await end(self._peer)

    async def _send(self, method: str, url: str, sdp: str | None) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self._bearer}"} | ({"Content-Type": "application/sdp"} if sdp else {})
        response = await self._http.request(method, url, content=sdp, headers=headers)
        if response.is_error:
            raise Refused(f"expected {method} to be taken, got HTTP {response.status_code}")
        return response

    def _moved(self) -> None:
        if self._peer.connectionState in {"failed", "closed"}:
            self.gone.set()
