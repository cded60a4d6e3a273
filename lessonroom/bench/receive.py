"""``lessonroom bench receive``: what it costs to receive a camera's stream, without looking at it.

Two streams, our page's own and a foreign client's. The bounds of the same run are libav that decodes the same frames
without a network, and stock aiortc that receives the same stream and decodes all of it. Receivers are processes of
their own, so that their processor time is theirs alone; senders are in this one.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from multiprocessing import get_context
from pathlib import Path
from typing import Any, TypeVar

from rich.console import Console
from rich.table import Table

from lessonroom.bench import machine
from lessonroom.bench.receiver import Reading, receive
from lessonroom.bench.sending import Client, Footage
from lessonroom.errors import EngineDown
from lessonroom.media.guard.assembly import EncodedFrame
from lessonroom.media.guard.decoding import Decoder
from lessonroom.progress import Show, unseen

T = TypeVar("T")

RATIOS = ("ours_to_libav", "ours_to_stock")
STREAMS = {"shaped": 16, "foreign": 2}
"""How many of each are received at once; a foreign one costs this process a live encoder."""
SETTLE_SECONDS = 4.0
START_SECONDS = 30.0
WARM_UP = 2
"""Connections made and closed before memory is read for the first time."""


def run(clip: Path, *, seconds: float = 20.0, samples: float = 1.0, progress: Show = unseen) -> dict[str, Any]:
    """Measure and return the figures, in per cent of a core for one stream. ``samples``: per second, ours alone.

    Raises BadMedia for a clip that is none, and EngineDown when no picture comes.
    """
    about = machine.describe()
    rows: dict[str, Any] = {}
    for name, make in (("shaped", Footage.shaped), ("foreign", Footage.foreign)):
        progress(f"encoding: {name}", 0, 1)
        footage = make(clip)
        decode = 100 * _decoding(footage)
        ours, stock = (asyncio.run(_measure(kind, footage, seconds, samples, progress)) for kind in ("ours", "stock"))
        rows[name] = {
            "streams": STREAMS[name],
            "libav_percent": round(decode, 3),
            "stock_percent": round(stock["percent"], 3),
            "ours_percent": round(ours["percent"], 3),
            "ours_to_libav": round(ours["percent"] / decode, 3),
            "ours_to_stock": round(ours["percent"] / stock["percent"], 3),
            "ours_keys_asked_per_minute": ours["keys_per_minute"],
            "pictures_per_second": {"stock": stock["pictures"], "ours": ours["pictures"]},
            "connection_mb": {"stock": stock["memory_mb"], "ours": ours["memory_mb"]},
        }
    head = {"bench": "receive", "machine": about, "seconds": seconds, "samples": samples, "receive": rows}
    ratios = {f"{name}_{ratio}": row[ratio] for name, row in rows.items() for ratio in RATIOS}
    return {**head, "ratios": ratios, "costs": {f"{name}_percent": row["ours_percent"] for name, row in rows.items()}}


def show(figures: dict[str, Any], console: Console) -> None:
    """Print the figures for people."""
    console.print(machine.line(figures["machine"]), style="dim", highlight=False)
    table = Table(title=f"Receiving one stream for {figures['seconds']:g} s, per cent of a core")
    for column in (
        "stream",
        "libav alone",
        "stock aiortc",
        "ours",
        "ours / libav",
        "ours / stock",
        "MB, stock",
        "ours",
    ):
        table.add_column(column, justify="left" if column == "stream" else "right")
    for name, row in figures["receive"].items():
        shares = (row["libav_percent"], row["stock_percent"], row["ours_percent"])
        ratios, memory = (row["ours_to_libav"], row["ours_to_stock"]), row["connection_mb"]
        cells = (*(f"{value:.2f}" for value in (*shares, *ratios)), f"{memory['stock']:.1f}", f"{memory['ours']:.1f}")
        table.add_row(name, *cells)
    console.print(table)


def _decoding(footage: Footage) -> float:
    """Processor seconds that libav takes for a second of the stream, all of it decoded."""
    decoder = Decoder("VP8")
    frames = [EncodedFrame(data, number, number == 0, 0.0) for number, data in enumerate(footage.frames)]
    began = time.thread_time()
    for frame in frames:
        decoder.decode(frame)
    return (time.thread_time() - began) / len(frames) * footage.rate


async def _measure(kind: str, footage: Footage, seconds: float, samples: float, progress: Show) -> dict[str, float]:
    """What one stream costs this kind of receiver."""
    count = STREAMS[footage.name]
    async with _receiver(kind, 1.0 / samples) as ask:
        await _close(await _connect(ask, footage, WARM_UP), ask)
        empty: Reading = await ask("read")
        clients = await _connect(ask, footage, count)
        await asyncio.sleep(SETTLE_SECONDS)
        asked, before, began = _keys(clients), await ask("read"), time.monotonic()
        progress(f"{footage.name}: {kind}", 0, 1)
        await asyncio.sleep(seconds)
        after, lasted = await ask("read"), time.monotonic() - began
        keys = _keys(clients) - asked
        await _close(clients, ask)
    if after.pictures == before.pictures:
        raise EngineDown("expected pictures to come, got none: the figures would mean nothing")
    return {
        "percent": 100 * (after.cpu_seconds - before.cpu_seconds) / lasted / count,
        "pictures": round((after.pictures - before.pictures) / lasted / count, 2),
        "memory_mb": round((after.memory - empty.memory) / 2**20 / count, 2),
        "keys_per_minute": round(60 * keys / lasted / count, 1),
    }


@asynccontextmanager
async def _receiver(kind: str, interval: float) -> AsyncIterator[Callable[[Any], Any]]:
    """A receiving process, as what asks it something and waits for the answer."""
    spawn = get_context("spawn")
    here, there = spawn.Pipe()
    process = spawn.Process(target=receive, args=(there, kind, interval), daemon=True)
    process.start()
    there.close()

    async def ask(something: Any) -> Any:
        here.send(something)
        try:
            return await asyncio.to_thread(here.recv)
        except EOFError:
            raise EngineDown("expected an answer of the receiving process, got its end") from None

    try:
        yield ask
    finally:
        if process.is_alive():
            here.send(None)
        await asyncio.to_thread(process.join, START_SECONDS)
        here.close()


async def _connect(ask: Callable[[Any], Any], footage: Footage, count: int) -> list[Client]:
    """So many clients that send, connected, with pictures that have come."""
    clients = [Client(footage.track()) for _ in range(count)]
    before: Reading = await ask("read")
    answers = await ask([await client.offer() for client in clients])
    await asyncio.gather(*(client.answered(answer) for client, answer in zip(clients, answers, strict=True)))
    async with asyncio.timeout(START_SECONDS):
        while (await ask("read")).pictures - before.pictures < count:  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.2)
    return clients


async def _close(clients: list[Client], ask: Callable[[Any], Any]) -> None:
    await asyncio.gather(*(client.close() for client in clients))
    await ask("close")


def _keys(clients: list[Client]) -> int:
    return sum(getattr(client.track, "keys_asked", 0) for client in clients)
