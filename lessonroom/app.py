"""The composition root: the one place where engines, store, rooms and HTTP meet."""

from __future__ import annotations

import contextlib
import os
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import cast

from av.video.frame import VideoFrame
from fastapi import FastAPI

from lessonroom import __version__, auth, logs
from lessonroom.chat.gate import Gate
from lessonroom.chat.policy import ChatPolicy
from lessonroom.chat.releases import Releases
from lessonroom.chat.rollout import Rollout
from lessonroom.config import Settings
from lessonroom.errors import BadSetting, ModelRefused
from lessonroom.gpu import Gpus
from lessonroom.media.frames import Frames
from lessonroom.media.hints import HintState
from lessonroom.media.onnx_engine import OnnxEngine
from lessonroom.media.pipeline import Watch
from lessonroom.media.types import Hint, Strain
from lessonroom.media.vision import MODELS, Vision, see
from lessonroom.metrics import Metrics
from lessonroom.policy import Deployment
from lessonroom.policy_file import table_in_force
from lessonroom.rooms.ceiling import House
from lessonroom.rooms.hub import Hub
from lessonroom.rooms.live import Analyser, MakeWatch
from lessonroom.rooms.review import Review
from lessonroom.server import http
from lessonroom.server.admission import Admission
from lessonroom.server.figures import Figures
from lessonroom.server.limits import per_minute
from lessonroom.server.refusals import Refusals
from lessonroom.server.services import Services
from lessonroom.storage.sql import SqlStore, open_store
from lessonroom.sweeper import Sweeper, lives_of

log = logs.get(__name__)

KEY_FILE = "signing.key"
DATABASE_FILE = "lessonroom.sqlite3"


class App:
    """One Lessonroom. ``asgi`` can be served or mounted; whoever mounts it calls :meth:`start` and :meth:`stop`."""

    def __init__(
        self, settings: Settings, services: Services, eyes: _Eyes | None, store: SqlStore, rollout: Rollout
    ) -> None:
        self.settings = settings
        self.services = services
        self.asgi: FastAPI = http.application(services, start=self.start, stop=self.stop)
        self._eyes = eyes
        self._store = store
        self._rollout = rollout
        self._sweeper = Sweeper(store, lives_of(settings))
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
        self._rollout.start()
        self._sweeper.start()
        log.info("started", version=__version__, provider=self.services.figures.provider or "off")

    async def stop(self) -> None:
        """Send everybody out, finish what was accepted, close the database; again changes nothing."""
        if not self._running:
            return
        self._running = False
        await self.hub.stop()
        await self._rollout.stop()
        await self._sweeper.stop()
        await self.services.figures.stop()
        await self.services.refusals.finish()
        if self._eyes is not None:
            self._eyes.vision.close()
            self._eyes.engine.close()
        await self._store.close()
        log.info("stopped")


@dataclass(frozen=True, slots=True)
class _Eyes:
    engine: OnnxEngine
    vision: Vision


def build(settings: Settings) -> App:
    """Put everything together; nothing runs yet. Raises BadSetting."""
    _make_folder(settings.data_dir)
    metrics = Metrics()
    store = open_store(
        database_url(settings),
        deadline=settings.database_deadline,
        queue=settings.store_queue,
    )
    eyes, why = _eyes(settings, metrics)
    gate = Gate(None, ChatPolicy.of(settings), deadline=settings.chat_deadline, on_failure=metrics.chat_failed)
    rollout = Rollout(gate, Releases(settings.data_dir, settings.models_dir), metrics)
    rollout.choose()
    hub = Hub(store, gate, _watches(eyes, settings, metrics), settings, metrics, house=_house(settings, metrics))
    review = Review(store, hub, metrics, shadow=rollout.shadow)
    figures = Figures(
        metrics,
        hub,
        Gpus(),
        review,
        provider=eyes.engine.provider if eyes else "",
        reason=why,
        deadline=settings.inference_deadline,
    )
    admission = Admission(store, settings, signing_key(settings.data_dir / KEY_FILE))
    refusals = Refusals(store, metrics, settings.refusals_per_minute)
    tickets = per_minute(settings.tickets_per_minute)
    services = Services(settings, store, hub, admission, metrics, figures, review, refusals, tickets)
    return App(settings, services, eyes, store, rollout)


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


def signing_key(path: Path) -> bytes:
    """The key that signs tickets; made on the first start, readable by its owner alone.

    It appears whole or not at all: whoever is killed on the way leaves no half of a key, and of two who start at once
    both go on with the same one. Raises BadSetting.
    """
    try:
        if not path.exists():
            _put_key(path)
        key = path.read_bytes()
    except OSError as error:
        raise BadSetting(f"data_dir: expected to write and read {path.name} there, got: {error.strerror}") from None
    if len(key) < auth.LEAST_SECRET:
        raise BadSetting(
            f"data_dir: expected {auth.LEAST_SECRET} bytes in {path.name}, got {len(key)}; "
            "remove the file, and the next start makes a new one"
        )
    return key


def _put_key(path: Path) -> None:
    """Write a new key beside the place and link it there, unless somebody was quicker."""
    beside = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(secrets.token_bytes(auth.LEAST_SECRET))
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(beside, path)
    finally:
        beside.unlink()


def _eyes(settings: Settings, metrics: Metrics) -> tuple[_Eyes | None, str]:
    """What looks at samples, and why there; None when the models cannot be used: lessons go on without."""
    try:
        engine = OnnxEngine(
            MODELS,
            models_dir=settings.models_dir,
            threads=settings.inference_threads,
            providers=settings.inference_providers,
        )
        try:
            vision = see(engine, settings, meter=metrics)
        except ModelRefused:  # of the strain head: nobody else knows of the engine
            engine.close()
            raise
    except ModelRefused as error:
        log.error("no analysis: a model was refused", reason=str(error))
        return None, str(error)
    metrics.provider_chosen(engine.provider)
    log.info("inference", provider=engine.provider, reason=engine.reason)
    return _Eyes(engine, vision), engine.reason


def _watches(eyes: _Eyes | None, settings: Settings, metrics: Metrics) -> MakeWatch | None:
    if eyes is None:
        return None
    vision = eyes.vision

    def make(
        analyser: Analyser,
        hints: HintState | None,
        on_strain: Callable[[Strain], None],
        on_hint: Callable[[Hint], None],
    ) -> Watch:
        return Watch(
            cast("Frames[VideoFrame]", analyser.frames),
            vision,
            time.monotonic,
            settings,
            on_strain=on_strain,
            on_hint=on_hint,
            meter=metrics,
            hints=hints,
        )

    return make
