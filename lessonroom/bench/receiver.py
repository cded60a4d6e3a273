"""The receiving process of ``lessonroom bench receive``: ours, or stock aiortc, and nothing else in it.

It speaks through a pipe: offers in, answers out, then its own readings whenever it is asked for one.
"""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection as Pipe
from typing import Any, Protocol

import psutil
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError

from lessonroom.media.frames import FramesEnded
from lessonroom.media.guard import end_consent_checks, gather_loopback
from lessonroom.media.peer import Analyser
from lessonroom.media.sdp import SdpPolicy

HERE = SdpPolicy(loopback=True)


@dataclass(frozen=True, slots=True)
class Reading:
    """``cpu_seconds`` of this process, ``pictures`` handed to the reader, ``memory`` in bytes, threads, descriptors."""

    cpu_seconds: float
    pictures: int
    memory: int
    threads: int
    descriptors: int


class Receiver(Protocol):
    """Takes part in one connection."""

    pictures: int

    async def answer(self, offer: str) -> str:
        """Accept an offer and begin to receive."""
        ...

    async def close(self) -> None:
        """End."""
        ...


class Ours:
    """The analyser, read as a lesson reads it: the newest picture every ``interval`` seconds."""

    def __init__(self, interval: float) -> None:
        self.pictures = 0
        self._interval = interval
        self._analyser: Analyser | None = None
        self._reading: asyncio.Task[None] | None = None

    async def answer(self, offer: str) -> str:
        """See :class:`Receiver`."""
        self._analyser = await Analyser.accept(offer, [], policy=HERE, on_end=lambda _: None)
        self._analyser.frames.interval = self._interval
        self._reading = asyncio.create_task(self._read(self._analyser))
        return self._analyser.answer

    async def _read(self, analyser: Analyser) -> None:
        while True:
            try:
                await analyser.frames.take()
            except FramesEnded:
                return
            self.pictures += 1
            await asyncio.sleep(self._interval)

    async def close(self) -> None:
        """End."""
        if self._analyser is not None:
            await self._analyser.close()


class Stock:
    """aiortc as it comes; its track must be drained, or it grows without bound."""

    def __init__(self, _: float) -> None:
        self.pictures = 0
        self._peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self._reading: asyncio.Task[None] | None = None

    async def answer(self, offer: str) -> str:
        """See :class:`Receiver`."""
        self._peer.on("track", self._begin)
        await self._peer.setRemoteDescription(RTCSessionDescription(offer, "offer"))
        gather_loopback(self._peer)
        end_consent_checks(self._peer)
        await self._peer.setLocalDescription(await self._peer.createAnswer())
        return str(self._peer.localDescription.sdp)

    def _begin(self, track: Any) -> None:
        self._reading = asyncio.create_task(self._read(track))

    async def _read(self, track: Any) -> None:
        while True:
            try:
                await track.recv()
            except MediaStreamError:
                return
            self.pictures += 1

    async def close(self) -> None:
        """End."""
        await self._peer.close()


KINDS: dict[str, Callable[[float], Receiver]] = {"ours": Ours, "stock": Stock}


def receive(pipe: Pipe, kind: str, interval: float) -> None:
    """Serve the pipe until it says ``None``. A list of offers is answered by answers, ``"read"`` by a Reading."""
    asyncio.run(_serve(pipe, KINDS[kind], interval))


async def _serve(pipe: Pipe, make: Callable[[float], Receiver], interval: float) -> None:
    receivers: list[Receiver] = []
    while (asked := await asyncio.to_thread(pipe.recv)) is not None:
        if isinstance(asked, list):
            begun = [make(interval) for _ in asked]
            receivers += begun
            pipe.send([await one.answer(offer) for one, offer in zip(begun, asked, strict=True)])
        elif asked == "close":
            await asyncio.gather(*(receiver.close() for receiver in receivers))
            receivers.clear()
            pipe.send(True)
        else:
            pipe.send(_reading(receivers))


def _reading(receivers: Sequence[Receiver]) -> Reading:
    process = psutil.Process(os.getpid())
    return Reading(
        time.process_time(),
        sum(receiver.pictures for receiver in receivers),
        process.memory_info().rss,
        threading.active_count(),
        process.num_fds(),
    )
