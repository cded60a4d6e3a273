"""What the gate asks a screening process, and what it is told, as messages between processes. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from lessonroom.chat.policy import ChatPolicy
from lessonroom.chat.types import Action, Decider, Finding, Kind, Line, Verdict
from lessonroom.processes.frames import Message

VERDICT: Final = "verdict"
CANNOT: Final = "cannot"
COMPARED: Final = "compared"
FOLLOW: Final = "follow"
SCREEN: Final = "screen"


@dataclass(frozen=True, slots=True)
class Question:
    """A message that is to be screened.

    ``room``: any word that stays the same for a room; ``severity``: of the sender; ``until``: seconds of
    :func:`time.monotonic` from which nobody waits for the answer.
    """

    room: str
    text: str
    sender: str
    context: tuple[Line, ...]
    severity: float
    until: float

    def message(self, number: int) -> Message:
        """As a message with this number."""
        return {
            "do": SCREEN,
            "number": number,
            "room": self.room,
            "text": self.text,
            "sender": self.sender,
            "context": [(line.sender, line.text) for line in self.context],
            "severity": self.severity,
            "until": self.until,
        }


@dataclass(frozen=True, slots=True)
class Answer:
    """The verdict on a message. ``failure``: class of what kept the model from answering, or empty."""

    verdict: Verdict
    failure: str = ""

    def message(self, number: int) -> Message:
        """As a message; ``number``: of the question."""
        verdict = self.verdict
        return {
            "say": VERDICT,
            "number": number,
            "action": verdict.action,
            "probability": verdict.probability,
            "findings": [(one.kind, one.start, one.end, one.evidence) for one in verdict.findings],
            "decider": verdict.decider,
            "degraded": verdict.degraded,
            "model": verdict.model,
            "failure": self.failure,
        }

    @staticmethod
    def of(message: Mapping[str, Any]) -> Answer:
        """Read it back."""
        findings = tuple(
            Finding(Kind(kind), start, end, evidence) for kind, start, end, evidence in message["findings"]
        )
        verdict = Verdict(
            Action(message["action"]),
            message["probability"],
            findings,
            Decider(message["decider"]),
            message["degraded"],
            message["model"],
        )
        return Answer(verdict, message["failure"])


@dataclass(frozen=True, slots=True)
class Orders:
    """What a screening process is to go by: where the releases are, which of them serve, and the policy.

    ``current``, ``shadow``: as in :class:`~lessonroom.chat.releases.Pointer`.
    """

    data_dir: str
    models_dir: str | None
    policy: ChatPolicy
    current: str
    shadow: str | None
    log_level: str
    log_json: bool

    def message(self) -> Message:
        """As the first message to a process."""
        policy = self.policy
        return {
            "data_dir": self.data_dir,
            "models_dir": self.models_dir,
            "current": self.current,
            "shadow": self.shadow,
            "log_level": self.log_level,
            "log_json": self.log_json,
            "cost_ratio": policy.cost_ratio,
            "hold_from": policy.hold_from,
            "block_kinds": sorted(policy.block_kinds),
            "hold_kinds": sorted(policy.hold_kinds),
            "languages": sorted(policy.languages),
            "own_domains": sorted(policy.own_domains),
            "context": policy.context,
        }

    @staticmethod
    def of(message: Mapping[str, Any]) -> Orders:
        """Read them back."""
        policy = ChatPolicy(
            cost_ratio=message["cost_ratio"],
            hold_from=message["hold_from"],
            block_kinds=frozenset(map(Kind, message["block_kinds"])),
            hold_kinds=frozenset(map(Kind, message["hold_kinds"])),
            languages=frozenset(message["languages"]),
            own_domains=frozenset(message["own_domains"]),
            context=message["context"],
        )
        names = ("data_dir", "models_dir", "current", "shadow", "log_level", "log_json")
        return Orders(policy=policy, **{name: message[name] for name in names})
