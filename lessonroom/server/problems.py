"""Errors as answers: ``{"code", "message"}`` in one line, and never what the client sent."""

from __future__ import annotations

import time
from collections.abc import Mapping
from types import MappingProxyType

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from lessonroom import logs
from lessonroom.errors import EngineDown, LessonroomError, ModelRefused, StoreDown, TicketRefused
from lessonroom.server.limits import TooOften
from lessonroom.server.rate import Bucket
from lessonroom.server.refusals import address_of
from lessonroom.server.services import services
from lessonroom.server.strict import TooSlow

log = logs.get(__name__)

WORDS = {400: "bad_input", 401: "ticket_refused", 403: "refused", 404: "not_found", 405: "bad_method", 413: "too_large"}


LOGGED = 0.1
"""Lines of the log on troubles inside in a second."""

TOLD: dict[type[LessonroomError], str] = {
    StoreDown: "the database does not take or give records now",
    EngineDown: "the models do not answer now",
    ModelRefused: "a model cannot be used now",
}
"""What a client hears of troubles inside: their class, and nothing of which database, disk or file it is."""


class ProblemView(BaseModel):
    """What an error looks like. ``code``: a word of ``lessonroom/errors.py``."""

    code: str
    message: str


def problem(status: int, code: str, message: str) -> JSONResponse:
    """One error as an answer."""
    return JSONResponse({"code": code, "message": " ".join(message.split())}, status)


def install(app: FastAPI, of_defects: Mapping[str, str] = MappingProxyType({})) -> None:
    """Answer every error of the application in this form.

    ``of_defects``: headers of the answer to a defect, which is made outside of all middleware.
    """

    async def unexpected(request: Request, error: Exception) -> JSONResponse:
        # the server's own handler logs it and re-raises; the client learns nothing of our insides
        answer = problem(500, "internal", "this is a defect of the server; it was logged")
        answer.headers.update(of_defects)
        return answer

    app.add_exception_handler(LessonroomError, _ours)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, unexpected)


def answer_to(request: Request, error: LessonroomError) -> JSONResponse:
    """What a request is answered that was refused or went wrong; a refusal is counted here, once."""
    if isinstance(error, TicketRefused):
        error = services(request).refusals.count(address_of(request), error)
    inside = TOLD.get(type(error))
    if inside is not None:
        _log(request, error)
    answer = problem(error.status, error.code, inside or str(error))
    if isinstance(error, TooOften):
        answer.headers["Retry-After"] = str(error.seconds)
    if isinstance(error, TooSlow):
        answer.headers["Connection"] = "close"  # what is still to come of the body is not read
    return answer


def _log(request: Request, error: LessonroomError) -> None:
    """For operators alone, and not as often as clients ask."""
    state = request.app.state
    if not hasattr(state, "troubles"):
        state.troubles = Bucket(LOGGED, 1.0, time.monotonic())
    if state.troubles.take(time.monotonic()):
        log.error("requests are answered with a trouble inside", code=error.code, reason=str(error))


async def _ours(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, LessonroomError)  # noqa: S101 - registered for this class alone
    return answer_to(request, error)


async def _invalid(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for this class alone
    first = error.errors()[0]
    # the name of an unknown field is the sender's own word
    known = first["loc"][:-1] if first["type"] == "extra_forbidden" else first["loc"]
    where = ".".join(str(part) for part in known if isinstance(part, str))
    return problem(422, "bad_input", f"expected what /openapi.json describes; {first['type']} at {where}")


async def _http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for this class alone
    answer = problem(error.status_code, WORDS.get(error.status_code, "refused"), str(error.detail))
    answer.headers.update(error.headers or {})
    return answer
