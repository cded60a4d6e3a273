"""Every Prometheus series and its small verbs. Labels are closed lists of words, never anything about a person.

``docs/operations.md`` has a row for each series, and a test compares the two. A verb on the way of a message or of a
sample costs about a microsecond: the child of a label is looked up once and kept.

One :class:`Metrics` per process, made by the composition root; it is the media line's
:class:`~lessonroom.media.meter.Meter`. Rates and percentiles for the operations page are made of these same series in
:mod:`lessonroom.server.figures`.
"""

from __future__ import annotations

import platform
from collections.abc import Callable
from typing import Final, Generic, TypeVar

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from lessonroom import __version__
from lessonroom.metrics_machine import MachineSeries
from lessonroom.tracing import Tracer, Way

CONTENT_TYPE: Final = CONTENT_TYPE_LATEST

SECONDS: Final = tuple(round(0.001 * 1.5**step, 5) for step in range(22))
"""Upper bounds of all time histograms: 1 ms to 5 s, each half as much again as the one before."""


DAY: Final = 86_400.0
T = TypeVar("T", Counter, Gauge, Histogram)


class Children(dict[str, T], Generic[T]):
    """The children of a series with one label, each made when it is first asked for."""

    def __init__(self, series: T) -> None:
        super().__init__()
        self._series: T = series

    def __missing__(self, label: str) -> T:
        child = self[label] = self._series.labels(label)
        return child


class Metrics:
    """All series of one process, in a registry of its own so that two applications in one process do not mix."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.tracer: Tracer | None = None
        """Who is told of each look and each message, where the settings name a place for traces."""
        ProcessCollector(registry=self.registry)
        self._rooms_and_sockets()
        self._media()
        self._chat()
        self.machine = MachineSeries(self.registry)
        built = self._gauge("build_info", "What runs; always 1.", "version", "python")
        built.labels(__version__, platform.python_version()).set(1)

    def render(self) -> bytes:
        """Prometheus text."""
        return generate_latest(self.registry)

    # --- series ------------------------------------------------------------------------------------------------------

    def _rooms_and_sockets(self) -> None:
        self.rooms = self._gauge("rooms", "Rooms with somebody in them.")
        self.sockets = self._gauge("sockets", "Open sockets of rooms.")
        self._closed = self._counter("sockets_closed", "Sockets closed by the server.", "code")
        self._refused = self._counter("tickets_refused", "Tickets, codes and sessions that were refused.")
        self.store_failures = self._counter("store_failures", "Records that the store did not take or give.")
        self._hints = self._counter("hints", "Hints that were made for teachers.", "kind")
        self._answers = self._counter("hint_answers", "Answers of teachers to hints.", "answer")
        self.hint_delivery = self._histogram(
            "hint_delivery_seconds", "From the making of a hint to the teacher's socket."
        )
        self._policy_left = self._gauge(
            "policy_left_seconds", "Time until the first row of the policy table expires; below 0 afterwards."
        )

    def _media(self) -> None:
        self.analysers = self._gauge("analysers", "Analysers that run.")
        self._ended = self._counter("analysers_ended", "Analysers that ended.", "reason")
        self._workers_ended = self._counter("media_workers_ended", "Media workers that were lost.", "reason")
        self.samples = self._counter("samples", "Frames that were chosen for analysis.")
        self._unseen = Children(self._counter("samples_unseen", "Samples that showed nothing that counts.", "reason"))
        self.dropped = self._counter("frames_dropped", "Frames overwritten by newer ones before anybody looked.")
        self.lost = self._counter("media_lost", "Broken frames, and packets and frames skipped undecoded.", "kind")
        self.inference = self._histogram("inference_seconds", "Time of one stage of looking at a sample.", "stage")
        self._stage = Children(self.inference)
        self.age = self._histogram("observation_age_seconds", "Time from a frame's capture to its observation.")
        self.queue = self._gauge("inference_queue", "Looks that wait or run.")
        self.inference_failures = self._counter("inference_failures", "Looks without an answer.", "kind")
        self._server_calls = self._counter("inference_server_calls", "Times that a server was asked.", "outcome")
        self._server_call = Children(self._server_calls)
        self.server_seconds = self._histogram(
            "inference_server_seconds", "From the first asking of a server to its answer, retries included."
        )
        self._server_trials = self._counter("inference_server_trials", "Whether to use a server.", "outcome")
        self._provider = self._gauge("inference_provider_info", "Where inference runs; always 1.", "provider")

    def _chat(self) -> None:
        self.verdicts = self._counter("chat_verdicts", "Verdicts on chat messages.", "action")
        self._verdict = Children(self.verdicts)
        self._degraded = self._counter("chat_degraded", "Verdicts that the rules gave alone.")
        self._chat_failures = self._counter("chat_failures", "Failures of the chat model.", "failure")
        self._chat_refused = self._counter("chat_refused", "Chat messages that were not stored.", "code")
        self._chat_model = self._gauge(
            "chat_model_info", "Which release of the model serves; always 1.", "role", "version"
        )
        self._chat_models: dict[str, str] = {}
        self._chat_releases_refused = self._counter("chat_releases_refused", "Releases of the model that cannot serve.")
        self._chat_shadow = self._counter("chat_shadow", "Messages that a candidate was asked about too.", "outcome")
        self.chat_time = self._histogram("chat_seconds", "From reading a message to its acknowledgement.")
        self.chat_stages = self._histogram("chat_stage_seconds", "Time of one stage of a message's way.", "stage")
        self._chat_stage = Children(self.chat_stages)
        self._decisions = self._counter("review_decisions", "What people decided on messages.", "why", "contact")
        self._waiting = self._gauge("review_waiting", "Messages that wait for a person.", "why")

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(f"lessonroom_{name}", text, labels, registry=self.registry)

    def _gauge(self, name: str, text: str, *labels: str) -> Gauge:
        return Gauge(f"lessonroom_{name}", text, labels, registry=self.registry)

    def _histogram(self, name: str, text: str, *labels: str) -> Histogram:
        return Histogram(f"lessonroom_{name}", text, labels, registry=self.registry, buckets=SECONDS)

    # --- verbs: rooms ------------------------------------------------------------------------------------------------

    def socket_closed(self, code: int) -> None:
        """The server closed a socket with a code of the protocol."""
        self._closed.labels(str(code)).inc()

    def ticket_refused(self) -> None:
        """Somebody was not let in."""
        self._refused.inc()

    def store_failed(self) -> None:
        """The store did not do its work."""
        self.store_failures.inc()

    def hint_made(self, kind: str) -> None:
        """A hint for the teacher; ``kind`` is a value of :class:`~lessonroom.media.types.Cue`."""
        self._hints.labels(kind).inc()

    def hint_answered(self, answer: str) -> None:
        """``helpful``, ``not_helpful`` or ``closed``."""
        self._answers.labels(answer).inc()

    def hint_delivered(self, seconds: float) -> None:
        """A hint was given to a socket of the teacher so long after it was made."""
        self.hint_delivery.observe(seconds)

    def analyser_ended(self, reason: str) -> None:
        """``stopped`` by the room, ``moved`` with its worker, or a value of :class:`~lessonroom.media.peer.End`."""
        self._ended.labels(reason).inc()

    def worker_ended(self, reason: str) -> None:
        """A media worker is lost: ``gone`` by itself, ``hung``, or ``unconfirmed`` where it did not confirm a stop."""
        self._workers_ended.labels(reason).inc()

    def policy_expires_in(self, days: Callable[[], float]) -> None:
        """``days`` is asked at each reading of the metrics."""
        self._policy_left.set_function(lambda: days() * DAY)

    # --- verbs: media (lessonroom.media.meter.Meter) -----------------------------------------------------------------

    def sample_taken(self) -> None:
        """One frame was chosen for analysis."""
        self.samples.inc()

    def sample_unseen(self, reason: str) -> None:
        """A sample showed nothing that counts."""
        self._unseen[reason].inc()

    def frames_dropped(self, count: int) -> None:
        """So many frames were overwritten by newer ones."""
        self.dropped.inc(count)

    def media_lost(self, kind: str, count: int) -> None:
        """``broken``: frames that could not be decoded; ``skipped``: packets and frames thrown away before that."""
        self.lost.labels(kind).inc(count)

    def inference_observed(self, stage: str, seconds: float) -> None:
        """One stage of looking took so long."""
        self._stage[stage].observe(seconds)

    def observation_age(self, seconds: float) -> None:
        """Time from the capture of a frame to its observation."""
        self.age.observe(seconds)
        if self.tracer is not None:
            self.tracer.look(seconds, "seen")

    def inference_queue(self, change: int) -> None:
        """One more or one fewer look waits or runs."""
        self.queue.inc(change)

    def inference_failed(self, kind: str) -> None:
        """A look gave no answer."""
        self.inference_failures.labels(kind).inc()
        if self.tracer is not None:
            self.tracer.look(0.0, kind)

    def server_called(self, outcome: str) -> None:
        """An inference server was asked once; ``outcome``: see :class:`~lessonroom.media.meter.Meter`."""
        self._server_call[outcome].inc()

    def server_answered(self, seconds: float) -> None:
        """It answered so long after it was first asked."""
        self.server_seconds.observe(seconds)

    def server_tried(self, passed: bool) -> None:
        """It was tried whether to use it."""
        self._server_trials.labels("passed" if passed else "failed").inc()

    def provider_chosen(self, provider: str) -> None:
        """Where inference runs."""
        self._provider.clear()
        self._provider.labels(provider).set(1)

    # --- verbs: chat -------------------------------------------------------------------------------------------------

    def chat_judged(self, action: str, *, degraded: bool) -> None:
        """A verdict was given."""
        self._verdict[action].inc()
        if degraded:
            self._degraded.inc()

    def chat_failed(self, failure: str) -> None:
        """The chat model failed; ``failure`` is the error's class."""
        self._chat_failures.labels(failure).inc()

    def chat_model_serves(self, role: str, version: str) -> None:
        """A release is ``current`` or ``shadow`` from now on; '' for none."""
        self._chat_models.pop(role, None)
        if version:
            self._chat_models[role] = version
        self._chat_model.clear()
        for known, name in self._chat_models.items():
            self._chat_model.labels(known, name).set(1)

    def chat_release_refused(self) -> None:
        """A release cannot serve; the one before does."""
        self._chat_releases_refused.inc()

    def chat_shadowed(self, outcome: str) -> None:
        """A message was compared; ``outcome`` is one of :data:`lessonroom.chat.shadow.OUTCOMES`."""
        self._chat_shadow.labels(outcome).inc()

    def chat_refused(self, code: str) -> None:
        """A message was not stored."""
        self._chat_refused.labels(code).inc()

    def chat_answered(self, seconds: float) -> None:
        """A message was acknowledged so long after it was read."""
        self.chat_time.observe(seconds)

    def way(self, at: float) -> Way:
        """A message that was read ``at`` this time of the clock on the wall has its turn now."""
        return Way(self.chat_passed, self.tracer, at)

    def chat_passed(self, stage: str, seconds: float) -> None:
        """One stage of a message's way took so long: ``wait`` for its turn, ``screen``, ``store``, ``acknowledge``."""
        self._chat_stage[stage].observe(seconds)

    def review_decided(self, why: str, *, contact: bool) -> None:
        """A person has decided; ``why`` is a value of :class:`~lessonroom.storage.review.Why`."""
        self._decisions.labels(why, "yes" if contact else "no").inc()

    def review_waits(self, why: str, count: int) -> None:
        """So many messages wait for that reason."""
        self._waiting.labels(why).set(count)
