"""The command that tells what the policy table says of given facts.

It gets the settings from :mod:`lessonroom.cli`, which alone reads the environment.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import click

from lessonroom import config
from lessonroom.cli_numbers import Count
from lessonroom.policy import (
    OLDEST,
    Band,
    Decision,
    Deployment,
    Facts,
    Mode,
    Need,
    Setting,
    Table,
    band_of,
    decide,
    read_place,
)

SETTINGS = click.Choice([str(setting) for setting in Setting])
MODES = click.Choice([str(mode) for mode in Mode])
DAY = click.DateTime(["%Y-%m-%d"])


@click.group()
def policy() -> None:
    """Which analysis the law allows where, by the policy table."""


@policy.command()
@click.option("--jurisdiction", default="", help="The student's place: DE, GB, US-IL (ISO 3166). Not given: unknown.")
@click.option("--setting", type=SETTINGS, help="Who put the student into the lesson. Not given: unknown.")
@click.option("--age", type=Count(0, OLDEST), help="The student's age in full years. Not given: unknown.")
@click.option("--teacher", help="The teacher's place; default: the student's.")
@click.option("--provider", help="The platform's place; default: provider_place, else the student's.")
@click.option("--server", help="Where the server stands; default: server_place.")
@click.option("--impact-assessment", help="Reference of the recorded assessment; default: impact_assessment.")
@click.option("--written-release", is_flag=True, help="The student has signed a written release.")
@click.option("--guardian", is_flag=True, help="A guardian has said yes.")
@click.option("--cap", type=MODES, default="M3", show_default=True, help="The most that the room's owner allows.")
@click.option("--on", "day", type=DAY, help="As of this day; default: today, UTC.")
@click.option("--table", type=click.Path(path_type=Path), help="File of the table; default: policy_table.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def explain(
    *,
    jurisdiction: str,
    setting: str | None,
    age: int | None,
    teacher: str | None,
    provider: str | None,
    server: str | None,
    impact_assessment: str | None,
    written_release: bool,
    guardian: bool,
    cap: str,
    day: datetime | None,
    table: Path | None,
    as_json: bool,
) -> None:
    """Tell which row decides, the mode and why. M0 is an answer, not an error.

    What the operator settles (impact assessment, place of the server) comes from the settings or the options above.
    What people give (written release, a guardian's yes, the student's consent) is taken as given; what of it is
    still missing by the options stands under "needs".
    """
    from lessonroom.policy_file import load_table

    settings = _settings(
        policy_table=table,
        server_place=None if server is None else read_place(server),
        impact_assessment=impact_assessment,
    )
    asked = _Asked(
        student=jurisdiction,
        teacher=jurisdiction if teacher is None else teacher,
        provider=(settings.provider_place or jurisdiction) if provider is None else provider,
        setting=Setting(setting) if setting else None,
        age=age,
        deployment=Deployment(settings.impact_assessment, settings.server_place),
        written_release=written_release,
        guardian=guardian,
        today=day.date() if day else datetime.now(UTC).date(),
    )
    answer = _answer(load_table(settings.policy_table), asked, Mode(cap))
    click.echo(json.dumps(answer, ensure_ascii=False) if as_json else _text(answer))


def _settings(**overrides: object) -> config.Settings:
    found: config.Settings = click.get_current_context().find_root().obj(**overrides)
    return found


@dataclass(frozen=True, slots=True)
class _Asked:
    """What the command was asked about."""

    student: str
    teacher: str
    provider: str
    setting: Setting | None
    age: int | None
    deployment: Deployment
    written_release: bool
    guardian: bool
    today: date

    @property
    def band(self) -> Band | None:
        return None if self.age is None else band_of(self.age)

    def decide(self, table: Table) -> Decision:
        student, teacher, provider = (
            Facts(place, self.setting, self.band) for place in (self.student, self.teacher, self.provider)
        )
        return decide(table, student, teacher, provider, self.deployment, today=self.today)

    def missing(self, needs: frozenset[Need]) -> list[Need]:
        """What people must still give."""
        given = {Need.WRITTEN_RELEASE: self.written_release, Need.GUARDIAN: self.guardian}
        return sorted(need for need in needs if not given[need])

    def facts(self) -> dict[str, Any]:
        """As they were understood: a place that was not, or is unknown, is null."""
        return {
            "jurisdiction": read_place(self.student) or None,
            "setting": self.setting,
            "age": self.age,
            "band": self.band,
            "teacher": read_place(self.teacher) or None,
            "provider": read_place(self.provider) or None,
            "server": self.deployment.server_place or None,
            "impact_assessment": self.deployment.impact_assessment or None,
            "written_release": self.written_release,
            "guardian": self.guardian,
            "on": self.today.isoformat(),
        }


def _answer(table: Table, asked: _Asked, cap: Mode) -> dict[str, Any]:
    decision = asked.decide(table)
    row = next((row for row in table.rows if row.id == decision.row), None)
    mode = min(decision.mode, cap)
    raises = decision.raises
    return {
        "mode": mode,
        "highest": decision.mode,
        "row": row.id if row else None,
        "why": decision.why + (f"; the room's cap is {cap}" if mode < decision.mode else ""),
        "needs": asked.missing(decision.needs) if mode > Mode.M0 else [],
        "raises": {"mode": raises.mode, "needs": sorted(raises.needs)} if raises else None,
        "source": row.source if row else None,
        "reviewer": row.reviewer if row else None,
        "expires": row.expires.isoformat() if row else None,
        "note": row.note if row else None,
        "rows": list(decision.rows),
        "version": table.version,
        "sha256": table.digest,
        "facts": asked.facts(),
    }


def _text(answer: dict[str, Any]) -> str:
    lines = [f"{answer['mode']}  {answer['why']}"]
    if answer["needs"]:
        lines.append(f"needs:    {', '.join(answer['needs'])}; until then M0")
    if answer["raises"]:
        lines.append(f"raises:   {answer['raises']['mode']} with {', '.join(answer['raises']['needs'])}")
    if answer["row"]:
        lines += [f"{key + ':':10}{answer[key]}" for key in ("source", "note", "reviewer", "expires")]
    return "\n".join([*lines, f"version:  {answer['version']}"])
