"""The wire protocol of the room's socket: closed unions of messages, :func:`parse` and :func:`dump`.

Subprotocol ``lessonroom.v1``. One JSON object per text frame; ``type`` names the model. ``docs/protocol.md``
describes every message, and a test compares the two. Times (``at``) are milliseconds since 1970-01-01 UTC.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Annotated, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError

from lessonroom.errors import BadMessage

SUBPROTOCOL = "lessonroom.v1"

T = TypeVar("T")

Id = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{8,64}$")]
"""An identifier made by a client (message, press, page) or by the server (member, room, hint)."""
Text = Annotated[str, StringConstraints(min_length=1, max_length=20_000, pattern=r"^[^\x00]*$")]
"""Characters that every database keeps: no NUL, and no half of a surrogate pair, which JSON parsing refuses."""
Sdp = Annotated[str, StringConstraints(max_length=65_536)]
Role = Literal["teacher", "student", "observer"]
Millis = Annotated[int, Field(ge=0)]
Seq = Annotated[int, Field(ge=0, lt=2**53)]


class CloseCode(IntEnum):
    """WebSocket close codes of this protocol (RFC 6455 section 7.4.2 leaves 4000 to 4999 to applications)."""

    BAD_MESSAGE = 4000
    TICKET_REFUSED = 4001
    REPLACED = 4002
    TOO_SLOW = 4003
    ROOM_CLOSED = 4004
    RATE_LIMITED = 4005
    HELLO_TIMEOUT = 4006
    SERVER_BUSY = 4007


class _Message(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


# --- from the page ---------------------------------------------------------------------------------------------------


class Hello(_Message):
    """First message of a socket. ``after``: last chat number the page has; ``page``: made anew at each page load.

    ``device``: the most that the student's own device can analyse; pages that do not say it can nothing.
    """

    type: Literal["hello"] = "hello"
    ticket: Annotated[str, StringConstraints(min_length=16, max_length=1024)]
    page: Id
    after: Seq = 0
    device: Literal["M0", "M1", "M2"] = "M0"


class ChatSend(_Message):
    """A message to the room. The same ``id`` sent again is answered again, and stored once."""

    type: Literal["chat.send"] = "chat.send"
    id: Id
    text: Text


class ChatAppeal(_Message):
    """The writer asks a person to look at a blocked message."""

    type: Literal["chat.appeal"] = "chat.appeal"
    id: Id


class Description(_Message):
    """RTCSessionDescriptionInit."""

    type: Literal["offer", "answer", "pranswer", "rollback"]
    sdp: Sdp = ""


class Candidate(_Message):
    """RTCIceCandidateInit, in the browser's own names."""

    candidate: Annotated[str, StringConstraints(max_length=1024)]
    sdpMid: Annotated[str, StringConstraints(max_length=64)] | None = None  # noqa: N815
    sdpMLineIndex: Annotated[int, Field(ge=0, le=64)] | None = None  # noqa: N815
    usernameFragment: Annotated[str, StringConstraints(max_length=256)] | None = None  # noqa: N815


class SignalSend(_Message):
    """Perfect negotiation with the other person's page; exactly one of the two is set. Relayed, never stored."""

    type: Literal["signal"] = "signal"
    to: Id
    page: Id
    description: Description | None = None
    candidate: Candidate | None = None


class ConsentSend(_Message):
    """The student agrees to analysis, or takes it back. Only the student may say it.

    ``text``: version of the words that the page showed; ``lang``: the language they were shown in. Without them the
    answer is kept as given to the current words, in a language that nobody told.
    """

    type: Literal["consent"] = "consent"
    agreed: bool
    text: Annotated[str, StringConstraints(max_length=32, pattern=r"^[0-9a-z.-]*$")] = ""
    lang: Annotated[str, StringConstraints(max_length=8, pattern=r"^[a-z-]*$")] = ""


class Camera(_Message):
    """The student's camera is on or muted, so that the indicator tells the truth at once."""

    type: Literal["camera"] = "camera"
    on: bool


class StuckSend(_Message):
    """The student pressed "I'm stuck"."""

    type: Literal["stuck"] = "stuck"
    id: Id


class HintFeedback(_Message):
    """The teacher says whether a hint helped. ``helpful`` None: closed without an answer."""

    type: Literal["hint.feedback"] = "hint.feedback"
    hint: Id
    helpful: bool | None = None


class HintsOn(_Message):
    """The teacher turns hints on or off for this lesson."""

    type: Literal["hints"] = "hints"
    on: bool


class Leave(_Message):
    """The member leaves on purpose; the server closes the socket with 1000."""

    type: Literal["leave"] = "leave"


class Ping(_Message):
    """Asks for a pong, so that a page notices a dead connection."""

    type: Literal["ping"] = "ping"


FromPage = Annotated[
    Hello
    | ChatSend
    | ChatAppeal
    | SignalSend
    | ConsentSend
    | Camera
    | StuckSend
    | HintFeedback
    | HintsOn
    | Leave
    | Ping,
    Field(discriminator="type"),
]


# --- to the page -----------------------------------------------------------------------------------------------------


class MemberView(_Message):
    """One row of the member list. The analyser stands in it with the role ``analyser``."""

    id: Id
    name: str
    role: Role | Literal["analyser"]
    present: bool
    page: Id | None = None


class IceServer(_Message):
    """RTCIceServer."""

    urls: list[str]
    username: str | None = None
    credential: str | None = None


class Span(_Message):
    """A finding in the writer's own message: half-open span in UTF-16 units, as JavaScript counts."""

    kind: str
    start: Annotated[int, Field(ge=0)]
    end: Annotated[int, Field(ge=0)]


class Analysis(_Message):
    """What analysis does now, for everybody in the room.

    ``reason`` says why it is off or sees nothing: ``not_allowed``, ``on_device_only`` (only the student's own device
    may look, and this version has nothing that runs there), ``not_agreed``, ``guardian_missing``, ``camera_muted``,
    ``no_camera``, ``connecting``, ``moving``, ``connection_poor``, ``no_capacity``, ``vision_down``, ``hints_off``, or
    a value of :class:`~lessonroom.media.types.Unseen`.
    """

    type: Literal["analysis"] = "analysis"
    mode: Literal["M0", "M1", "M2", "M3"]
    state: Literal["off", "learning", "watching"]
    reason: str | None = None


class ConsentNow(_Message):
    """What the student has said about analysis somewhere else, for the student's page alone."""

    type: Literal["consent"] = "consent"
    agreed: bool


class HintShow(_Message):
    """A hint for the teacher: the cue is what was noticed, the advice what may help; both are keys of the catalogue.

    ``helpful``: the teacher's answer, when this is a hint from before a reconnect.
    """

    type: Literal["hint"] = "hint"
    id: Id
    at: Millis
    cue: str
    advice: str
    answered: bool = False
    helpful: bool | None = None


class Welcome(_Message):
    """Answer to hello: everything a page needs to draw the lesson. The chat follows as ``chat.message``s."""

    type: Literal["welcome"] = "welcome"
    room: Id
    me: Id
    role: Role
    members: list[MemberView]
    last_seq: Seq
    analysis: Analysis
    consent: bool | None = None
    hints_on: bool
    hints: list[HintShow]
    ice_servers: list[IceServer]
    ice_relay_only: bool
    chat_length: int
    now: Millis


class Members(_Message):
    """The member list after a change, whole."""

    type: Literal["members"] = "members"
    members: list[MemberView]


class ChatMessage(_Message):
    """A chat message, relayed or replayed. ``state`` other than ``relayed`` only ever reaches its own writer.

    ``decided``: a person has decided that; the message may have been here before under a smaller ``seq``.
    """

    type: Literal["chat.message"] = "chat.message"
    seq: Seq
    id: Id
    sender: Id
    text: str
    at: Millis
    state: Literal["relayed", "held", "blocked", "appealed"] = "relayed"
    findings: list[Span] = []
    decided: bool = False


class ChatAck(_Message):
    """The message is stored. ``state`` says what happened to it; ``findings`` why, when it did not go through.

    ``decided``: a person has decided that, and there is no appeal against it.
    """

    type: Literal["chat.ack"] = "chat.ack"
    id: Id
    seq: Seq
    at: Millis
    state: Literal["relayed", "held", "blocked", "appealed"]
    findings: list[Span] = []
    decided: bool = False


class ChatRefused(_Message):
    """The message is *not* stored; keep its text.

    ``store_down``; ``busy``: its turn did not come in time; ``rate_limited``; ``too_long``; ``not_allowed``;
    ``violator``: the writer has exchanged contacts before, a person has confirmed it, and the server is set to take
    nothing more from such writers; appeals against earlier messages are still taken.
    """

    type: Literal["chat.refused"] = "chat.refused"
    id: Id
    code: str


class Signal(_Message):
    """What the other page said, with who and which page load it was."""

    type: Literal["signal"] = "signal"
    sender: Id
    page: Id
    description: Description | None = None
    candidate: Candidate | None = None


class StuckAck(_Message):
    """The teacher's page has got "I'm stuck" (``delivered``), or will get it on its return."""

    type: Literal["stuck.ack"] = "stuck.ack"
    id: Id
    delivered: bool


class Hints(_Message):
    """Whether hints are on in this lesson, after a change."""

    type: Literal["hints"] = "hints"
    on: bool


class Pong(_Message):
    """Answer to ping."""

    type: Literal["pong"] = "pong"


class Problem(_Message):
    """Something asked for was not done; ``code`` is a word of :mod:`lessonroom.errors`."""

    type: Literal["problem"] = "problem"
    code: str


ToPage = Annotated[
    Welcome
    | Members
    | ChatMessage
    | ChatAck
    | ChatRefused
    | Signal
    | Analysis
    | ConsentNow
    | HintShow
    | StuckAck
    | Hints
    | Pong
    | Problem,
    Field(discriminator="type"),
]

_from_page: TypeAdapter[FromPage] = TypeAdapter(FromPage)
_to_page: TypeAdapter[ToPage] = TypeAdapter(ToPage)


def parse(frame: str | bytes) -> FromPage:
    """Read one frame of a page.

    Raises BadMessage that names the field and the rule that was broken, never what stood there.
    """
    return _parse(_from_page, frame)


def parse_to_page(frame: str | bytes) -> ToPage:
    """Read one frame of the server, for Python clients such as the simulated student and the bench."""
    return _parse(_to_page, frame)


def _parse(adapter: TypeAdapter[T], frame: str | bytes) -> T:
    try:
        return adapter.validate_json(frame)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        # the name of an unknown field is the sender's own word
        known = first["loc"][:-1] if first["type"] == "extra_forbidden" else first["loc"]
        where = ".".join(part for part in known if isinstance(part, str))
        raise BadMessage(f"expected a message of {SUBPROTOCOL}; {first['type']} at {where or 'the top'}") from None


def dump(message: BaseModel) -> str:
    """Write one message as a JSON text frame; absent optional fields are left out."""
    return message.model_dump_json(exclude_none=True)
