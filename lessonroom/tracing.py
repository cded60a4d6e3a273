"""Traces, where somebody wants them: one span for each look at a sample and for each stage of a message's way.

Off unless ``trace_url`` names a place that takes OTLP over HTTP; then :func:`tracer_of` needs the extra ``otel``. A
span has a name, times and one word, how it ended: no room, no member, no text, no address. Spans are made when all is
over, of times that the metrics have taken anyway, so that a server without traces does nothing for them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final, Protocol

from lessonroom import __version__
from lessonroom.errors import BadSetting

if TYPE_CHECKING:
    from opentelemetry.sdk.trace.export import SpanExporter

OUTCOME: Final = "lessonroom.outcome"
NANO: Final = 1_000_000_000
SEND_SECONDS: Final = 2.0
"""Longest wait for a collector; it must not hold up a server that stops."""


class Tracer(Protocol):
    """Who is told of what is over."""

    def look(self, seconds: float, outcome: str) -> None:
        """A sample's look has just ended, so long after its capture; ``outcome``: ``seen``, or why there is none."""
        ...

    def message(self, at: float, stages: Sequence[tuple[str, float]], outcome: str) -> None:
        """A message's way has ended. ``at``: when it was read; ``stages``: names and seconds, one after the other."""
        ...

    def close(self) -> None:
        """Send what waits, and no more. May take seconds."""
        ...


class Way:
    """A message on its way. ``passed`` hears of each stage and its seconds; ``at``: when the message was read."""

    __slots__ = ("_at", "_passed", "_since", "_stages", "_tracer")

    def __init__(self, passed: Callable[[str, float], None], tracer: Tracer | None, at: float) -> None:
        self._passed = passed
        self._tracer = tracer
        self._at = at
        self._stages: list[tuple[str, float]] = []
        self._since = time.perf_counter()
        self._tell("wait", max(0.0, time.time() - at))

    def passed(self, stage: str) -> None:
        """This stage ends now, and the next begins."""
        now = time.perf_counter()
        self._tell(stage, now - self._since)
        self._since = now

    def ended(self, outcome: str) -> None:
        """It is over; ``outcome``: a state of a message, or why it was not stored."""
        if self._tracer is not None:
            self._tracer.message(self._at, self._stages, outcome)

    def _tell(self, stage: str, seconds: float) -> None:
        self._passed(stage, seconds)
        if self._tracer is not None:
            self._stages.append((stage, seconds))


class Spans:
    """A :class:`Tracer` that makes OpenTelemetry spans. ``share`` of the looks and messages, 0 to 1, is told."""

    def __init__(self, exporter: SpanExporter, share: float) -> None:
        """Raises ImportError without the extra ``otel``."""
        from opentelemetry.sdk.resources import Resource  # noqa: PLC0415  an optional extra
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415
        from opentelemetry.sdk.trace.sampling import TraceIdRatioBased  # noqa: PLC0415
        from opentelemetry.trace import set_span_in_context  # noqa: PLC0415

        about = {"service.name": "lessonroom", "service.version": __version__}
        # not Resource.create(): that would look into the environment
        self._provider = TracerProvider(
            sampler=TraceIdRatioBased(share), resource=Resource(about), shutdown_on_exit=False
        )
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer("lessonroom", __version__)
        self._inside = set_span_in_context

    def look(self, seconds: float, outcome: str) -> None:
        """See Tracer."""
        now = time.time_ns()
        span = self._tracer.start_span("look", start_time=now - round(seconds * NANO), attributes={OUTCOME: outcome})
        span.end(now)

    def message(self, at: float, stages: Sequence[tuple[str, float]], outcome: str) -> None:
        """See Tracer."""
        began = end = round(at * NANO)
        whole = self._tracer.start_span("message", start_time=began, attributes={OUTCOME: outcome})
        inside = self._inside(whole)
        for stage, seconds in stages:
            start, end = end, end + round(seconds * NANO)
            self._tracer.start_span(stage, context=inside, start_time=start).end(end)
        whole.end(end)

    def close(self) -> None:
        """See Tracer."""
        self._provider.shutdown()


def spans_to(url: str, share: float) -> Spans | None:
    """Traces to this OTLP address, such as ``http://collector:4318/v1/traces``; None for an empty one.

    Raises BadSetting where the extra is not installed.
    """
    if not url:
        return None
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415

        return Spans(OTLPSpanExporter(endpoint=url, timeout=SEND_SECONDS), share)
    except ImportError:
        raise BadSetting(
            "trace_url: expected the extra otel for traces (pip install 'lessonroom[otel]'), got none"
        ) from None
