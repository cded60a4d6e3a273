"""Traces: what a span says, what it never says, and that a server without them makes none."""

from __future__ import annotations

import sys
import threading
import time
import tracemalloc
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from lessonroom import metrics as metrics_module
from lessonroom import tracing
from lessonroom.app import build
from lessonroom.config import Settings
from lessonroom.errors import BadSetting
from lessonroom.metrics import Metrics
from lessonroom.tracing import OUTCOME, Spans, Way, spans_to

memory = pytest.importorskip(
    "opentelemetry.sdk.trace.export.in_memory_span_exporter", reason="the extra otel is not installed"
)


@pytest.fixture
def exporter() -> object:
    return memory.InMemorySpanExporter()


def test_a_message_is_one_trace_with_a_span_for_each_stage(exporter: memory.InMemorySpanExporter) -> None:
    metrics, at = Metrics(), time.time() - 0.5
    metrics.tracer = Spans(exporter, 1.0)
    way = metrics.way(at)
    for stage in ("screen", "store", "acknowledge"):
        way.passed(stage)
    way.ended("relayed")
    metrics.tracer.close()
    *stages, whole = exporter.get_finished_spans()
    assert [span.name for span in stages] == ["wait", "screen", "store", "acknowledge"]
    assert {span.parent.span_id for span in stages} == {whole.context.span_id}
    assert (whole.name, whole.attributes) == ("message", {OUTCOME: "relayed"})
    assert whole.start_time == pytest.approx(at * 1e9, abs=1e6)
    assert [before.end_time for before in stages] == [after.start_time for after in stages[1:]] + [whole.end_time]
    assert stages[0].end_time - stages[0].start_time >= 0.5e9


def test_a_look_is_one_span_from_its_capture_on(exporter: memory.InMemorySpanExporter) -> None:
    metrics = Metrics()
    metrics.tracer = Spans(exporter, 1.0)
    metrics.observation_age(0.2)
    metrics.inference_failed("late")
    metrics.tracer.close()
    seen, late = exporter.get_finished_spans()
    assert (seen.name, seen.attributes) == ("look", {OUTCOME: "seen"})
    assert seen.end_time - seen.start_time == pytest.approx(0.2e9)
    assert late.attributes == {OUTCOME: "late"}


def test_a_span_says_nothing_of_anybody(exporter: memory.InMemorySpanExporter, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor of the machine, its user or its command line, which the library would find by itself."""
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "host.name=secret")
    spans = Spans(exporter, 1.0)
    spans.message(time.time(), [("wait", 0.0)], "held")
    spans.close()
    for span in exporter.get_finished_spans():
        assert span.resource.attributes.keys() == {"service.name", "service.version"}
        assert set(span.attributes or ()) <= {OUTCOME}
        assert not span.events
        assert not span.links


def test_a_share_of_all_is_told_and_a_message_is_whole_or_not_there(exporter: memory.InMemorySpanExporter) -> None:
    spans = Spans(exporter, 0.2)
    for _ in range(500):
        spans.message(time.time(), [("wait", 0.0), ("screen", 0.0)], "relayed")
    spans.close()
    found = exporter.get_finished_spans()
    whole = [span for span in found if span.name == "message"]
    assert 40 < len(whole) < 180
    assert len(found) == 3 * len(whole)


def test_without_traces_a_message_keeps_no_stages() -> None:
    """No cost when off: after a thousand messages nothing is held, and no list has grown."""
    ways = [Metrics().way(time.time())]
    for stage in ("screen", "store", "acknowledge"):
        ways[0].passed(stage)
    assert ways[0]._stages == []
    metrics = Metrics()
    metrics.way(time.time()).ended("relayed")
    tracemalloc.start()
    for _ in range(1000):
        way = Way(metrics.chat_passed, None, time.time())
        way.passed("screen")
        way.ended("relayed")
    kept = tracemalloc.take_snapshot()
    tracemalloc.stop()
    # what threads of other tests keep meanwhile is none of it
    ours = [tracemalloc.Filter(True, path) for path in (__file__, tracing.__file__, metrics_module.__file__)]
    assert sum(stat.size for stat in kept.filter_traces(ours).statistics("filename")) < 20_000


def test_no_address_means_no_traces(tmp_path: Path) -> None:
    assert spans_to("", 1.0) is None
    assert build(Settings(data_dir=tmp_path, models_dir=tmp_path)).services.metrics.tracer is None


def test_an_address_without_the_extra_stops_the_start_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)
    with pytest.raises(BadSetting, match=r"lessonroom\[otel\]"):
        spans_to("http://127.0.0.1:4318/v1/traces", 1.0)


class Collector(HTTPServer):
    """What a collector's door does with OTLP over HTTP: take a body and say that it is well."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Door)
        self.taken: list[tuple[str, bytes]] = []


class Door(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        self.server.taken.append((self.path, self.rfile.read(int(self.headers["content-length"]))))
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *args: object) -> None:
        """Not on the tests' output."""


async def test_a_server_sends_its_traces_to_the_collector_when_it_stops_at_the_latest(tmp_path: Path) -> None:
    collector = Collector()
    thread = threading.Thread(target=collector.serve_forever)
    thread.start()
    try:
        url = f"http://127.0.0.1:{collector.server_port}/v1/traces"
        settings = Settings(data_dir=tmp_path, models_dir=tmp_path, chat_processes=0, trace_url=url, trace_share=1.0)
        app = build(settings)
        await app.start()
        app.services.metrics.way(time.time()).ended("relayed")
        await app.stop()
    finally:
        collector.shutdown()
        thread.join()
        collector.server_close()
    (path, body), *_ = collector.taken
    assert path == "/v1/traces"
    assert b"message" in body
    assert b"lessonroom" in body
