"""The composition root: the one place where engines, store, rooms and HTTP meet."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from fastapi import FastAPI

from lessonroom import __version__, logs
from lessonroom.analysis import Analysis, open_analysis
from lessonroom.chat.apart import ScreeningProcesses
from lessonroom.chat.gate import Gate
from lessonroom.chat.policy import ChatPolicy
from lessonroom.chat.releases import Releases
from lessonroom.chat.rollout import Rollout
from lessonroom.closing import Closing
from lessonroom.config import Settings
from lessonroom.errors import BadSetting
from lessonroom.gpu import Gpus
from lessonroom.metrics import Metrics
from lessonroom.policy import Deployment
from lessonroom.policy_file import table_in_force
from lessonroom.rooms.ceiling import House
from lessonroom.rooms.hub import Hub
from lessonroom.rooms.review import Review
from lessonroom.server import http
from lessonroom.server.admission import Admission
from lessonroom.server.capacity import Capacity, Limits
from lessonroom.server.figures import Figures
from lessonroom.server.limits import per_minute
from lessonroom.server.processor import Pids
from lessonroom.server.refusals import Refusals
from lessonroom.server.services import Services
from lessonroom.signing import KEY_FILE, signing_key
from lessonroom.storage.sql import SqlStore, open_store
from lessonroom.sweeper import Sweeper, lives_of
from lessonroom.tracing import spans_to

log = logs.get(__name__)

DATABASE_FILE = "lessonroom.sqlite3"


class App:
    """One Lessonroom. ``asgi`` can be served or mounted; whoever mounts it calls :meth:`start` and :meth:`stop`."""

    def __init__(
        self, settings: Settings, services: Services, analysis: Analysis, store: SqlStore, chat: _Chat
    ) -> None:
        self.settings = settings
        self.services = services
        self.asgi: FastAPI = http.application(services, start=self.start, stop=self.stop)
        self._analysis = analysis
        self._store = store
        self._chat = chat
        closing = Closing(store, services.hub, settings.close_rooms_hours)
        self._sweeper = Sweeper(store, lives_of(settings), first=closing.close_quiet)
        self._running = False

    @property
    def admission(self) -> Admission:
        """Makes rooms, members and links."""
        return self.services.admission

    @property
    def hub(self) -> Hub:
        """All rooms."""
        return self.services.hub

    async def start(self) -> None:
        """Open the database and begin; again changes nothing. Raises StoreDown."""
        if self._running:
            return
        await self._store.open()
        self._running = True
        self.hub.start()
        self.services.review.start()
        self.services.figures.start()
        self._chat.start()
        self._analysis.start(self.services.figures)
        self._sweeper.start()
        log.info("started", version=__version__, provider=self.services.figures.provider or "off")

    async def stop(self) -> None:
        """Send everybody out, finish what was accepted, close the database; again changes nothing."""
        if not self._running:
            return
        self._running = False
        await self.hub.stop()
        await self._chat.stop()
        await self._sweeper.stop()
        await self.services.figures.stop()
        await self.services.refusals.finish()
        await self._analysis.stop()
        await self._store.close()
        if self.services.metrics.tracer is not None:
            await asyncio.to_thread(self.services.metrics.tracer.close)
        log.info("stopped")


@dataclass(frozen=True, slots=True)
class _Chat:
    gate: Gate
    rollout: Rollout
    apart: ScreeningProcesses | None

    def start(self) -> None:
        self.rollout.start()
        if self.apart is not None:
            self.apart.start()

    async def stop(self) -> None:
        await self.rollout.stop()
        if self.apart is not None:
            await self.apart.stop()


def build(settings: Settings) -> App:
    """Put everything together; nothing runs yet. Raises BadSetting."""
    _make_folder(settings.data_dir)
    metrics = Metrics()
    metrics.tracer = spans_to(settings.trace_url, settings.trace_share)
    store = open_store(
        database_url(settings),
        deadline=settings.database_deadline,
        queue=settings.store_queue,
    )
    analysis = open_analysis(settings, metrics)
    chat = _chat(settings, metrics)
    capacity = Capacity(_limits(settings))
    hub = Hub(
        store,
        chat.gate,
        analysis.make_watch,
        settings,
        metrics,
        house=_house(settings, metrics),
        may_admit=capacity.may_admit,
    )
    review = Review(store, hub, metrics, shadow=chat.rollout.shadow)
    figures = Figures(
        metrics,
        hub,
        Gpus(),
        review,
        capacity,
        provider=analysis.eyes.engine.provider if analysis.eyes else "",
        reason=analysis.reason,
        waiting=lambda: store.backlog,
        processes=_processes(chat, analysis),
    )
    admission = Admission(store, settings, signing_key(settings.data_dir / KEY_FILE))
    refusals = Refusals(store, metrics, settings.refusals_per_minute)
    tickets = per_minute(settings.tickets_per_minute)
    services = Services(settings, store, hub, admission, metrics, figures, review, refusals, analysis.accept, tickets)
    return App(settings, services, analysis, store, chat)


def _chat(settings: Settings, metrics: Metrics) -> _Chat:
    """The chat's filter with the release that serves."""
    policy = ChatPolicy.of(settings)
    apart = _screening(settings, policy) if settings.chat_processes else None
    gate = Gate(None, policy, deadline=settings.chat_deadline, apart=apart, on_failure=metrics.chat_failed)
    rollout = Rollout(gate, Releases(settings.data_dir, settings.models_dir), metrics)
    if apart is not None:
        apart.on_compared = rollout.compared
    rollout.choose()
    return _Chat(gate, rollout, apart)


def _screening(settings: Settings, policy: ChatPolicy) -> ScreeningProcesses:
    return ScreeningProcesses(
        settings.chat_processes,
        policy,
        data_dir=settings.data_dir,
        models_dir=settings.models_dir,
        log_level=settings.log_level,
        log_json=settings.log_json,
    )


def _limits(settings: Settings) -> Limits:
    """Where the server is at its limit."""
    return Limits(
        loop=settings.overload_loop,
        processor=settings.overload_processor,
        late=settings.overload_late,
        deadline=settings.inference_deadline,
        records=settings.store_queue,
        analysers=settings.analysers,
        seconds=settings.overload_seconds,
    )


def _processes(chat: _Chat, analysis: Analysis) -> dict[str, Pids]:
    """Processes beside the server's own, by kind."""
    apart, workers = chat.apart, analysis.workers
    screening: dict[str, Pids] = {} if apart is None else {"screening": lambda: apart.pids}
    return screening if workers is None else {**screening, "media": lambda: workers.pids}


def database_url(settings: Settings) -> str:
    """Where the database is."""
    return settings.database_url or f"sqlite:///{settings.data_dir.absolute() / DATABASE_FILE}"


def _house(settings: Settings, metrics: Metrics) -> House:
    """What decides how much a lesson may be analysed here."""
    table = table_in_force(settings.policy_table, today=_today())
    metrics.policy_expires_in(lambda: table.days_left(_today()))
    return House(table, settings.provider_place, Deployment(settings.impact_assessment, settings.server_place))


def _today() -> date:
    return datetime.now(UTC).date()


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadSetting(f"data_dir: expected a folder or a place for one, got: {error.strerror}") from None
