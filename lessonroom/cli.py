"""Every command; those of chat and vision stand in ``cli_chat`` and ``cli_vision``. The only reader of the environment.

A command parses its arguments and calls one function; libraries that take long to import are imported by the command
that needs them, so that ``lessonroom --help`` is quick.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import click

from lessonroom import __version__, config, progress
from lessonroom.cli_chat import chat
from lessonroom.cli_vision import vision
from lessonroom.errors import BadInput, LessonroomError

F = TypeVar("F", bound=Callable[..., Any])

EXISTING = click.Path(path_type=Path)
PROMISE = "lessonroom"


def main() -> NoReturn:
    """Run one command; every expected error is one line on stderr and exit code 2."""
    try:
        sys.exit(commands.main(standalone_mode=False, prog_name=PROMISE) or 0)
    except click.exceptions.Abort:
        sys.exit(130)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
        sys.exit(0)
    except click.ClickException as error:
        _fail(error.format_message())
    except LessonroomError as error:
        _fail(str(error))
    except BrokenPipeError:
        # the reader of our output went away (`| head`); nothing more can be said to it
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except OSError as error:
        # a disk that is full, a folder that may not be written, an address that is none
        _fail(": ".join(str(part) for part in (error.filename, error.strerror or type(error).__name__) if part))


def _fail(text: str) -> NoReturn:
    click.echo(f"{PROMISE}: {' '.join(text.split())}", err=True)
    sys.exit(2)


def _settings(**overrides: object) -> config.Settings:
    return config.load(os.environ, **overrides)


def _server_options(command: F) -> F:
    for option in (
        click.option("--data-dir", type=EXISTING, help="Folder of the database and the signing key."),
        click.option("--port", type=int, help="Port to listen on; 0 picks a free one."),
        click.option("--host", help="Address to listen on."),
    ):
        command = option(command)
    return command


def _print(record: Mapping[str, Any]) -> None:
    click.echo(json.dumps(record, ensure_ascii=False))


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name=PROMISE)
@click.pass_context
def commands(context: click.Context) -> None:
    """Hints for teachers and a screened chat for one-to-one online lessons."""
    context.obj = _settings  # for the commands of other modules, which do not read the environment


commands.add_command(chat)
commands.add_command(vision)


# --- the server ------------------------------------------------------------------------------------------------------


@commands.command()
@_server_options
def serve(host: str | None, port: int | None, data_dir: Path | None) -> None:
    """Serve rooms, chat, analyser, pages and metrics from one process."""
    from lessonroom import run

    run.serve(_settings(host=host, port=port, data_dir=data_dir))


@commands.command()
@_server_options
@click.option("--simulate", is_flag=True, help="Add a student: a real WebRTC client that plays a clip.")
@click.option("--clip", type=EXISTING, help="What the simulated student plays: a video or a folder of pictures.")
def demo(host: str | None, port: int | None, data_dir: Path | None, simulate: bool, clip: Path | None) -> None:
    """Serve one ready lesson and print its teacher, student and operations links."""
    from lessonroom import run

    settings = _settings(host=host, port=port, data_dir=data_dir, ice_loopback=True)
    run.demo(settings, clip=_clip(simulate, clip), say=click.echo)


def _clip(simulate: bool, clip: Path | None) -> Path | None:
    if not simulate:
        if clip is not None:
            raise BadInput("--clip: expected --simulate with it")
        return None
    from lessonroom.simulate.sources import SHIPPED_CLIP, check

    chosen = clip or SHIPPED_CLIP
    check(chosen)
    return chosen


# --- video -----------------------------------------------------------------------------------------------------------


@commands.command()
@click.argument("video", type=EXISTING)
@click.option("--html", type=EXISTING, help="Write a report with a timeline to this file, too.")
def analyse(video: Path, html: Path | None) -> None:
    """Run the lesson's pipeline on a file: JSON lines of observations, strain and hints."""
    from lessonroom.media import analyse as film

    film.run(video, _settings(), _print, html=html)


# --- figures of this machine -----------------------------------------------------------------------------------------


@commands.group()
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
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def bench_rooms(rooms: int, seconds: float, samples: float, as_json: bool) -> None:
    """Whole lessons on a server of their own: CPU for each, and how long people wait."""
    from lessonroom.bench import rooms as house
    from lessonroom.simulate.sources import SHIPPED_CLIP

    with progress.bar("encoding the clip") as show:
        figures = house.run(SHIPPED_CLIP, os.environ, rooms=rooms, seconds=seconds, samples=samples, progress=show)
    _figures(figures, house.show, as_json=as_json)


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
        _print(figures)
        return
    from rich.console import Console

    show(figures, Console())


# --- models and settings ---------------------------------------------------------------------------------------------


@commands.group()
def models() -> None:
    """Look after model files."""


@models.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.option("--models-dir", type=EXISTING, help="Folder of models; default: those that came with the package.")
def verify(as_json: bool, models_dir: Path | None) -> None:
    """Check every model against its sidecar: hash, promises, licence."""
    from lessonroom import models as shelf

    chosen = _settings(models_dir=models_dir).models_dir
    names = list(shelf.names(chosen))
    if not names:
        raise BadInput(f"{shelf.folder(chosen)}: expected model sidecars (*.json), found none")
    for name in names:
        card = shelf.load(name, chosen).card
        if as_json:
            _print({"name": name, "version": card.version, "sha256": card.sha256, "licence": card.licence, "ok": True})
        else:
            click.echo(f"{name:24} {card.version:12} sha256 {card.sha256[:12]}  {card.licence}")


@commands.command("settings")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def list_settings(as_json: bool) -> None:
    """List every setting with its default and help."""
    for row in config.describe():
        if as_json:
            _print(
                {
                    "key": row.key,
                    "variable": row.variable,
                    "default": _plain(row.default),
                    "unit": row.unit,
                    "help": row.text,
                }
            )
        else:
            shown = ",".join(row.default) if isinstance(row.default, tuple) else row.default
            click.echo(f"{row.variable} = {shown}{' ' + row.unit if row.unit else ''}\n    {row.text}")


def _plain(value: object) -> object:
    return str(value) if isinstance(value, Path) else value


if __name__ == "__main__":
    main()
