"""What the routes of the review take and answer. Nobody's name, room or sender is in any of it."""

from __future__ import annotations

import random
from collections import Counter
from datetime import UTC, datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from lessonroom.chat.evaluate import wilson
from lessonroom.chat.types import Kind
from lessonroom.rooms.review import DAY, Drift, Queue
from lessonroom.rooms.talk import utf16
from lessonroom.storage.review import BINS, Decided, Period, Reading, Waiting, Why
from lessonroom.storage.store import NewMessage


class ItemView(BaseModel):
    """A message that waits, without its sense. ``degraded``: the rules alone had judged it."""

    id: str
    why: Why
    at: float = Field(description="seconds since the epoch")
    words: list[str] = Field(description="the words of the text, in a new random order each time")
    kinds: list[str]
    probability: float
    lang: str = Field(description="ru, uk, en or other: a guess")
    model: str = Field(description="version of the model; empty where there was none")
    degraded: bool

    @classmethod
    def of(cls, waiting: Waiting) -> ItemView:
        """Shuffle the words."""
        message = waiting.message
        words = message.text.split()
        random.shuffle(words)
        return cls(
            id=str(waiting.number),
            why=waiting.why,
            at=message.at,
            words=words,
            kinds=list(dict.fromkeys(found.kind for found in message.findings)),
            probability=message.probability,
            lang=message.lang,
            model=message.model,
            degraded=message.degraded,
        )


class CountsView(BaseModel):
    """How many wait, by reason."""

    appealed: int
    held: int
    blocked: int
    sample: int


class WrongBlocksView(BaseModel):
    """Of blocked messages that people decided on in the last 30 days, the share that was harmless."""

    decided: int
    wrong: int
    share: float | None
    low: float = Field(description="lower end of the 95 % interval by Wilson")
    high: float = Field(description="upper end")


class QueueView(BaseModel):
    """What waits. ``violators``: senders with repeated proven violations now."""

    items: list[ItemView]
    waiting: CountsView
    wrong_blocks: WrongBlocksView
    violators: int

    @classmethod
    def of(cls, queue: Queue) -> QueueView:
        """Write it down."""
        decided, wrong = queue.blocks
        low, high = wilson(wrong, decided)
        share = wrong / decided if decided else None
        return cls(
            items=[ItemView.of(waiting) for waiting in queue.items],
            waiting=CountsView(**{why.value: count for why, count in queue.waiting.items()}),
            wrong_blocks=WrongBlocksView(decided=decided, wrong=wrong, share=share, low=low, high=high),
            violators=queue.repeated,
        )


class FindingView(BaseModel):
    """A finding; a half-open span in UTF-16 units, as JavaScript counts."""

    kind: str
    start: int
    end: int
    evidence: str


class LineView(BaseModel):
    """An earlier line of the room. ``own``: of the same writer."""

    own: bool
    text: str


class TextView(BaseModel):
    """A message in the clear, with up to six lines before it, oldest first."""

    text: str
    findings: list[FindingView]
    before: list[LineView]

    @classmethod
    def of(cls, reading: Reading) -> TextView:
        """Write it down."""
        message = reading.message
        lines = [LineView(own=line.sender == message.sender, text=line.text) for line in reading.before]
        return cls(text=message.text, findings=_findings(message), before=lines)


def _findings(message: NewMessage) -> list[FindingView]:
    return [
        FindingView(
            kind=found.kind,
            start=utf16(message.text, found.start),
            end=utf16(message.text, found.end),
            evidence=found.evidence,
        )
        for found in message.findings
    ]


class DecisionAsk(BaseModel):
    """Is it an exchange of contacts? ``kind``: which, if it is and somebody cares to say."""

    model_config = ConfigDict(extra="forbid")

    contact: bool
    kind: Kind | None = None


class DecisionView(BaseModel):
    """What the message is now. ``released``: its room got it now, late."""

    state: Literal["relayed", "blocked"]
    released: bool

    @classmethod
    def of(cls, decided: Decided) -> DecisionView:
        """Write it down."""
        return cls.model_validate({"state": decided.stored.message.state.value, "released": decided.released})


class DayView(BaseModel):
    """Verdicts of a day (UTC) on screened messages, appeals against them, and how many of the appeals were right."""

    day: str
    relay: int
    hold: int
    block: int
    appeals: int
    upheld: int

    @classmethod
    def of(cls, day: int, period: Period) -> DayView:
        """Write it down. ``day``: days since the epoch."""
        verdicts: Counter[str] = Counter()
        for tally in period.tallies:
            verdicts[tally.verdict] += tally.count
        return cls(
            day=datetime.fromtimestamp(day * DAY, UTC).date().isoformat(),
            relay=verdicts["relay"],
            hold=verdicts["hold"],
            block=verdicts["block"],
            appeals=period.appeals,
            upheld=period.upheld,
        )


class ModelView(BaseModel):
    """A version of the model before people: decisions on its verdicts, and how many said otherwise."""

    version: str
    decided: int
    wrong: int


class ShadowView(BaseModel):
    """A model that is tried beside the current one: messages that both, or only one of them, would have stopped."""

    version: str
    messages: int
    both: int
    only_current: int
    only_candidate: int


class DriftView(BaseModel):
    """How the filter does lately."""

    days: list[DayView]
    scores: dict[str, list[int]] = Field(description="by language: messages in each twentieth of the probability")
    models: list[ModelView]
    shadow: ShadowView | None

    @classmethod
    def of(cls, drift: Drift, shadow: object) -> DriftView:
        """Write it down."""
        scores: dict[str, list[int]] = {}
        for tally in (tally for period in drift.days for tally in period.tallies):
            scores.setdefault(tally.lang, [0] * BINS)[tally.bin] += tally.count
        return cls(
            days=[DayView.of(day, period) for day, period in enumerate(drift.days, drift.first)],
            scores=scores,
            models=[ModelView(version=one.version, decided=one.decided, wrong=one.wrong) for one in drift.judges],
            shadow=None if shadow is None else ShadowView.model_validate(shadow),
        )
