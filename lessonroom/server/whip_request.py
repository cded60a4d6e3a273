"""What a WHIP request must look like: its content type, its bearer, its body, and that it asks for no ICE restart."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from fastapi import Request
from starlette.requests import ClientDisconnect

from lessonroom.errors import BadInput, BadSdp, TicketRefused
from lessonroom.server.strict import BODY_SECONDS, TooLong, TooSlow

DRAIN_BYTES = 262_144
DRAIN_SECONDS = 1.0
"""How much, and how long, is read of a body that nobody looks at any more."""
NO_RESTART = "expected candidates of this ICE session, got an ICE restart; begin a new session instead"


class WrongType(BadInput):
    """A body of another content type."""

    code = "wrong_type"
    status = 415


class NoRestart(BadInput):
    """An ICE restart; the client makes a new session instead."""

    code = "no_ice_restart"
    status = 422


class OtherSession(BadInput):
    """An entity tag, where none was given."""

    code = "other_ice_session"
    status = 412


def check_type(request: Request, wanted: str) -> None:
    """Raise WrongType unless the body is of this content type."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != wanted:
        raise WrongType(f"expected a body of type {wanted}, got another")


def bearer_of(request: Request) -> str:
    """The bearer token (RFC 6750 section 2.1). Raises TicketRefused when there is none."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise TicketRefused("expected a bearer ticket, got none", why="tampered")
    return token.strip()


async def text_of(request: Request, most: int) -> str:
    """The body, read no further than ``most`` bytes and no longer than BODY_SECONDS. Raises BadInput."""
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for part in request.stream():
                body += part
                if len(body) > most:
                    raise TooLong(f"expected a body of at most {most} bytes, got a longer one")
    except TimeoutError:
        raise TooSlow(f"expected a whole body within {BODY_SECONDS:.0f} s, got a part of it") from None
    try:
        return body.decode()
    except UnicodeDecodeError:
        raise BadSdp("expected text in UTF-8, got other bytes") from None


async def drain(request: Request) -> None:
    """Read on what a client still sends of a body that was refused, and forget it; within bounds.

    A connection that is closed while it still sends is reset, and the client never sees why it was refused.
    """
    read = 0
    with suppress(TimeoutError, ClientDisconnect, RuntimeError):  # the last one: it was read to its end before
        async with asyncio.timeout(DRAIN_SECONDS):
            async for part in request.stream():
                read += len(part)
                if read > DRAIN_BYTES:
                    return


def check_precondition(request: Request) -> None:
    """RFC 9725 section 4.3.1: ``*`` asks for an ICE restart; no tag was given, so no other can match."""
    tag = request.headers.get("if-match")
    if tag is not None:
        raise NoRestart(NO_RESTART) if tag.strip('" ') == "*" else OtherSession("expected no entity tag, got one")
