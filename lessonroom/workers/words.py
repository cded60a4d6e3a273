"""What the server and its media workers say to one another of a lesson, as data of JSON. Pure.

Times are those of the system's monotonic clock, which all processes of one machine share. What is said stays in the
memory of the two processes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from lessonroom.errors import BadSdp, Busy, EngineDown, LessonroomError
from lessonroom.media.baseline import Baseline, Limits
from lessonroom.media.hints import HintState, Shown
from lessonroom.media.sdp import SdpPolicy
from lessonroom.media.strain import StrainState
from lessonroom.media.types import Cue, Evidence, Hint, Strain, Unseen, Watching

# what the server says
ACCEPT: Final = "accept"
CANDIDATE: Final = "candidate"
WATCH: Final = "watch"
RESUME: Final = "resume"
NOTE: Final = "note"
WAITED: Final = "waited"
ANSWERED: Final = "answered"
STOP: Final = "stop"
CLOSE: Final = "close"
# what a worker says
ANSWER: Final = "answer"
STRAIN: Final = "strain"
HINT: Final = "hint"
STATE: Final = "state"
ENDED: Final = "ended"
UNWATCHED: Final = "unwatched"
STOPPED: Final = "stopped"
CLOSED: Final = "closed"
SECOND: Final = "second"

Json = Any

_REFUSALS: Final[dict[str, type[LessonroomError]]] = {kind.code: kind for kind in (BadSdp, Busy, EngineDown)}


def refusal(error: LessonroomError) -> Json:
    """An error that an offer or a candidate met."""
    return [error.code, str(error)]


def refused(said: Sequence[str]) -> LessonroomError:
    """Read it back."""
    code, text = said
    return _REFUSALS[code](text)


def policy(value: SdpPolicy) -> Json:
    """What may stand in an offer."""
    return [value.loopback, value.private, value.relay_only]


def read_policy(said: Sequence[bool]) -> SdpPolicy:
    """Read it back."""
    return SdpPolicy(*said)


def strain(value: Strain) -> Json:
    """An estimate."""
    evidence = [(piece.cue, piece.weight, piece.since) for piece in value.evidence]
    return [value.at, value.level, value.watching, evidence, value.unseen]


def read_strain(said: Sequence[Any]) -> Strain:
    """Read it back."""
    at, level, watching, evidence, unseen = said
    pieces = tuple(Evidence(Cue(cue), weight, since) for cue, weight, since in evidence)
    return Strain(at, level, Watching(watching), pieces, None if unseen is None else Unseen(unseen))


def hint(value: Hint) -> Json:
    """A hint."""
    return [value.id, value.at, value.cue, value.advice]


def read_hint(said: Sequence[Any]) -> Hint:
    """Read it back."""
    id_, at, cue, advice = said
    return Hint(id_, at, Cue(cue), advice)


def hints(value: HintState) -> Json:
    """What is known of a lesson's hints."""
    last = None if value.last is None else [value.last.id, value.last.at, value.last.answered]
    return [value.started, value.held, value.at, value.shift, last, value.quiet_until, dict(value.used)]


def read_hints(said: Sequence[Any]) -> HintState:
    """Read it back."""
    started, held, at, shift, last, quiet_until, used = said
    return HintState(
        started,
        held,
        at,
        shift,
        None if last is None else Shown(*last),
        quiet_until,
        {Cue(cue): turn for cue, turn in used.items()},
    )


def felt(value: StrainState) -> Json:
    """What is remembered of a student; no picture, and nothing from which one could be made."""
    baselines = value.baselines and [
        (base.middle, base.spread, base.limits.least, base.limits.most, base.usual) for base in value.baselines
    ]
    return {
        "at": value.at,
        "seen_at": value.seen_at,
        "seen": value.seen,
        "cover": value.cover,
        "sure": value.sure,
        "samples": value.samples,
        "baselines": baselines,
        "gathered": value.gathered,
        "since": value.since,
        "events": value.events,
    }


def read_felt(said: Mapping[str, Any]) -> StrainState:
    """Read it back."""
    baselines = said["baselines"] and tuple(
        Baseline(middle, spread, Limits(least, most), usual) for middle, spread, least, most, usual in said["baselines"]
    )
    return StrainState(
        at=said["at"],
        seen_at=said["seen_at"],
        seen=said["seen"],
        cover=said["cover"],
        sure=said["sure"],
        samples=tuple(map(tuple, said["samples"])),
        baselines=baselines,
        gathered=tuple(said["gathered"]),
        since=tuple(said["since"]),
        events=tuple((Cue(cue), at) for cue, at in said["events"]),
    )
