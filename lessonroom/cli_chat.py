"""The commands of the chat filter: check and measure it, train it, release it and roll back.

They get the settings from :mod:`lessonroom.cli`, which alone reads the environment.
"""

from __future__ import annotations

import json
import sys
import time
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import click

from lessonroom import config, progress
from lessonroom.errors import BadInput

if TYPE_CHECKING:
    from lessonroom.chat.policy import ChatPolicy
    from lessonroom.chat.releases import Pointer, Releases

EXISTING = click.Path(path_type=Path)
REFUSED = 1
"""Exit code of a candidate that may not serve; errors have 2."""

_data_dir = click.option("--data-dir", type=EXISTING, help="Folder of the server whose releases these are.")
_as_json = click.option("--json", "as_json", is_flag=True, help="One JSON object.")
_release = click.option("--release", help="The version of a release in the data folder; default: the packaged model.")


@click.group()
def chat() -> None:
    """Check texts for contacts; train, measure and release the filter."""


def _settings(**overrides: object) -> config.Settings:
    found: config.Settings = click.get_current_context().find_root().obj(**overrides)
    return found


def _policy(settings: config.Settings) -> ChatPolicy:
    from lessonroom.chat.policy import ChatPolicy

    return ChatPolicy.of(settings)


def _releases(settings: config.Settings) -> Releases:
    """The releases of a server. Raises BadInput where there is no such folder: a typing error makes no new one."""
    from lessonroom.chat.releases import Releases

    if not settings.data_dir.is_dir():
        raise BadInput("--data-dir: expected the folder of a server, found none")
    return Releases(settings.data_dir, settings.models_dir)


def _models_dir(settings: config.Settings, release: str | None) -> Path | None:
    from lessonroom.chat.releases import PACKAGED

    if release is None or release == PACKAGED:
        return settings.models_dir
    releases = _releases(settings)
    return releases.place(_listed(releases, release))


# --- using and measuring ---------------------------------------------------------------------------------------------


@chat.command()
@click.argument("text", required=False)
@click.option("--jsonl", is_flag=True, help="Read JSON lines from standard input, answer each with one line.")
@click.option("--json", "as_json", is_flag=True, help="Answer with one JSON object.")
@click.option("--rules-only", is_flag=True, help="As when the model is down: rules decide, the rest is held.")
@_release
@_data_dir
def check(
    *, text: str | None, jsonl: bool, as_json: bool, rules_only: bool, release: str | None, data_dir: Path | None
) -> None:
    """Check one TEXT, or a stream with --jsonl."""
    from lessonroom.chat import commands as talk

    if jsonl and text is not None:
        raise BadInput("chat check: expected a text or --jsonl, got both")
    settings = _settings(data_dir=data_dir)
    talk.check(
        text,
        policy=_policy(settings),
        out=sys.stdout,
        lines=_lines_in() if jsonl else None,
        models_dir=_models_dir(settings, release),
        rules_only=rules_only,
        as_json=as_json,
    )


@chat.command()
@click.argument("file", type=EXISTING)
@click.option("--rules-only", is_flag=True, help="Measure the rules without the model.")
@click.option("--html", type=EXISTING, help="Write a page with curves and tables to this file, too.")
@_as_json
@_release
@_data_dir
def evaluate(
    *, file: Path, rules_only: bool, html: Path | None, as_json: bool, release: str | None, data_dir: Path | None
) -> None:
    """Measure the contact filter on a labelled JSONL FILE."""
    from lessonroom.chat import commands as talk

    settings = _settings(data_dir=data_dir)
    with progress.bar("screening") as show:
        figures = talk.evaluate(
            file,
            policy=_policy(settings),
            models_dir=_models_dir(settings, release),
            rules_only=rules_only,
            html=html,
            progress=show,
        )
    talk.tell(figures, sys.stdout, as_json=as_json)


@chat.command()
@click.option("--out", type=EXISTING, required=True, help="Folder for contact_filter.npz and its sidecar.")
@click.option("--foreign", type=EXISTING, help="Folder of further labelled JSONL files to learn from.")
@click.option("--version", "name", default="local", show_default=True, help="Version for the sidecar.")
@click.option("--compare", is_flag=True, help="Compare SVM, logistic regression and a neural network first.")
def train(out: Path, foreign: Path | None, name: str, compare: bool) -> None:
    """Train the contact filter from the corpus."""
    from lessonroom.chat import commands as talk

    with progress.bar("training") as show:
        talk.train(
            out_dir=out,
            foreign_dir=foreign,
            policy=_policy(_settings()),
            version=name,
            out=sys.stdout,
            compare=compare,
            progress=show,
        )


# --- releases --------------------------------------------------------------------------------------------------------


@chat.command(short_help="Train a candidate with people's decisions.")
@_data_dir
@click.option("--shadow", is_flag=True, help="Let the candidate only be asked too, without a say.")
@click.option("--foreign", type=EXISTING, help="Folder of further labelled JSONL files to learn from.")
@click.option("--frozen", type=EXISTING, multiple=True, help="A further labelled JSONL file to compare on.")
@click.option("--version", "name", help="Version of the candidate; default: the time.")
@_as_json
def retrain(
    *,
    data_dir: Path | None,
    shadow: bool,
    foreign: Path | None,
    frozen: tuple[Path, ...],
    name: str | None,
    as_json: bool,
) -> int:
    """Train a candidate with people's decisions; release it unless it does worse than the current model.

    Exit code 1: it was refused, and nothing has changed.
    """
    from lessonroom import labels
    from lessonroom.chat import retrain as training

    settings = _settings(data_dir=data_dir)
    releases = _releases(settings)
    version = name or time.strftime("%Y%m%d-%H%M%S", time.gmtime())
    releases.free(version)
    decisions = labels.read(settings)
    training.expect_news(decisions, foreign)
    material = training.gather(decisions, foreign, frozen)
    with progress.bar("training") as show:
        outcome = training.run(material, releases, _policy(settings), version, shadow=shadow, progress=show)
    if as_json:
        _print(outcome.record() | {"version": version})
    else:
        training.tell(outcome, sys.stdout, shadow=shadow)
    return REFUSED if outcome.refused else 0


@chat.command(short_help="Let the release VERSION serve.")
@click.argument("version")
@_data_dir
def switch(version: str, data_dir: Path | None) -> None:
    """Let the release VERSION serve; `packaged` is the model that came with Lessonroom."""
    releases = _releases(_settings(data_dir=data_dir))
    _say(releases.switch(_listed(releases, version)))


@chat.command()
@_data_dir
def rollback(data_dir: Path | None) -> None:
    """Let the release before the current one serve again."""
    _say(_releases(_settings(data_dir=data_dir)).rollback())


@chat.command()
@click.argument("version", required=False)
@click.option("--off", is_flag=True, help="Ask no candidate any more.")
@_data_dir
def shadow(version: str | None, off: bool, data_dir: Path | None) -> None:
    """Let the release VERSION be asked too, without a say."""
    if (version is None) is not off:
        raise BadInput("chat shadow: expected either a version or --off")
    releases = _releases(_settings(data_dir=data_dir))
    _say(releases.shadow(version and _listed(releases, version)))


@chat.command("releases", short_help="List the releases, and which of them serves.")
@_data_dir
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def list_releases(data_dir: Path | None, as_json: bool) -> None:
    """List the releases: which serves, which served before, which is asked too, which cannot serve."""
    for release in _releases(_settings(data_dir=data_dir)).every():
        if as_json:
            record = {"version": release.version, "roles": release.roles, "model": release.model}
            _print(record | {"ok": not release.wrong, "wrong": release.wrong})
        else:
            roles = ", ".join(release.roles)
            click.echo(f"{release.version:32} {roles:20} {release.wrong or release.model}".rstrip())


def _lines_in() -> TextIO:
    """Standard input, in UTF-8 whatever the locale; what is none is told when its line has its turn."""
    if isinstance(sys.stdin, TextIOWrapper):
        sys.stdin.reconfigure(encoding="utf-8", errors="surrogateescape")
    return sys.stdin


def _listed(releases: Releases, version: str) -> str:
    """The version, where there is such a release. Raises BadInput: a typing error is not a broken model."""
    from lessonroom.chat.releases import PACKAGED

    if version != PACKAGED and not releases.place(version).is_dir():
        raise BadInput(f"expected a release that `lessonroom chat releases` lists, got {version}")
    return version


def _say(pointer: Pointer) -> None:
    click.echo(", ".join(f"{role}: {version}" for role, version in pointer if version))


def _print(record: dict[str, Any]) -> None:
    click.echo(json.dumps(record, ensure_ascii=False))
