"""Series: their names, units and labels, and that a GPU is shown where there is one."""

from __future__ import annotations

import re

import pytest

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
    import pynvml

    def missing() -> None:
        raise pynvml.NVMLError_LibraryNotFound

    monkeypatch.setattr(pynvml, "nvmlInit", missing)
    gpus = Gpus()
    assert (gpus.note, gpus.read()) == (NONE, [])
    assert gpus.reason.startswith("NVML: ")
    gpus.close()


def test_a_card_that_does_not_answer_does_not_hide_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    import pynvml

    from lessonroom import gpu

    def read(index: int, handle: str) -> Reading:
        if handle == "lost":
            raise pynvml.NVMLError(pynvml.NVML_ERROR_GPU_IS_LOST)
        return Reading(index, handle, 0.0, 0, 1, 40.0)

    monkeypatch.setattr(gpu, "_read", read)
    gpus = Gpus()
    gpus._handles = ["lost", "well"]
    assert [reading.name for reading in gpus.read()] == ["well"]
    gpus._handles = []
