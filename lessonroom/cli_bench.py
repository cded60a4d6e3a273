"""The commands that measure this machine.

They get the settings, and the environment for servers of their own, from :mod:`lessonroom.cli`, which alone reads it.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click

from lessonroom import config, progress
from lessonroom.errors import BadInput

EXISTING = click.Path(path_type=Path)
ENVIRONMENT = "lessonroom.environment"
"""Where the root command keeps the environment, in its context's ``meta``."""


def _settings() -> config.Settings:
    found: config.Settings = click.get_current_context().find_root().obj()
    return found


def _environment() -> Mapping[str, str]:
    found: Mapping[str, str] = click.get_current_context().meta[ENVIRONMENT]
    return found


@click.group()
def bench() -> None:
    """Measure this machine: medians, percentiles and ratios to a bound of the same run."""


@bench.command("video")
@click.option("--clip", type=EXISTING, help="A video that shows a face; default: the one that came with the package.")
@click.option("--rounds", type=click.IntRange(10), default=300, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def bench_video(clip: Path | None, rounds: int, as_json: bool) -> None:
    """One look at one face, stage by stage."""
    from lessonroom.bench import video
    from lessonroom.simulate.sources import SHIPPED_CLIP

    with progress.bar("looking") as show:
        figures = video.run(_settings(), clip or SHIPPED_CLIP, rounds=rounds, progress=show)
    _figures(figures, video.show, as_json=as_json)


@bench.command("rooms")
@click.option("--rooms", type=click.IntRange(1), default=8, show_default=True)
@click.option("--seconds", type=click.FloatRange(5), default=60.0, show_default=True)
@click.option("--samples", type=click.FloatRange(0.1), default=1.0, show_default=True, help="Per second and lesson.")
@click.option("--rate", type=click.FloatRange(0.1), help="Chat alone: so many messages a second in all rooms together.")
@click.option("--checkpoints", type=EXISTING, help="With --rate: add the figures so far to this file every minute.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def bench_rooms(
    *, rooms: int, seconds: float, samples: float, rate: float | None, checkpoints: Path | None, as_json: bool
) -> None:
    """Whole lessons on a server of their own: CPU for each, and how long people wait.

    With --rate there is chat and no camera; exit code 1 when a message was lost or doubled, a socket dropped, or memory
    grew.
    """
    if rate is not None:
        _bench_talk(rooms, rate, seconds, checkpoints, as_json=as_json)
        return
    if checkpoints is not None:
        raise BadInput("--checkpoints: expected --rate with it")
    from lessonroom.bench import rooms as house
    from lessonroom.simulate.sources import SHIPPED_CLIP

    with progress.bar("encoding the clip") as show:
        figures = house.run(SHIPPED_CLIP, _environment(), rooms=rooms, seconds=seconds, samples=samples, progress=show)
    _figures(figures, house.show, as_json=as_json)


def _bench_talk(rooms: int, rate: float, seconds: float, checkpoints: Path | None, *, as_json: bool) -> None:
    from lessonroom.bench import talk, talk_page

    with progress.bar("starting the server") as show:
        load = talk.Load(rooms, rate, seconds)
        figures = talk.run(_environment(), load, checkpoints=checkpoints, progress=show)
    _figures(figures, talk_page.show, as_json=as_json)
    if figures["failed"]:
        sys.exit(1)


@bench.command("hints")
@click.option("--hours", type=click.IntRange(1), default=10, show_default=True, help="Lessons of an hour, each scene.")
@click.option("--trials", type=click.IntRange(10), default=100, show_default=True, help="Of each kind of change.")
@click.option("--faces", type=EXISTING, help="Labelled pictures (.npz) whose validation part makes sequences, too.")
@click.option("--seed", type=click.IntRange(0), help="First seed of the students; another one gives other students.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@click.option("--html", type=EXISTING, help="Write a report with the curve to this file, too.")
@click.option("--svg", type=EXISTING, help="Write the curve alone to this file, too.")
def bench_hints(
    *,
    hours: int,
    trials: int,
    faces: Path | None,
    seed: int | None,
    as_json: bool,
    html: Path | None,
    svg: Path | None,
) -> None:
    """False hints per hour against the delay of true ones, on simulated students."""
    from lessonroom.bench import hints, hints_page
    from lessonroom.outfile import report_file

    asked = hints.Asked(hours, trials, hints.REPORTED if seed is None else seed)
    with report_file(html) as page, report_file(svg) as picture, progress.bar("simulating") as show:
        figures = hints.run(_settings(), asked, faces=faces, progress=show)
        for file, draw in ((page, hints_page.page), (picture, hints_page.picture)):
            if file is not None:
                file.truncate(0)
                file.write(draw(figures))
    _figures(figures, hints.show, as_json=as_json)


@bench.command("chat")
@click.option("--seconds", type=click.FloatRange(1), default=5.0, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def bench_chat(seconds: float, as_json: bool) -> None:
    """The way of a message from text to verdict, on one core."""
    from lessonroom.bench import chat as talk

    _figures(talk.measure(models_dir=_settings().models_dir, seconds=seconds), talk.show, as_json=as_json)


def _figures(figures: dict[str, Any], show: Callable[[dict[str, Any], Any], None], *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(figures, ensure_ascii=False))
        return
    from rich.console import Console

    show(figures, Console())
