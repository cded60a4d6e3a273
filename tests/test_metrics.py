"""Series: their names, units and labels, and that a GPU is shown where there is one."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from functools import partial
from types import SimpleNamespace
from typing import Any

import pynvml
import pytest
from prometheus_client import CollectorRegistry, Counter

from lessonroom import __version__
from lessonroom.gpu import NONE, Gpus, Reading
from lessonroom.media.meter import Meter
from lessonroom.metrics import Children, Metrics


def test_it_is_the_meter_of_the_media_line() -> None:
    meter: Meter = Metrics()
    meter.inference_queue(+1)
    meter.inference_failed("late")


def test_the_series_that_others_rely_on_are_there() -> None:
    metrics = Metrics()
    metrics.sample_taken()
    metrics.hint_made("stuck_button")
    metrics.chat_judged("block", degraded=True)
    metrics.inference_observed("look", 0.02)
    metrics.machine.gpus_read([Reading(0, "A GPU", 0.5, 2**30, 2**32, 61.0, 187.5)])
    metrics.provider_chosen("CPU")
    text = metrics.render().decode()
    for line in (
        "lessonroom_samples_total 1.0",
        'lessonroom_hints_total{kind="stuck_button"} 1.0',
        'lessonroom_chat_verdicts_total{action="block"} 1.0',
        "lessonroom_rooms 0.0",
        'lessonroom_inference_seconds_count{stage="look"} 1.0',
        'lessonroom_gpu_utilization_ratio{gpu="0"} 0.5',
        'lessonroom_gpu_temperature_celsius{gpu="0"} 61.0',
        'lessonroom_gpu_power_watts{gpu="0"} 187.5',
        'lessonroom_inference_provider_info{provider="CPU"} 1.0',
    ):
        assert line in text


def test_every_series_is_ours_or_the_process_own_and_times_are_in_seconds() -> None:
    text = Metrics().render().decode()
    names = re.findall(r"^# TYPE (\w+) (\w+)$", text, re.MULTILINE)
    assert all(name.startswith(("lessonroom_", "process_")) for name, _ in names)
    assert all(name.endswith("_seconds") for name, kind in names if kind == "histogram")


def test_what_runs_is_told() -> None:
    assert f'version="{__version__}"' in re.findall(r"lessonroom_build_info{(.*)} 1.0", Metrics().render().decode())[0]


def test_each_stage_of_a_message_is_timed_and_the_message_keeps_none_for_itself() -> None:
    metrics = Metrics()
    way = metrics.way(time.time() - 0.25)
    for stage in ("screen", "store", "acknowledge"):
        way.passed(stage)
    way.ended("relayed")
    seconds = {
        sample.labels["stage"]: sample.value
        for family in metrics.registry.collect()
        for sample in family.samples
        if sample.name == "lessonroom_chat_stage_seconds_sum"
    }
    assert seconds.keys() == {"wait", "screen", "store", "acknowledge"}
    assert seconds["wait"] >= 0.25
    assert sum(seconds.values()) < 0.25 + 5.0


def test_the_child_of_a_label_is_looked_up_once() -> None:
    """On the way of a message, `labels()` would be a fifth of what its figures cost."""
    series = Counter("a", "a", ["b"], registry=CollectorRegistry())
    children = Children(series)
    children["x"].inc()
    assert children["x"] is children["x"] is series.labels("x")
    assert list(children) == ["x"]


def test_two_applications_in_one_process_do_not_mix() -> None:
    one, other = Metrics(), Metrics()
    one.sample_taken()
    assert b"lessonroom_samples_total 0.0" in other.render()


def test_a_machine_without_a_driver_says_so_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> None:
        raise pynvml.NVMLError_LibraryNotFound

    monkeypatch.setattr(pynvml, "nvmlInit", missing)
    gpus = Gpus()
    assert (gpus.note, gpus.read()) == (NONE, [])
    assert gpus.reason.startswith("NVML: ")
    gpus.close()


class Driver:
    """Two cards. ``broken``: of each card, what cannot be asked; ``whole``: what fails of the library itself.

    ``silent``: what these cards do not tell, by the name of NVML's function.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch, broken: dict[int, str], whole: str = "") -> None:
        self.broken, self.whole, self.closed = broken, whole, 0
        self.silent: set[str] = set()
        for name in ("nvmlInit", "nvmlDeviceGetCount", "nvmlShutdown"):
            monkeypatch.setattr(pynvml, name, partial(self.library, name))
        monkeypatch.setattr(pynvml, "nvmlDeviceGetHandleByIndex", self.handle)
        answers = {
            "nvmlDeviceGetName": lambda card: f"card {card}",
            "nvmlDeviceGetMemoryInfo": lambda card: SimpleNamespace(used=3 * 2**30, total=80 * 2**30),
            "nvmlDeviceGetUtilizationRates": lambda card: SimpleNamespace(gpu=40 + card, memory=7),
            "nvmlDeviceGetTemperature": lambda card, sensor: {pynvml.NVML_TEMPERATURE_GPU: 61}[sensor],
            "nvmlDeviceGetPowerUsage": lambda card: 187_500,
        }
        for name, answer in answers.items():
            monkeypatch.setattr(pynvml, name, partial(self.tell, name, answer))

    def library(self, name: str) -> int:
        if name == self.whole:
            raise pynvml.NVMLError(pynvml.NVML_ERROR_LIB_RM_VERSION_MISMATCH)
        self.closed += name == "nvmlShutdown"
        return 2

    def handle(self, index: int) -> int:
        if self.broken.get(index) == "handle":
            raise pynvml.NVMLError(pynvml.NVML_ERROR_NO_PERMISSION)
        return index

    def tell(self, name: str, answer: Callable[..., Any], card: int, *more: int) -> Any:
        if name in self.silent:
            raise pynvml.NVMLError(pynvml.NVML_ERROR_NOT_SUPPORTED)
        if self.broken.get(card) == "reading" and name != "nvmlDeviceGetName":
            raise pynvml.NVMLError(pynvml.NVML_ERROR_GPU_IS_LOST)
        return answer(card, *more)


def test_each_card_is_read_with_its_power_and_in_our_units(monkeypatch: pytest.MonkeyPatch) -> None:
    """NVML speaks of per cent and milliwatts."""
    Driver(monkeypatch, {})
    gpus = Gpus()
    assert gpus.note == "card 0, card 1"
    first, second = gpus.read()
    assert first == Reading(0, "card 0", 0.4, 3 * 2**30, 80 * 2**30, 61.0, 187.5)
    assert second.utilization == 0.41
    gpus.close()


def test_what_a_card_does_not_tell_is_left_out_and_the_rest_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A card shared out in slices (MIG) tells no utilization; some laptops' cards no power."""
    driver = Driver(monkeypatch, {})
    driver.silent = {"nvmlDeviceGetUtilizationRates", "nvmlDeviceGetPowerUsage"}
    gpus, metrics = Gpus(), Metrics()
    first, _ = gpus.read()
    assert (first.utilization, first.temperature, first.power) == (None, 61.0, None)
    metrics.machine.gpus_read([first])
    text = metrics.render().decode()
    assert 'lessonroom_gpu_temperature_celsius{gpu="0"} 61.0' in text
    assert "lessonroom_gpu_power_watts{" not in text
    assert "lessonroom_gpu_utilization_ratio{" not in text


def test_a_card_that_is_gone_leaves_no_figure_behind() -> None:
    metrics = Metrics()
    metrics.machine.gpus_read([Reading(index, "A GPU", 0.5, 1, 2, 61.0, 10.0) for index in (0, 1)])
    metrics.machine.gpus_read([Reading(1, "A GPU", 0.5, 1, 2, 61.0, 10.0)])
    text = metrics.render().decode()
    assert 'lessonroom_gpu_power_watts{gpu="1"}' in text
    assert 'gpu="0"' not in text


@pytest.mark.parametrize("what", ["handle", "reading"])
def test_a_card_that_does_not_answer_does_not_hide_the_others(monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    driver = Driver(monkeypatch, {0: what})
    gpus = Gpus()
    assert [(reading.index, reading.name) for reading in gpus.read()] == [(1, "card 1")]
    assert re.fullmatch(r"GPU 0 that cannot be read \(NVML: .*\), card 1", gpus.note)
    gpus.close()
    gpus.close()
    assert driver.closed == 1


def test_a_card_that_comes_back_is_shown_again(monkeypatch: pytest.MonkeyPatch) -> None:
    driver = Driver(monkeypatch, {0: "reading", 1: "reading"})
    gpus = Gpus()
    assert gpus.read() == []
    assert gpus.note.count("cannot be read") == 2
    driver.broken.clear()
    assert len(gpus.read()) == 2
    assert gpus.note == "card 0, card 1"


@pytest.mark.parametrize("whole", ["nvmlInit", "nvmlDeviceGetCount"])
def test_a_driver_that_fails_stops_no_start_and_is_not_called_no_gpu(
    monkeypatch: pytest.MonkeyPatch, whole: str
) -> None:
    Driver(monkeypatch, {}, whole)
    gpus = Gpus()
    assert gpus.read() == []
    assert gpus.note.startswith("a GPU that cannot be read (NVML: ")
    assert gpus.note != NONE
    gpus.close()
