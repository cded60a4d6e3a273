"""Every command; groups stand in ``cli_bench``, ``cli_chat``, ``cli_vision``. The only reader of the environment.

A command parses its arguments and calls one function; libraries that take long to import are imported by the command
that needs them, so that ``lessonroom --help`` is quick.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping
from io import TextIOWrapper
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import click

from lessonroom import __version__, config
from lessonroom.cli_audit import audit
from lessonroom.cli_bench import ENVIRONMENT, bench
from lessonroom.cli_chat import chat
from lessonroom.cli_plan import plan
from lessonroom.cli_policy import policy
from lessonroom.cli_privacy import privacy
from lessonroom.cli_vision import vision
from lessonroom.errors import BadInput, LessonroomError

F = TypeVar("F", bound=Callable[..., Any])

EXISTING = click.Path(path_type=Path)
PROMISE = "lessonroom"
READER_GONE = 128 + 13
"""Exit code of a command whose output nobody reads any more: what shells say of a program that SIGPIPE has ended."""


def main() -> NoReturn:
    """Run one command; every expected error is one line on stderr and exit code 2."""
    _open_ends()
    out = sys.stdout
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
    except SystemExit:
        if sys.stdout is not out:
            # the reader of our output went away (`| head`): click has put something silent in its place, and chosen
            # code 1, with which we say that a candidate or a record is bad. Nor is it 0: not all was said
            sys.exit(READER_GONE)
        raise
    except OSError as error:
        # a disk that is full, a folder that may not be written, an address that is none
        _fail(": ".join(str(part) for part in (error.filename, error.strerror or type(error).__name__) if part))


def _open_ends() -> None:
    """Have somewhere to write, whatever was closed before; what cannot be written as it is, is written escaped."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115  for as long as we run
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def _fail(text: str) -> NoReturn:
    click.echo(f"{PROMISE}: {' '.join(text.split())}", err=True)
    sys.exit(2)


def _settings(**overrides: object) -> config.Settings:
    return config.load(os.environ, **overrides)


def _keep_to_ourselves() -> None:
    """Take what was read out of the environment: the server's processes inherit that, and need none of its secrets."""
    for name in [name for name in os.environ if name.startswith(config.PREFIX)]:
        del os.environ[name]


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
    # for the commands of other modules, which do not read the environment
    context.obj = _settings
    context.meta[ENVIRONMENT] = os.environ


commands.add_command(audit)
commands.add_command(bench)
commands.add_command(chat)
commands.add_command(plan)
commands.add_command(policy)
commands.add_command(privacy)
commands.add_command(vision)


# --- the server ------------------------------------------------------------------------------------------------------


@commands.command(short_help="Serve lessons: rooms, chat, analyser, pages, metrics.")
@_server_options
@click.option("--workers", type=int, help="Media processes for analysers and models; 0: they are in the server's.")
def serve(host: str | None, port: int | None, data_dir: Path | None, workers: int | None) -> None:
    """Serve rooms, chat, analyser, pages and metrics: one process, and as many for media as you say."""
    from lessonroom import run

    settings = _settings(host=host, port=port, data_dir=data_dir, workers=workers)
    _keep_to_ourselves()
    run.serve(settings)


@commands.command(short_help="Serve one ready lesson and print its links.")
@_server_options
@click.option("--simulate", is_flag=True, help="Add a student: a real WebRTC client that plays a clip.")
@click.option("--clip", type=EXISTING, help="What the simulated student plays: a video or a folder of pictures.")
def demo(host: str | None, port: int | None, data_dir: Path | None, simulate: bool, clip: Path | None) -> None:
    """Serve one ready lesson and print its teacher, student and operations links."""
    from lessonroom import run

    settings = _settings(host=host, port=port, data_dir=data_dir, ice_loopback=True)
    _keep_to_ourselves()
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


@commands.command(short_help="The pipeline of a lesson on a video file, as JSON lines.")
@click.argument("video", type=EXISTING)
@click.option("--html", type=EXISTING, help="Write a report with a timeline to this file, too.")
def analyse(video: Path, html: Path | None) -> None:
    """Run the lesson's pipeline on a file: JSON lines of observations, strain and hints."""
    from lessonroom.media import analyse as film

    film.run(video, _settings(), _print, html=html)


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
