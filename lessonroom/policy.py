"""How much analysis is allowed: what the law of every place involved allows, and what holds of it now. Pure.

:func:`decide` asks the policy table once for each party of a lesson and takes the least: a fact that is unknown, facts
that do not fit together, no row, two rows or an expired row all give ``M0``. :func:`mode_now` puts what people say and
devices can under that ceiling. The table is data (:mod:`lessonroom.policy_file`); docs/policy.md explains its rows.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from lessonroom.errors import BadInput


class Mode(StrEnum):
    """How much analysis is allowed. Ordered as written: ``Mode.M1 < Mode.M3``, and ``min`` gives the more careful."""

    M0 = "M0"
    """None: only the button and the cues of chat and exercises."""
    M1 = "M1"
    """On the student's device, shown to the student."""
    M2 = "M2"
    """On the student's device, with a coarse hint to the teacher."""
    M3 = "M3"
    """By the server's analyser, with frames in memory only."""


class Setting(StrEnum):
    """Who put the student into the lesson."""

    INSTITUTION = "institution"
    EMPLOYER = "employer"
    SELF = "self"


class Band(StrEnum):
    """A student's age, as coarse as the table asks for it."""

    UNDER_13 = "<13"
    FROM_13 = "13-15"
    FROM_16 = "16-17"
    ADULT = "18+"


class Need(StrEnum):
    """What must be there beside the student's own consent."""

    WRITTEN_RELEASE = "written_release"
    """The student's signed paper. An act of people."""
    GUARDIAN = "guardian"
    """The yes of the student's parent or guardian. An act of people."""
    IMPACT_ASSESSMENT = "impact_assessment"
    """The operator has recorded an assessment (GDPR Art. 35)."""
    SERVER_IN_COUNTRY = "server_in_country"
    """The server stands in the country of the row."""


OF_THE_OPERATOR = frozenset({Need.IMPACT_ASSESSMENT, Need.SERVER_IN_COUNTRY})
"""What the operator settles for all lessons; the other needs are acts of people and settled for each student."""

OLDEST = 120
"""The highest age that is taken for one."""
PLACE = re.compile(r"[A-Z]{2}(-[A-Z0-9]{1,3})?")
"""ISO 3166-1 alpha-2, perhaps with the subdivision of ISO 3166-2. Names of groups, such as EU, have no rows."""
OTHER_NAMES = {"UK": "GB", "EL": "GR"}


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of one party. ``place`` "" and None mean: unknown."""

    place: str
    setting: Setting | None
    band: Band | None


@dataclass(frozen=True, slots=True)
class Deployment:
    """What the operator settled: the id of the recorded impact assessment and where the server stands; "": nothing."""

    impact_assessment: str
    server_place: str


@dataclass(frozen=True, slots=True)
class Beyond:
    """A higher mode, and what the operator must settle for it."""

    mode: Mode
    needs: frozenset[Need]


@dataclass(frozen=True, slots=True)
class Row:
    """One rule: for these places, settings and bands at most ``highest``, given ``needs``; good through ``expires``."""

    id: str
    places: frozenset[str]
    settings: frozenset[Setting]
    bands: frozenset[Band]
    highest: Mode
    needs: frozenset[Need]
    beyond: Beyond | None
    source: str
    reviewer: str
    expires: date
    note: str

    @property
    def acts(self) -> frozenset[Need]:
        """The needs that are acts of people."""
        return self.needs - OF_THE_OPERATOR

    def speaks_of(self, place: str, setting: Setting, band: Band) -> bool:
        """Whether this is a row for these facts."""
        return place in self.places and setting in self.settings and band in self.bands


@dataclass(frozen=True, slots=True)
class Table:
    """The rows, their version, and the sha256 of the file that they came from ("" for none)."""

    version: str
    rows: tuple[Row, ...]
    digest: str = ""

    def days_left(self, today: date) -> int:
        """Days until the first row has expired: 0 on its last day, below 0 afterwards; 0 without rows."""
        return min(((row.expires - today).days for row in self.rows), default=0)


NO_TABLE = Table("none", ())
"""In place of a table that cannot be read: everything is ``M0``."""


@dataclass(frozen=True, slots=True)
class Decision:
    """The law's ceiling for one lesson.

    ``row``: the row that decided, "" where none did; ``rows``: all that were looked at; ``needs``: acts of people
    without which it is ``M0`` after all; ``raises``: what the operator could settle for more; ``expires``: the last day
    of the first row to expire.
    """

    mode: Mode
    rows: tuple[str, ...]
    why: str
    needs: frozenset[Need]
    expires: date | None
    row: str = ""
    raises: Beyond | None = None


# --- reading words ---------------------------------------------------------------------------------------------------


def read_mode(word: object) -> Mode:
    """The mode of this name. What cannot be read is ``M0``: in doubt nothing is analysed."""
    try:
        return Mode(str(word))
    except ValueError:
        return Mode.M0


def read_setting(word: str) -> Setting | None:
    """The setting of this name; None for any other word."""
    return Setting(word) if word in set(Setting) else None


def read_band(word: str) -> Band | None:
    """The band of this name; None for any other word."""
    return Band(word) if word in set(Band) else None


def read_place(word: str) -> str:
    """A place as the table writes it: ``uk`` is ``GB``, ``us-il`` is ``US-IL``. "" for what has not this form."""
    upper = word.strip().upper() if word.isascii() else ""  # "ß" in capitals would be a country
    return OTHER_NAMES.get(upper, upper) if PLACE.fullmatch(upper) else ""


def band_of(age: int) -> Band:
    """The band of an age in full years, 0 to 120. Raises BadInput."""
    if not 0 <= age <= OLDEST:
        raise BadInput(f"age: expected 0 to {OLDEST} full years, got another number")
    above = ((13, Band.UNDER_13), (16, Band.FROM_13), (18, Band.FROM_16))
    return next((band for limit, band in above if age < limit), Band.ADULT)


# --- the law's ceiling -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Ruling:
    """What the table says of one party."""

    mode: Mode
    why: str
    row: Row | None = None
    raises: Beyond | None = None


def decide(
    table: Table, student: Facts, teacher: Facts, provider: Facts, deployment: Deployment, *, today: date
) -> Decision:
    """The least of what the rows for student, teacher and provider allow on ``today`` (UTC).

    It is the student who is analysed, so each party's *place* is asked about a student of this band who came in this
    setting; bands of teacher and provider do not matter. A party with another setting, or none, gives ``M0``.
    Acts of people are taken as given and listed in ``needs``.
    """
    parties = (("student", student), ("teacher", teacher), ("provider", provider))
    rulings = [_rule(table, name, facts, student, deployment, today=today) for name, facts in parties]
    least = min(rulings, key=lambda ruling: ruling.mode)  # the first of equals
    rows = [ruling.row for ruling in rulings if ruling.row is not None]
    return Decision(
        mode=least.mode,
        rows=tuple(dict.fromkeys(row.id for row in rows)),
        why=least.why,
        needs=frozenset(need for row in rows for need in row.acts) if least.mode > Mode.M0 else frozenset(),
        expires=min((row.expires for row in rows), default=None),
        row=least.row.id if least.row else "",
        raises=_raises(rulings, least.mode),
    )


def _rule(table: Table, name: str, facts: Facts, student: Facts, deployment: Deployment, *, today: date) -> _Ruling:
    setting, band, place = student.setting, student.band, read_place(facts.place)
    if setting is None or band is None or not place:
        unknown = "setting" if setting is None else "age" if band is None else "place"
        return _Ruling(Mode.M0, f"{name}: {unknown} unknown, so M0")
    if facts.setting is not setting:
        return _Ruling(Mode.M0, f"{name}: another setting than the student's, so M0")
    about = f"{name} in {place}, {setting}, {band}"
    rows = [row for row in table.rows if row.speaks_of(place, setting, band)]
    if len(rows) != 1:
        return _Ruling(Mode.M0, f"{about}: {'rows that contradict' if rows else 'no row'}, so M0")
    return _apply(rows[0], about, _settled(deployment, place), today)


def _apply(row: Row, about: str, settled: frozenset[Need], today: date) -> _Ruling:
    """What one row allows, given what the operator settled."""
    if today > row.expires:
        return _Ruling(Mode.M0, f"{about}: row {row.id} expired on {row.expires}, so M0", row)
    steps = [Beyond(row.highest, row.needs & OF_THE_OPERATOR)]
    if row.beyond is not None:
        steps.append(Beyond(row.beyond.mode, steps[0].needs | row.beyond.needs))
    reached = [step.mode for step in steps if step.needs <= settled]
    mode = max(reached, default=Mode.M0)
    top = steps[-1]
    raises = Beyond(top.mode, top.needs - settled) if top.mode > mode else None
    allows = f"allows at most {mode}" if mode > Mode.M0 or raises else "allows no analysis"
    given = f" with {' and '.join(sorted(row.acts))}" if row.acts else ""
    more = f"; {raises.mode} only with {' and '.join(sorted(raises.needs))}" if raises else ""
    return _Ruling(mode, f"{about}: row {row.id} {allows}{given}{more}", row, raises)


def _settled(deployment: Deployment, place: str) -> frozenset[Need]:
    """The operator's needs that are met where the rule of ``place`` applies."""
    met = {
        Need.IMPACT_ASSESSMENT: deployment.impact_assessment.strip() != "",
        Need.SERVER_IN_COUNTRY: read_place(deployment.server_place)[:2] == place[:2],
    }
    return frozenset(need for need in OF_THE_OPERATOR if met[need])


def _raises(rulings: list[_Ruling], mode: Mode) -> Beyond | None:
    """What the operator would have to settle for all parties together, and the mode that it would give."""
    best = min(ruling.raises.mode if ruling.raises else ruling.mode for ruling in rulings)
    if best <= mode:
        return None
    missing = (ruling.raises.needs for ruling in rulings if ruling.raises and ruling.mode < best)
    return Beyond(best, frozenset().union(*missing))


# --- what holds now --------------------------------------------------------------------------------------------------


def mode_now(*, ceiling: Mode, cap: Mode, needs_met: bool, agreed: bool | None, device: Mode, server_can: Mode) -> Mode:
    """The mode that holds now.

    ``ceiling``: the law's, of :func:`decide`; ``cap``: the most that the owner of the room allows; ``needs_met``:
    whether people have given all that the decision needs; ``agreed``: what the student said last, None when not asked;
    ``device``: the most that the student's device can do itself; ``server_can``: the most that the server can do now.

    ``M3`` is the server's work and asks nothing of the device; ``M1`` and ``M2`` are the device's and ask nothing of
    the server. Without a clear yes and everything that is needed it is ``M0``.
    """
    if agreed is not True or needs_met is not True:
        return Mode.M0
    allowed = min(ceiling, cap)
    if allowed is Mode.M3 and server_can is Mode.M3:
        return Mode.M3
    return min(allowed, device, Mode.M2)
