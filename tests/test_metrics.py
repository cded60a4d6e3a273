"""Series: their names, units and labels, and that a GPU is shown where there is one."""

from __future__ import annotations

import re
from functools import partial

import pynvml
import pytest

from lessonroom import gpu
from lessonroom.gpu import NONE, Gpus, Reading
from lessonroom.media.meter import Meter
from lessonroom.metrics import Metrics


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
    metrics.gpus_read([Reading(0, "A GPU", 0.5, 2**30, 2**32, 61.0)])
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
        'lessonroom_inference_provider_info{provider="CPU"} 1.0',
    ):
        assert line in text


def test_every_series_is_ours_or_the_process_own_and_times_are_in_seconds() -> None:
    text = Metrics().render().decode()
    names = re.findall(r"^# TYPE (\w+) (\w+)$", text, re.MULTILINE)
    assert all(name.startswith(("lessonroom_", "process_")) for name, _ in names)
    assert all(name.endswith("_seconds") for name, kind in names if kind == "histogram")


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
    """Two cards. ``broken``: of each card, what cannot be asked; ``whole``: what fails of the library itself."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, broken: dict[int, str], whole: str = "") -> None:
        self.broken, self.whole, self.closed = broken, whole, 0
        for name in ("nvmlInit", "nvmlDeviceGetCount", "nvmlShutdown"):
            monkeypatch.setattr(pynvml, name, partial(self.library, name))
        monkeypatch.setattr(pynvml, "nvmlDeviceGetHandleByIndex", self.handle)
        monkeypatch.setattr(pynvml, "nvmlDeviceGetName", lambda card: f"card {card}")
        monkeypatch.setattr(gpu, "_read", self.read)

    def library(self, name: str) -> int:
        if name == self.whole:
            raise pynvml.NVMLError(pynvml.NVML_ERROR_LIB_RM_VERSION_MISMATCH)
        self.closed += name == "nvmlShutdown"
        return 2

    def handle(self, index: int) -> int:
        if self.broken.get(index) == "handle":
            raise pynvml.NVMLError(pynvml.NVML_ERROR_NO_PERMISSION)
        return index

    def read(self, index: int, handle: int) -> Reading:
        if self.broken.get(index) == "reading":
            raise pynvml.NVMLError(pynvml.NVML_ERROR_GPU_IS_LOST)
        return Reading(index, f"card {index}", 0.0, 0, 1, 40.0)


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
