"""Every error that Lessonroom raises on purpose, in one tree.

::

    LessonroomError
    ├── BadInput            what a person or a program handed over is not what was expected
    │   ├── BadSetting      a setting's value; the text names its key
    │   ├── BadMessage      a socket message outside the protocol
    │   ├── BadSdp          a session description or candidate that the analyser does not accept
    │   └── BadMedia        a video file that cannot be analysed
    ├── Refused             understood, and not allowed
    │   ├── TicketRefused   a ticket or link that is used, expired, tampered with or meant for elsewhere
    │   ├── RateLimited     too much in too short a time
    │   ├── Violator        a writer from whom this server takes nothing more
    │   └── Busy            no capacity now; trying again later may work
    ├── NotFound            no such room, member, message or session
    ├── Conflict            somebody else has decided otherwise before
    ├── StoreDown           the database did not take or give the record
    ├── EngineDown          inference did not answer in time, or answered nonsense
    │   └── NoNumbers       it answered, but not with finite numbers
    └── ModelRefused        a model file and its sidecar do not agree

``code`` is the word that goes over the wire; ``status`` is the HTTP status of the same error. The text of an error
is one line that says what was expected and what came. It never holds a user's words, a ticket or a key.
"""

from __future__ import annotations

from typing import ClassVar, Literal

RefusedWhy = Literal[
    "replayed",
    "expired",
    "tampered",
    "other_room",
    "other_origin",
    "other_purpose",
    "wrong_code",
    "wrong_key",
    "wrong_scope",
    "wrong_session",
]
"""Why a ticket, link, session or key was refused."""


class LessonroomError(Exception):
    """Base of the tree. ``str(error)`` is safe to show and to log."""

    code: ClassVar[str] = "internal"
    status: ClassVar[int] = 500


class BadInput(LessonroomError):
    """What was handed over is not what was expected."""

    code = "bad_input"
    status = 422


class BadSetting(BadInput):
    """A setting has a value outside its range; the text names the key."""

    code = "bad_setting"


class BadMessage(BadInput):
    """A socket message that the protocol does not know, or with wrong fields."""

    code = "bad_message"


class BadSdp(BadInput):
    """A session description or ICE candidate that the analyser does not accept."""

    code = "bad_sdp"
    status = 400


class BadMedia(BadInput):
    """A video that is missing, empty, broken or without a video stream."""

    code = "bad_media"


class Refused(LessonroomError):
    """Understood, and not allowed."""

    code = "refused"
    status = 403


class TicketRefused(Refused):
    """A ticket, link, session or key that is used, expired, tampered with or meant for another place.

    ``why``: the class of it, for the audit and the figures, never for the one who was refused.
    """

    code = "ticket_refused"
    status = 401

    def __init__(self, message: str, *, why: RefusedWhy = "tampered") -> None:
        super().__init__(message)
        self.why: RefusedWhy = why


class RateLimited(Refused):
    """Too many requests in too short a time."""

    code = "rate_limited"
    status = 429


class Violator(Refused):
    """A writer with a proven violation, where the server is set to take nothing more from such writers."""

    code = "violator"


class Busy(Refused):
    """No capacity now; trying again later may work."""

    code = "busy"
    status = 503


class NotFound(LessonroomError):
    """No such room, member, message or session."""

    code = "not_found"
    status = 404


class Conflict(LessonroomError):
    """Somebody else has decided otherwise before; what was decided first stands."""

    code = "conflict"
    status = 409


class StoreDown(LessonroomError):
    """The database did not take or give the record; nothing was acknowledged."""

    code = "store_down"
    status = 503


class EngineDown(LessonroomError):
    """Inference did not answer in time, or answered something that is not a result."""

    code = "engine_down"
    status = 503


class NoNumbers(EngineDown):
    """Inference answered NaN or infinity: of a batch, one odd input may be the reason, and the engine is up."""


class ModelRefused(LessonroomError):
    """A model file is missing, or differs from what its sidecar promises."""

    code = "model_refused"
