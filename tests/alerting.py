"""For each alert, series that make it fire at a time and series that do not, as promtool writes them (``a+bxn``)."""

from __future__ import annotations

from dataclasses import dataclass, field

UP = 'up{job="lessonroom",instance="a"}'
BUILT = 'lessonroom_build_info{instance="a",version="1"}'


@dataclass(frozen=True)
class Case:
    """``when``: minutes after which it must have fired, and must not have fired on the quiet series."""

    when: int
    fires: dict[str, str]
    quiet: dict[str, str] = field(default_factory=dict)


def old(name: str, seconds: str, count: str = "0+10x60") -> dict[str, str]:
    """A histogram of which all observations lie below a bound and half a bound below that none does."""
    bounds = {"0.1": "0x60", seconds: count, "+Inf": count}
    return {f'{name}_bucket{{instance="a",le="{bound}"}}': values for bound, values in bounds.items()}


CASES = {
    "LessonroomDown": Case(5, {UP: "1 1 0x60"}, {UP: "1 0 1x60"}),
    "LessonroomOverloaded": Case(
        5,
        {'lessonroom_overloaded{instance="a",part="store"}': "1x60"},
        {'lessonroom_overloaded{instance="a",part="store"}': "0 1 0x60"},
    ),
    "LessonroomNearLimit": Case(
        20,
        {'lessonroom_load_ratio{instance="a",part="processor"}': "0.9x60"},
        {
            'lessonroom_load_ratio{instance="a",part="processor"}': "0.8x60",
            'lessonroom_load_ratio{instance="a",part="gpu"}': "1x60",
        },
    ),
    "LessonroomStoreFails": Case(
        5,
        {'lessonroom_store_failures_total{instance="a"}': "0+1x60"},
        {'lessonroom_store_failures_total{instance="a"}': "5x60"},
    ),
    "LessonroomRestarts": Case(
        25,
        {'process_start_time_seconds{job="lessonroom",instance="a"}': "0+60x60"},
        {'process_start_time_seconds{job="lessonroom",instance="a"}': "1 1 1 5x60"},
    ),
    "LessonroomNoVision": Case(
        10,
        {BUILT: "1x60", 'lessonroom_inference_provider_info{instance="b",provider="CPU"}': "1x60"},
        {BUILT: "1x60", 'lessonroom_inference_provider_info{instance="a",provider="CPU"}': "1x60"},
    ),
    "LessonroomVisionFails": Case(
        5,
        {'lessonroom_inference_failures_total{instance="a",kind="down"}': "0+1x60"},
        {'lessonroom_inference_failures_total{instance="a",kind="late"}': "0+1x60"},
    ),
    "LessonroomInferenceServerDown": Case(
        15,
        {'lessonroom_inference_server_trials_total{instance="a",outcome="failed"}': "0+2x60"},
        {
            'lessonroom_inference_server_trials_total{instance="a",outcome="failed"}': "0 1 2 2x60",
            'lessonroom_inference_server_trials_total{instance="a",outcome="passed"}': "0+1x60",
        },
    ),
    "LessonroomLooksLate": Case(
        15,
        {
            'lessonroom_inference_failures_total{instance="a",kind="late"}': "0+10x60",
            'lessonroom_samples_total{instance="a"}': "0+100x60",
        },
        {
            'lessonroom_inference_failures_total{instance="a",kind="late"}': "0+1x60",
            'lessonroom_samples_total{instance="a"}': "0+100x60",
        },
    ),
    "LessonroomObservationsOld": Case(
        20,
        old("lessonroom_observation_age_seconds", "2.0"),
        old("lessonroom_observation_age_seconds", "0.3"),
    ),
    "LessonroomHintsLate": Case(
        30,
        old("lessonroom_hint_delivery_seconds", "2.0"),
        old("lessonroom_hint_delivery_seconds", "0.3"),
    ),
    "LessonroomChatSlow": Case(15, old("lessonroom_chat_seconds", "2.0"), old("lessonroom_chat_seconds", "0.3")),
    "LessonroomChatRulesAlone": Case(
        25,
        {
            'lessonroom_chat_degraded_total{instance="a"}': "0+20x60",
            'lessonroom_chat_verdicts_total{instance="a",action="relay"}': "0+100x60",
        },
        {
            'lessonroom_chat_degraded_total{instance="a"}': "0+1x60",
            'lessonroom_chat_verdicts_total{instance="a",action="relay"}': "0+100x60",
        },
    ),
    "LessonroomReleaseRefused": Case(
        10,
        {'lessonroom_chat_releases_refused_total{instance="a"}': "0 0 1x60"},
        {'lessonroom_chat_releases_refused_total{instance="a"}': "1x60"},
    ),
    "LessonroomReviewWaits": Case(
        70,
        {
            'lessonroom_review_waiting{instance="a",why="held"}': "15x90",
            'lessonroom_review_waiting{instance="a",why="appealed"}': "6x90",
        },
        {'lessonroom_review_waiting{instance="a",why="held"}': "15x90"},
    ),
    "LessonroomPolicyExpires": Case(
        70,
        {'lessonroom_policy_left_seconds{instance="a"}': "2500000-60x90"},
        {'lessonroom_policy_left_seconds{instance="a"}': "2700000-60x90"},
    ),
    "LessonroomMediaWorkersLost": Case(
        20,
        {'lessonroom_media_workers_ended_total{instance="a",reason="gone"}': "0+1x60"},
        {'lessonroom_media_workers_ended_total{instance="a",reason="gone"}': "0 1x60"},
    ),
    "LessonroomProcessMissing": Case(
        5,
        {'lessonroom_processes{instance="a",kind="screening"}': "0x60"},
        {'lessonroom_processes{instance="a",kind="screening"}': "1 0 1x60"},
    ),
    "LessonroomGpuHot": Case(
        10,
        {'lessonroom_gpu_temperature_celsius{instance="a",gpu="0"}': "90x60"},
        {'lessonroom_gpu_temperature_celsius{instance="a",gpu="0"}': "80 90 80x60"},
    ),
    "LessonroomGpuGone": Case(
        20,
        {'lessonroom_gpu_memory_bytes{instance="a",gpu="0"}': "80x5 _x60"},
        {'lessonroom_gpu_memory_bytes{instance="a",gpu="0"}': "80x60"},
    ),
    "LessonroomDescriptors": Case(
        10,
        {
            'process_open_fds{job="lessonroom",instance="a"}': "900x60",
            'process_max_fds{job="lessonroom",instance="a"}': "1024x60",
        },
        {
            'process_open_fds{job="lessonroom",instance="a"}': "700x60",
            'process_max_fds{job="lessonroom",instance="a"}': "1024x60",
        },
    ),
}
