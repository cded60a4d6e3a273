"""Media straight from the socket to the receiver: no queue, no task and no object of aiortc's in between.

aiortc carries a datagram through asyncio's transport (which makes room for 256 KiB each time), an attempt to read it as
STUN, a queue, a task that waits at the queue, a parser and a router. Here each socket is read until it is empty, and
media are decrypted with aiortc's own session and handed over on the spot. Everything else, and media that come before
there are keys, goes aiortc's way.
"""

from __future__ import annotations

from asyncio.selector_events import _SelectorDatagramTransport  # type: ignore[attr-defined]
from collections.abc import Callable
from typing import Any, Protocol

import pylibsrtp
from aioice.ice import StunProtocol
from aiortc.rtcdtlstransport import RTCDtlsTransport, State

DATAGRAM = 2048
"""Bytes read of one datagram; a longer one is cut, and then thrown away since its tag is wrong."""
AT_ONCE = 32
"""Datagrams read from one socket before others have their turn."""


class Sink(Protocol):
    """Takes decrypted media."""

    @property
    def transport(self) -> RTCDtlsTransport:
        """The transport that has the keys."""
        ...

    def take_rtp(self, data: bytes) -> None:
        """One packet, or what the peer takes for one."""
        ...

    def take_rtcp(self, data: bytes) -> None:
        """One compound packet of RTCP, or what the peer takes for one."""
        ...


class Inlet:
    """Decrypts the media among a connection's datagrams. ``heard`` is called for each that is genuine."""

    def __init__(self, sink: Sink, heard: Callable[[], None]) -> None:
        self._sink = sink
        self._heard = heard

    def take(self, data: bytes) -> bool:
        """Whether a datagram was media that could be read; what is forged, repeated or broken is thrown away."""
        # the division of RFC 7983 section 7 and RFC 5761 section 4
        if not data or not 127 < data[0] < 192:
            return False
        transport = self._sink.transport
        session = transport._rx_srtp
        if session is None or transport._state is not State.CONNECTED:
            return False
        control = len(data) > 1 and 191 < data[1] < 224
        try:
            plain = session.unprotect_rtcp(data) if control else session.unprotect(data)
        except (pylibsrtp.Error, ValueError):  # forged, repeated, or longer than any packet
            return True
        self._heard()
        if control:
            self._sink.take_rtcp(plain)
        else:
            self._sink.take_rtp(plain)
        return True


def replace(owner: object, name: str, value: object) -> None:
    """Put ``value`` in the place of something that is already there, on this one instance."""
    getattr(owner, name)
    setattr(owner, name, value)


def hand_over(transport: RTCDtlsTransport, sink: Sink) -> None:
    """Let what aiortc's transport decrypts by itself, which it queued before there were keys, go to ``sink``, too.

    Its own way leads through a router, which remembers every SSRC that a peer makes up, and reads bandwidth estimates
    further than they go: one that is cut short ends the session with a struct.error.
    """

    async def handle_rtcp_data(data: bytes) -> None:
        sink.take_rtcp(data)

    async def handle_rtp_data(data: bytes, arrival_time_ms: int) -> None:
        sink.take_rtp(data)

    replace(transport, "_handle_rtcp_data", handle_rtcp_data)
    replace(transport, "_handle_rtp_data", handle_rtp_data)


def read_at_once(protocol: StunProtocol, take: Callable[[bytes], bool]) -> None:
    """Read this protocol's socket until it is empty, and hand it only what ``take`` does not want.

    Does nothing where the transport is not asyncio's own, such as that of a TURN server.
    """
    transport: Any = protocol.transport
    if not isinstance(transport, _SelectorDatagramTransport) or transport.is_closing():
        return

    def read() -> None:
        for _ in range(AT_ONCE):
            if transport.is_closing():
                return
            try:
                data, address = transport._sock.recvfrom(DATAGRAM)
            except (BlockingIOError, InterruptedError):
                return
            except OSError as error:
                protocol.error_received(error)
                return
            if not take(data):
                protocol.datagram_received(data, address)

    transport.pause_reading()
    transport._read_ready = read
    transport.resume_reading()
