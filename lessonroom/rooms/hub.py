"""The hub: brings events to the rooms and carries out their effects. All IO of a lesson goes through here.

One event loop. A room's effects are carried out at once and in order; what has to wait goes into one of the room's
lanes, so that one room never waits for another. :meth:`Hub.on_chat` is the middle of the line from message to relay,
which goes on in :mod:`~lessonroom.rooms.carrying`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass
from typing import Any

from lessonroom import logs
from lessonroom.config import Settings
from lessonroom.errors import Busy, NotFound, Refused
from lessonroom.media.pipeline import hint_rules, strain_rules
from lessonroom.messages import ChatSend, CloseCode, FromPage, IceServer
from lessonroom.metrics import Metrics
from lessonroom.policy import Mode
from lessonroom.rooms import effects as do
from lessonroom.rooms import events as ev
from lessonroom.rooms.analysing import Analysing, always
from lessonroom.rooms.carrying import Carrying, Screener
from lessonroom.rooms.ceiling import NOWHERE, House
from lessonroom.rooms.hearing import Hearing
from lessonroom.rooms.keeping import Keeping
from lessonroom.rooms.listening import Exercise, ListeningRules
from lessonroom.rooms.live import Analyser, Limits, Live, MakeWatch
from lessonroom.rooms.outbox import Outbox
from lessonroom.rooms.owed import Owed
from lessonroom.rooms.replaying import Replaying
from lessonroom.rooms.ruling import Ruling
from lessonroom.rooms.shelf import Shelf
from lessonroom.rooms.standings import Standings
from lessonroom.storage.audit import AuditRecord
from lessonroom.storage.review import Decided
from lessonroom.storage.store import Store

log = logs.get(__name__)

FINISH_SECONDS = 15.0
"""Longest wait for what was admitted when the server stops; three times the store's deadline."""


@dataclass(frozen=True, slots=True)
class Seat:
    """One socket's place in a room."""

    live: Live
    socket: int
    member: str


class Hub:
    """All rooms of one process.

    ``make_watch`` None: this server cannot analyse; ``house``: what decides how much it may; ``may_admit``: whether it
    takes analysers of further lessons now.
    """

    def __init__(
        self,
        store: Store,
        screener: Screener,
        make_watch: MakeWatch | None,
        settings: Settings,
        metrics: Metrics,
        *,
        house: House = NOWHERE,
        may_admit: Callable[[], bool] = always,
    ) -> None:
        self._store = store
        self._settings = settings
        self._metrics = metrics
        limits = Limits(
            chat_length=settings.chat_length,
            chat_per_minute=settings.chat_per_minute,
            chat_context=settings.chat_context,
            server_can=Mode.M3 if make_watch else Mode.M0,
            listening=ListeningRules(strain_rules(settings), hint_rules(settings), settings.chat_silence_seconds),
        )
        self._shelf = Shelf(store, limits, self._broken)
        self._standings = Standings(store, forgiving=not settings.chat_refuse_violators)
        self._tasks: set[asyncio.Task[None]] = set()
        self._sockets = 0
        owed = Owed(store)
        self.keeping = Keeping(store, owed, metrics, self.apply, self.spawn, consent_days=settings.consent_days)
        self.ruling = Ruling(
            store,
            house,
            metrics,
            owed,
            days=settings.consent_days,
            rooms=lambda: self._shelf,
            apply=self.apply,
            spawn=self.spawn,
        )
        self.replaying = Replaying(store, metrics, settings.replay_limit, self.apply)
        self.hearing = Hearing(metrics, self.apply)
        self.carrying = Carrying(
            store,
            screener,
            self._standings,
            settings=settings,
            metrics=metrics,
            apply=self.apply,
            listen=self.hearing.said,
        )
        self.analysing = Analysing(make_watch, settings.analysers, metrics, self.apply, self.spawn, may_admit=may_admit)

    # --- life ------------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin to keep time. Call on the event loop."""
        self.spawn(self._keep_time())

    async def stop(self) -> None:
        """Close every socket, finish what was admitted, let go of every analyser."""
        self._shelf.close()
        rooms = list(self._shelf)
        for live in rooms:
            for outbox in live.outboxes.values():
                outbox.close(CloseCode.SERVER_BUSY)
        lanes = [lane.finish() for live in rooms for lane in (live.chat, live.records)]
        ends = [self.analysing.end(live) for live in rooms]
        try:
            async with asyncio.timeout(FINISH_SECONDS):
                await asyncio.gather(*lanes, *ends)
        except TimeoutError:
            log.error("stopped before everything was finished", count=sum(not live.idle for live in rooms))
        await asyncio.gather(self.keeping.finish(), self.ruling.finish())
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # --- sockets ---------------------------------------------------------------------------------------------------

    async def join(
        self,
        room: str,
        member: str,
        outbox: Outbox,
        *,
        page: str,
        after: int,
        role: str = "",
        ice_servers: tuple[IceServer, ...] = (),
        device: Mode = Mode.M0,
    ) -> Seat:
        """Bring a page into its room; its welcome comes out of ``outbox``. The caller has checked the ticket.

        ``role``: what the ticket says, compared with what the room knows; empty: nothing is said.

        Raises NotFound, Refused for a closed room, StoreDown, Busy.
        """
        record = await self._store.member(member)
        if record.room != room or role not in {"", record.role}:
            raise NotFound("expected a member of this room in this role, got another")
        live = await self._shelf.get(room)
        live.senders[member] = record.sender
        await self.ruling.settle(live)
        if not (live.room.closed or self._shelf.has(live)):
            raise Busy("expected a room that is still loaded, got one that was let go meanwhile")
        self._sockets += 1
        seat = Seat(live, self._sockets, member)
        live.outboxes[seat.socket] = outbox
        self._metrics.sockets.inc()
        self.apply(
            live,
            ev.Joined(
                seat.socket,
                member,
                record.role,
                record.name,
                page,
                after,
                ice_servers,
                self._settings.ice_relay_only,
                device,
            ),
        )
        return seat

    def leave(self, seat: Seat) -> None:
        """A socket is gone. Call once for each seat."""
        self._metrics.sockets.dec()
        seat.live.outboxes.pop(seat.socket, None)
        seat.live.empty_since = time.time()
        self.apply(seat.live, ev.Lost(seat.socket))

    def receive(self, seat: Seat, message: FromPage) -> None:
        """What a page says, in the order in which it says it. Never waits."""
        if isinstance(message, ChatSend):
            self.on_chat(seat, message)
        else:
            self.apply(seat.live, ev.Said(seat.socket, message))

    def on_chat(self, seat: Seat, message: ChatSend) -> None:
        """Admit a message and let it take its turn among the room's."""
        self.carrying.take(seat.live, seat.member, seat.live.room.admit(seat.socket, message, time.time()))

    # --- administration ----------------------------------------------------------------------------------------------

    async def set_paying(self, sender: str, paying: bool, audit: AuditRecord | None = None) -> None:
        """Keep what the platform told us; it counts from the next message on. Raises StoreDown."""
        await self._store.set_paying(sender, paying, at=time.time(), audit=audit)
        self._standings.changed(sender)

    async def solved(self, room: str, member: str, event: Exercise, id_: str) -> None:
        """What the platform saw a student do; nobody hears of it in a lesson that is not going on.

        Raises NotFound, Refused for one who is no student, StoreDown.
        """
        record = await self._store.member(member)
        if record.room != room:
            raise NotFound("expected a member of this room, got one of another")
        if record.role != "student":
            raise Refused("expected a student of this room, got another role")
        live = await self._shelf.find(room)
        if live is not None:
            self.hearing.solved(live, event, id_)

    async def decided(self, decided: Decided) -> None:
        """A person has decided on a message: its room, if it is here, is told, and its sender counts anew."""
        self._standings.changed(decided.sender)
        live = await self._shelf.find(decided.stored.message.room)
        if live is not None:
            self.apply(live, ev.Decided(decided.stored))

    async def close_room(self, room: str, audit: AuditRecord | None = None) -> None:
        """End a lesson for good. Raises NotFound, StoreDown."""
        await self._store.room(room)
        await self._store.close_room(room, time.time(), audit=audit)
        live = await self._shelf.take_away(room)
        if live is not None:
            self.apply(live, ev.Closed())

    # --- the analyser (asked by lessonroom.server.whip) --------------------------------------------------------------

    def may_analyse(self, room: str, member: str) -> None:
        """Return when this member's video may be analysed now; else raise Refused or Busy."""
        self.analysing.may(self._present(room), member)

    def analyse(self, room: str, member: str, analyser: Analyser) -> None:
        """Watch what this analyser receives until either side ends it. Raises like :meth:`may_analyse`."""
        live = self._present(room)
        self.analysing.may(live, member)
        self.analysing.begin(live, analyser)

    def not_analysed(self, room: str, member: str, reason: str) -> None:
        """This member's offer could not be answered, for a ``reason`` of the indicator; the room is told.

        An analyser that runs goes on, and a reason that the room knows better itself stands.
        """
        live = self._shelf.peek(room)
        if live is not None and live.session is None and live.room.may_analyse(member) is None:
            self.apply(live, ev.AnalyserRefused(reason))

    def _present(self, room: str) -> Live:
        live = self._shelf.peek(room)
        if live is None:
            raise Refused("expected a student who is in the room, got one whose page is not connected")
        return live

    # --- events and effects ------------------------------------------------------------------------------------------

    def apply(self, live: Live, event: ev.Event) -> None:
        """Tell the room what happened and carry out what it wants."""
        try:
            for effect in live.room.handle(event, time.time()):
                self._do(live, effect)
        except Exception as error:  # noqa: BLE001 - logged there; a defect in one lesson must not reach another
            self._broken(live, error)

    def _do(self, live: Live, effect: do.Effect) -> None:
        match effect:
            case do.Send(socket, message):
                live.outboxes[socket].send(message)
            case do.Close(socket, code):
                live.outboxes.pop(socket).close(code)
            case do.Replay():
                self.spawn(self.replaying.replay(live, effect))
            case do.KeepCeiling(ceiling):
                self.spawn(self.ruling.fallen(live.room.id, ceiling))
            case do.StopAnalyser(session):
                self.analysing.stop(live, session)
            case do.KeepHint() | do.KeepAnswer() | do.KeepHintsOn():
                self.hearing.tell(live, effect)
                self.keeping.keep(live, effect)
            case _:
                self.keeping.keep(live, effect)

    # --- background --------------------------------------------------------------------------------------------------

    def _broken(self, live: Live, error: BaseException) -> None:
        """A defect met one room: its pages come back to a room that is read anew from the store."""
        log.error("a room broke and is read anew", room=live.room.id, exc_info=error)
        self._shelf.drop(live)
        for outbox in live.outboxes.values():
            outbox.close(CloseCode.SERVER_BUSY)
        if live.session is not None:
            self.analysing.stop(live, live.session.number)

    async def _keep_time(self) -> None:
        while True:
            await asyncio.sleep(1.0)
            now = time.time()
            for live in self._shelf:
                self._tick(live)
            self._shelf.forget(now)
            self._standings.forget(now)
            self._metrics.rooms.set(sum(1 for _ in self.live_rooms()))

    def _tick(self, live: Live) -> None:
        try:
            if live.session is not None:
                live.session.count()
            if live.session is not None or live.room.due(time.time()):
                self.apply(live, ev.Tick())
            self.analysing.tick(live)
            self.hearing.tick(live)
        except Exception as error:  # noqa: BLE001 - as in apply
            self._broken(live, error)

    def live_rooms(self) -> Iterator[Live]:
        """Rooms with somebody in them, for the operations page."""
        return (live for live in self._shelf if live.outboxes)

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run something in the background until it ends or the hub stops."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._finished)
        return task

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error("a background task failed", exc_info=task.exception())
