"""Trains a candidate on the corpus and on people's decisions, and says whether it may serve in place of the current.

It may not when a line that must pass or must be stopped (``corpus/must_pass.jsonl``) goes wrong that went right, when
false alarms rise on any set that neither model has learned from, or when recall clearly falls there (sign test, 5 %).
Nothing is kept of a candidate that was refused. No message is ever quoted: a line is named by its family.
"""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, TextIO

from lessonroom.chat import classifier as shelf
from lessonroom.chat import dataset
from lessonroom.chat.classifier import NAME, Classifier
from lessonroom.chat.dataset import CORPUS, Row, share_of
from lessonroom.chat.generator import generate
from lessonroom.chat.policy import ChatPolicy
from lessonroom.chat.releases import Releases
from lessonroom.chat.screen import screen
from lessonroom.chat.types import Action
from lessonroom.errors import BadInput, ModelRefused
from lessonroom.progress import Show, unseen

MUST_PASS: Final = CORPUS / "must_pass.jsonl"
FROZEN: Final = CORPUS / "frozen.jsonl"
HELD_OUT: Final = 0.3
"""Share of rooms whose decisions are never learned from: later candidates are compared on them, too."""
DECISIONS: Final = "decisions of reviewers"
_CLEARLY: Final = 0.05


@dataclass(frozen=True)
class Material:
    """What a candidate is made of, and what it is compared on. ``labels``: decisions, one family a room."""

    written: Sequence[Row]
    made_up: Sequence[Row]
    others: Sequence[Row]
    labels: Sequence[Row]
    frozen: Mapping[str, Sequence[Row]]
    must: Sequence[Row]

    @property
    def learned(self) -> list[Row]:
        """Decisions to learn from."""
        return [row for row in self.labels if not _is_held_out(row)]

    @property
    def held_out(self) -> list[Row]:
        """Decisions to compare on: all of some rooms."""
        return [row for row in self.labels if _is_held_out(row)]

    @property
    def sources(self) -> list[str]:
        """Where rows came from that nobody wrote for the corpus; nothing of a room."""
        return sorted({row.family for row in self.others}) + [DECISIONS] * bool(self.learned)

    def sets(self) -> dict[str, Sequence[Row]]:
        """Every set of rows that neither model has learned from."""
        found = {**self.frozen, "decisions, held out": self.held_out}
        return {name: rows for name, rows in found.items() if rows}


def _is_held_out(row: Row) -> bool:
    return share_of(row.family, "held out") < HELD_OUT


def expect_news(labels: Sequence[Row], foreign: Path | None) -> None:
    """Return where a candidate would learn more than the packaged model has. Raises BadInput: training takes long."""
    if foreign is None and all(map(_is_held_out, labels)):
        of = f"; {len(labels)} are held out to compare on" if labels else ""
        raise BadInput(
            f"expected decisions whose writers agree to training, or --foreign, found none to learn from{of}"
        )


def gather(labels: Sequence[Row], foreign: Path | None, frozen: Sequence[Path], per_template: int = 6) -> Material:
    """Read everything. ``frozen``: further labelled files to compare on. Raises BadInput."""
    return Material(
        written=dataset.corpus(),
        made_up=list(generate(per_template, seed=1)),
        others=list(dataset.foreign(foreign)) if foreign is not None else [],
        labels=labels,
        frozen={path.name: dataset.read_rows(path) for path in (FROZEN, *frozen)},
        must=dataset.read_rows(MUST_PASS),
    )


# --- comparing -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Tally:
    """One set of rows under two models. Pairs are (current, candidate).

    ``lost``, ``gained``: contacts that only the current or only the candidate finds; ``broken``: families of rows that
    the current one judges rightly and the candidate does not.
    """

    harmless: int
    contacts: int
    false_alarms: tuple[int, int]
    found: tuple[int, int]
    lost: int
    gained: int
    broken: tuple[str, ...] = ()


def compare(
    rows: Sequence[Row], current: Classifier, candidate: Classifier, policy: ChatPolicy, progress: Show = unseen
) -> Tally:
    """Screen every row with both. Raises EngineDown for a model that gives no number."""
    pairs: list[tuple[Row, bool, bool]] = []
    for number, row in enumerate(rows, start=1):
        alarms = [_alarms(row, model, policy) for model in (current, candidate)]
        pairs.append((row, alarms[0], alarms[1]))
        progress("comparing", number, len(rows))
    contacts = [(now, then) for row, now, then in pairs if row.label]
    harmless = [(now, then) for row, now, then in pairs if not row.label]
    return Tally(
        harmless=len(harmless),
        contacts=len(contacts),
        false_alarms=(sum(now for now, _ in harmless), sum(then for _, then in harmless)),
        found=(sum(now for now, _ in contacts), sum(then for _, then in contacts)),
        lost=sum(now and not then for now, then in contacts),
        gained=sum(then and not now for now, then in contacts),
        broken=tuple(row.family for row, now, then in pairs if now == bool(row.label) != then),
    )


def _alarms(row: Row, model: Classifier, policy: ChatPolicy) -> bool:
    return screen(row.text, model, policy, row.sender, row.context).action is not Action.RELAY


def objections(must: Tally, sets: Mapping[str, Tally]) -> Iterator[str]:
    """Why the candidate may not serve, a line each; none where it may."""
    if must.broken:
        yield f"{len(must.broken)} of the lines that must never go wrong now would: {', '.join(must.broken)}"
    for name, tally in sets.items():
        now, then = tally.false_alarms
        if then > now:
            yield f"false alarms rise from {now} to {then} of {tally.harmless} on {name}"
        if by_chance(tally.lost, tally.gained) < _CLEARLY:
            yield f"recall falls from {tally.found[0]} to {tally.found[1]} of {tally.contacts} on {name}"


def by_chance(lost: int, gained: int) -> float:
    """How likely so many of lost and gained, or more, are lost if each is as likely as the other (sign test)."""
    of = lost + gained
    return sum(math.comb(of, count) for count in range(lost, of + 1)) / 2.0**of


# --- the whole way ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Outcome:
    """What came of one candidate. ``refused``: why it may not serve; empty where it may."""

    version: str
    current: str
    must: Tally
    sets: Mapping[str, Tally]
    learned: Mapping[str, int]
    refused: Sequence[str] = field(default_factory=tuple)

    def record(self) -> dict[str, Any]:
        """As JSON, for the sidecar and for other programs."""
        tallies = {name: _told(tally) for name, tally in self.sets.items()}
        compared = {"must_pass": _told(self.must), **tallies}
        return {"with": self.current, "learned_from": dict(self.learned), "sets": compared, "refused": [*self.refused]}


Train = Callable[[Material, ChatPolicy, str, Path, Show], None]
"""Writes a model of a version, and its sidecar, into a folder."""


def train(material: Material, policy: ChatPolicy, version: str, folder: Path, progress: Show) -> None:
    """The candidate, from everything that may be learned from."""
    from lessonroom.chat import card  # noqa: PLC0415  (scikit-learn takes a second to import: training alone wants it)
    from lessonroom.chat import train as trainer  # noqa: PLC0415

    others = [*material.others, *material.learned]
    trained = trainer.build(material.written, material.made_up, others, policy, progress=progress)
    card.write(trained, folder, version, material.sources)


def run(
    material: Material,
    releases: Releases,
    policy: ChatPolicy,
    version: str,
    *,
    shadow: bool = False,
    training: Train = train,
    progress: Show = unseen,
) -> Outcome:
    """Train, compare, and release the candidate, or let it be asked too (``shadow``), unless there are objections.

    Raises BadInput for a version that is there already, ModelRefused where there is no model to compare with, and where
    another release came into service meanwhile: then the comparison says nothing.
    """
    releases.free(version)
    pointer = releases.pointer()
    current = _first(releases, pointer.chain)
    with TemporaryDirectory(prefix="lessonroom-") as name:
        folder = Path(name)
        training(material, policy, version, folder, progress)
        outcome = _judge(material, current, shelf.load(folder), policy, progress)
        if outcome.refused:
            return outcome
        if releases.pointer() != pointer:
            raise ModelRefused("expected the release that the candidate was compared with, got another meanwhile")
        _tell_card(folder, outcome)
        releases.add(version, lambda place: shutil.copytree(folder, place, dirs_exist_ok=True))
    if shadow:
        releases.shadow(version)
    else:
        releases.switch(version)
    return outcome


def _first(releases: Releases, chain: Sequence[str]) -> Classifier:
    """The model that serves: the first of these that can. Raises the last one's ModelRefused."""
    *before, last = chain
    for version in before:
        try:
            return releases.load(version)
        except ModelRefused:
            continue  # the server went past it in the same way, and said so
    return releases.load(last)


def _judge(
    material: Material, current: Classifier, candidate: Classifier, policy: ChatPolicy, progress: Show
) -> Outcome:
    must = compare(material.must, current, candidate, policy, progress)
    sets = {name: compare(rows, current, candidate, policy, progress) for name, rows in material.sets().items()}
    learned = {
        "written": len(material.written),
        "made up": len(material.made_up),
        "foreign": len(material.others),
        "decisions": len(material.learned),
    }
    return Outcome(candidate.version, current.version, must, sets, learned, list(objections(must, sets)))


def _tell_card(folder: Path, outcome: Outcome) -> None:
    """Write into the sidecar what the release was compared with, and how it did."""
    path = folder / f"{NAME}.json"
    card = json.loads(path.read_text(encoding="utf-8")) | {"compared": outcome.record()}
    path.write_text(json.dumps(card, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _told(tally: Tally) -> dict[str, Any]:
    return {
        "harmless": tally.harmless,
        "contacts": tally.contacts,
        "false_alarms": [*tally.false_alarms],
        "found": [*tally.found],
    }


def tell(outcome: Outcome, out: TextIO, *, shadow: bool = False) -> None:
    """The table of the comparison and, in one line each, what came of it."""
    learned = ", ".join(f"{count} {name}" for name, count in outcome.learned.items())
    out.write(f"candidate {outcome.version}, learned from: {learned}; compared with {outcome.current}\n")
    out.write(f"{'':24} {'false alarms':>26} {'contacts found':>26}\n")
    out.write(f"{'set':24} {'current':>10} {'candidate':>15} {'current':>10} {'candidate':>15}\n")
    for name, tally in {"must_pass.jsonl": outcome.must, **outcome.sets}.items():
        cells = [_of(tally.false_alarms, tally.harmless), _of(tally.found, tally.contacts)]
        out.write(f"{name:24} {' '.join(cells)}\n")
    for why in outcome.refused:
        out.write(f"refused: {why}\n")
    if not outcome.refused:
        does = "in shadow: {} is asked too, without a say," if shadow else "released: {} serves"
        out.write(f"{does.format(outcome.version)} as soon as the servers notice\n")


def _of(pair: tuple[int, int], of: int) -> str:
    return f"{pair[0]:>10} {f'{pair[1]} of {of}':>15}"
