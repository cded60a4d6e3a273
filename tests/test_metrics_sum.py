"""The figures of several processes in one."""

from __future__ import annotations

import json

import pytest

from lessonroom.metrics import Metrics
from lessonroom.metrics_sum import GAUGES, Growth, Sum


def of(metrics: Metrics, name: str) -> dict[str, float]:
    lines = [line.rpartition(" ") for line in metrics.render().decode().splitlines() if line.startswith(name)]
    return {left: float(value) for left, _, value in lines}


def tell(worker: Growth, server: Sum) -> int:
    """Bring over what has grown, and say how much that was."""
    changes = json.loads(json.dumps(worker.next()))
    server.add(changes)
    return len(changes)


def test_counters_and_histograms_grow_in_the_server_by_what_they_grew_in_a_worker() -> None:
    server, workers = Metrics(), [Metrics(), Metrics()]
    links = [(Growth(one), Sum(server)) for one in workers]
    for one in (server, *workers):
        one.sample_taken()
        one.sample_unseen("no_face")
        one.inference_observed("look", 0.02)
        one.observation_age(0.3)
    for link in links:
        tell(*link)
    workers[0].inference_observed("look", 4.0)
    workers[0].inference_observed("look", 40.0)
    for link in links:
        tell(*link)
    assert of(server, "lessonroom_samples_total") == {"lessonroom_samples_total": 3}
    assert of(server, "lessonroom_samples_unseen_total") == {'lessonroom_samples_unseen_total{reason="no_face"}': 3}
    whole = Metrics()
    for seconds in (0.02, 0.02, 0.02, 4.0, 40.0):
        whole.inference_observed("look", seconds)
    for part in ("bucket", "count", "sum"):
        name = f"lessonroom_inference_seconds_{part}"
        assert of(server, name) == pytest.approx(of(whole, name))


def test_only_what_changed_is_told() -> None:
    worker = Metrics()
    link = Growth(worker), Sum(Metrics())
    assert tell(*link) == 0
    worker.sample_taken()
    assert [tell(*link), tell(*link)] == [1, 0]


def test_what_waits_in_a_worker_goes_with_it_and_what_it_counted_stays() -> None:
    server, worker = Metrics(), Metrics()
    server.inference_queue(+1)
    growth, held = Growth(worker), Sum(server)
    worker.inference_queue(+1)
    worker.inference_queue(+1)
    worker.sample_taken()
    tell(growth, held)
    assert of(server, "lessonroom_inference_queue ") == {"lessonroom_inference_queue": 3}
    worker.inference_queue(-1)
    tell(growth, held)
    assert of(server, "lessonroom_inference_queue ") == {"lessonroom_inference_queue": 2}
    held.gone()
    held.gone()
    assert of(server, "lessonroom_inference_queue ") == {"lessonroom_inference_queue": 1}
    assert of(server, "lessonroom_samples_total") == {"lessonroom_samples_total": 1}


def test_a_series_of_another_version_is_left_out() -> None:
    Sum(Metrics()).add([["lessonroom_of_tomorrow", [], [1.0]]])


def test_the_gauges_that_are_added_up_exist() -> None:
    metrics = Metrics().render().decode()
    assert all(f"# TYPE {name} gauge" in metrics for name in GAUGES)
