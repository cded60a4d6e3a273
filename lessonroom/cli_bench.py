"""The commands that measure this machine.

They get the settings, and the environment for servers of their own, from :mod:`lessonroom.cli`, which alone reads it.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lessonroom import config, progress
from lessonroom.cli_numbers import Count, Number
from lessonroom.cli_report import EXISTING, Report, compared
from lessonroom.errors import BadInput

if TYPE_CHECKING:
    from lessonroom.bench.talk import Load

ENVIRONMENT = "lessonroom.environment"
"""Where the root command keeps the environment, in its context's ``meta``."""


def _settings() -> config.Settings:
    found: config.Settings = click.get_current_context().find_root().obj()
    return found


def _environment() -> Mapping[str, str]:
    found: Mapping[str, str] = click.get_current_context().meta[ENVIRONMENT]
    return found


@click.group(short_help="Measure this machine, beside a bound of the same run.")
def bench() -> None:
    """Measure this machine: medians, percentiles and ratios to a bound of the same run."""


@bench.command("video")
@click.option("--clip", type=EXISTING, help="A video that shows a face; default: the one that came with the package.")
@click.option("--rounds", type=Count(10), default=300, show_default=True)
@compared
def bench_video(clip: Path | None, rounds: int, report: Report) -> None:
    """One look at one face, stage by stage."""
    report.expect("video", {})
    from lessonroom.bench import video
    from lessonroom.simulate.sources import SHIPPED_CLIP

    with progress.bar("looking") as show:
        figures = video.run(_settings(), clip or SHIPPED_CLIP, rounds=rounds, progress=show)
    report.tell(figures, video.show)


@bench.command("gpu", short_help="The networks on this machine's GPU.")
@click.option("--clip", type=EXISTING, help="A video that shows a face; default: the one that came with the package.")
@click.option("--rounds", type=Count(3), default=50, show_default=True, help="Calls with each batch.")
@compared
def bench_gpu(clip: Path | None, rounds: int, report: Report) -> None:
    """The networks on this machine's GPU: speed by batch, and whether the answers are the CPU's.

    Exit code 3: there is no GPU that can be used.
    """
    report.expect("gpu", {})
    from lessonroom.bench import gpu
    from lessonroom.media.providers import probe
    from lessonroom.simulate.sources import SHIPPED_CLIP

    if why := gpu.missing(probe()):
        click.echo(f"bench gpu: no GPU to measure: {why}", err=True)
        sys.exit(gpu.NO_GPU)
    with progress.bar("inferring") as show:
        figures = gpu.run(_settings(), clip or SHIPPED_CLIP, rounds=rounds, progress=show)
    report.tell(figures, gpu.show)


@bench.command("threads", short_help="How many threads one inference on the CPU is worth.")
@click.option("--clip", type=EXISTING, help="A video that shows a face; default: the one that came with the package.")
@click.option("--rounds", type=Count(3), default=100, show_default=True, help="Calls with each batch.")
@compared
def bench_threads(clip: Path | None, rounds: int, report: Report) -> None:
    """How many threads one inference on the CPU is worth: the setting inference_threads."""
    report.expect("threads", {})
    from lessonroom.bench import threads
    from lessonroom.simulate.sources import SHIPPED_CLIP

    with progress.bar("inferring") as show:
        figures = threads.run(_settings(), clip or SHIPPED_CLIP, rounds=rounds, progress=show)
    report.tell(figures, threads.show)


@bench.command("rooms", short_help="Whole lessons: CPU for each, and how long people wait.")
@click.option("--rooms", type=Count(1), default=8, show_default=True)
@click.option("--seconds", type=Number(5), default=60.0, show_default=True)
@click.option("--samples", type=Number(0.1, 10), default=1.0, show_default=True, help="Per second and lesson.")
@click.option(
    "--every", type=Number(0.1), default=2.0, show_default=True, help="Seconds from a lesson's message to its next."
)
@click.option("--beside", type=Count(1), help="Measure so many lessons first; says what a lesson costs more now.")
@click.option("--workers", type=Count(0, 64), default=0, show_default=True, help="Media processes of the server.")
@click.option("--rate", type=Number(0.1), help="Chat alone: so many messages a second in all rooms together.")
@click.option("--cycles", type=Count(1), help="One camera that comes and goes so often: what stays behind.")
@click.option(
    "--setting", "pairs", metavar="NAME=VALUE", multiple=True, help="A setting of the server, such as inference_server."
)
@click.option("--checkpoints", type=EXISTING, help="With --rate: add the figures so far to this file every minute.")
@compared
def bench_rooms(
    *,
    rooms: int,
    seconds: float,
    samples: float,
    every: float,
    beside: int | None,
    workers: int,
    rate: float | None,
    cycles: int | None,
    pairs: tuple[str, ...],
    checkpoints: Path | None,
    report: Report,
) -> None:
    """Whole lessons on a server of their own: CPU for each, and how long people wait.

    With --rate there is chat and no camera; exit code 1 when a message was lost or doubled, a socket dropped, or memory
    grew. With --cycles there is one lesson, whose camera comes and goes; exit code 1 when something stays behind.
    """
    from lessonroom.bench.choosing import chosen

    _check(rooms, beside, {"--rate": rate, "--cycles": cycles}, workers)
    if pairs and cycles is not None:
        raise BadInput("--setting: expected it without --cycles")
    if rate is not None:
        from lessonroom.bench import talk

        own = chosen(pairs, talk.Load().settings())
        _bench_talk(talk.Load(rooms, rate, seconds, own), checkpoints, report)
        return
    if checkpoints is not None:
        raise BadInput("--checkpoints: expected --rate with it")
    if cycles is not None:
        _bench_cycles(cycles, workers, report)
        return
    from lessonroom.bench import rooms as house
    from lessonroom.bench import rooms_page
    from lessonroom.simulate.sources import SHIPPED_CLIP

    settings = chosen(pairs, {*house.Plan().settings(), "workers"})
    asked = {"rooms": rooms, "samples": samples, "every": every, "workers": workers, "beside": beside}
    report.expect("rooms", asked | _besides(settings))
    with progress.bar("encoding the clip") as show:
        plan = house.Plan(rooms, seconds, samples, workers, show, settings, every)
        figures = house.run(SHIPPED_CLIP, _environment(), plan, beside=beside)
    report.tell(figures, rooms_page.show)


def _besides(settings: Mapping[str, str]) -> dict[str, object]:
    """What else must be the same in a run that is compared; earlier figures have no such word."""
    return {"settings": settings} if settings else {}


def _check(rooms: int, beside: int | None, others: Mapping[str, object], workers: int) -> None:
    """Raises BadInput for options that do not go together."""
    kinds = [name for name, value in others.items() if value is not None]
    if len(kinds) > 1 or (kinds and beside is not None):
        raise BadInput(f"{kinds[-1]}: expected it without {kinds[0] if len(kinds) > 1 else '--beside'}")
    if beside is not None and beside >= rooms:
        raise BadInput(f"--beside: expected fewer lessons than --rooms, got {beside} beside {rooms}")
    if workers and others["--rate"] is not None:
        raise BadInput("--workers: expected it without --rate: chat alone has nothing for media workers")


def _bench_cycles(cycles: int, workers: int, report: Report) -> None:
    report.expect("cycles", {"cycles": cycles, "workers": workers})
    from lessonroom.bench import cycles as coming
    from lessonroom.bench.rooms import Plan
    from lessonroom.simulate.sources import SHIPPED_CLIP

    with progress.bar("encoding the clip") as show:
        figures = coming.run(SHIPPED_CLIP, _environment(), cycles, Plan(rooms=1, workers=workers, progress=show))
    report.tell(figures, coming.show, failed=bool(figures["failed"]))


def _bench_talk(load: Load, checkpoints: Path | None, report: Report) -> None:
    report.expect("talk", {"rooms": load.rooms, "rate": load.rate} | _besides(load.chosen))
    from lessonroom.bench import talk, talk_page

    with progress.bar("starting the server") as show:
        figures = talk.run(_environment(), load, checkpoints=checkpoints, progress=show)
    report.tell(figures, talk_page.show, failed=bool(figures["failed"]))


@bench.command("receive", short_help="Receiving a stream without looking at it.")
@click.option("--seconds", type=Number(2), default=20.0, show_default=True)
@click.option("--samples", type=Number(0.1, 10), default=1.0, show_default=True, help="Per second and stream.")
@compared
def bench_receive(seconds: float, samples: float, report: Report) -> None:
    """Receiving a camera's stream without looking at it: ours, stock aiortc, libav alone."""
    report.expect("receive", {"samples": samples})
    from lessonroom.bench import receive
    from lessonroom.simulate.sources import SHIPPED_CLIP

    with progress.bar("encoding the clip") as show:
        figures = receive.run(SHIPPED_CLIP, seconds=seconds, samples=samples, progress=show)
    report.tell(figures, receive.show)


@bench.command("hints", short_help="False hints per hour against the delay of true ones.")
@click.option("--hours", type=Count(1), default=10, show_default=True, help="Lessons of an hour, each scene.")
@click.option("--trials", type=Count(10), default=100, show_default=True, help="Of each kind of change.")
@click.option("--faces", type=EXISTING, help="Labelled pictures (.npz) whose validation part makes sequences, too.")
@click.option("--seed", type=Count(0), help="First seed of the students; another one gives other students.")
@click.option("--html", type=EXISTING, help="Write a report with the curve to this file, too.")
@click.option("--svg", type=EXISTING, help="Write the curve alone to this file, too.")
@compared
def bench_hints(
    *,
    hours: int,
    trials: int,
    faces: Path | None,
    seed: int | None,
    html: Path | None,
    svg: Path | None,
    report: Report,
) -> None:
    """False hints per hour against the delay of true ones, on simulated students."""
    report.expect("hints", {"hours": hours, "trials": trials, "seed": seed, "pictures": faces is not None})
    from lessonroom.bench import hints, hints_page
    from lessonroom.outfile import report_file

    asked = hints.Asked(hours, trials, hints.REPORTED if seed is None else seed)
    with report_file(html) as page, report_file(svg) as picture, progress.bar("simulating") as show:
        figures = hints.run(_settings(), asked, faces=faces, progress=show)
        for file, draw in ((page, hints_page.page), (picture, hints_page.picture)):
            if file is not None:
                file.truncate(0)
                file.write(draw(figures))
    report.tell(figures, hints.show)


@bench.command("chat")
@click.option(
    "--seconds",
    type=Number(1),
    default=5.0,
    show_default=True,
    help="At least; a round of all messages takes a minute.",
)
@compared
def bench_chat(seconds: float, report: Report) -> None:
    """The way of a message from text to verdict, on one core."""
    report.expect("chat", {})
    from lessonroom.bench import chat as talk

    with progress.bar("screening") as show:
        figures = talk.measure(models_dir=_settings().models_dir, seconds=seconds, progress=show)
    report.tell(figures, talk.show)
