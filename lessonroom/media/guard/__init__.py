"""A small guard around aiortc, which is pinned exactly because of it.

What it cures, measured on aiortc 1.16, and where:

============================================================================================  ====================
upstream                                                                                      here
============================================================================================  ====================
The jitter buffer waits for a lost packet for ever, gives out a frame only when the next one   :mod:`.assembly`
begins, one per packet, so that a wait that was made up for stays as delay.
Two threads per connection for decoding; decode errors are logged; stopping a receiver joins   :mod:`.decoding`
its thread on the event loop; queues of packets and of frames grow without bound.
A receiver keeps state for every SSRC that a peer makes up; it estimates bandwidth, which a    :mod:`.receiver`
stream of 100 kbit/s does not need.
Each datagram passes a queue, a task, a parser and a router, which costs more than decoding   :mod:`.inlet`
does; a bandwidth estimate that is cut short ends the session with a struct.error.
Every frame is decoded, also of large streams of which one a second is looked at.             :mod:`.sampling`,
                                                                                              :mod:`.keys`
No host candidates on a machine without a network, so that a demo cannot run there; a peer     :mod:`.ice`
that vanished is noticed after 30 s; a task of a connection that was closed too early never
ends; an empty datagram from anybody ends a session; datagrams pile up before it begins.
A sender that answers no connectivity check is closed after half a minute, though media come.  :mod:`.consent`
As the client of DTLS it shakes hands with nobody whose certificate is an RSA one.             :mod:`.dtls`
Closing may wait for a TURN server that is gone, and for ever when it was cancelled once.      :mod:`.connection`
============================================================================================  ====================

There is no ICE restart in aiortc. Nothing here adds it: a client makes a new connection.

Nothing in aiortc or aioice is patched globally. The receiver is a class of its own that speaks to aiortc's transport;
:mod:`.connection` puts it into one connection. The few private names that this needs are in :data:`PRIVATE_NAMES`.
"""

from __future__ import annotations

from lessonroom.media.guard.connection import PRIVATE_NAMES, Connection
from lessonroom.media.guard.decoding import Decoder
from lessonroom.media.guard.ice import end_consent_checks, gather_loopback
from lessonroom.media.guard.receiver import VideoReceiver

WRITTEN_FOR = "1.16.0"
"""The version of aiortc whose source this package was written against."""

__all__ = [
    "PRIVATE_NAMES",
    "WRITTEN_FOR",
    "Connection",
    "Decoder",
    "VideoReceiver",
    "end_consent_checks",
    "gather_loopback",
]
