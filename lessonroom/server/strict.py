"""JSON in which no name stands twice, and bodies that come in time.

RFC 8259 section 4 leaves open what ``{"agreed": false, "agreed": true}`` means, and readers differ. Whoever reads it
otherwise than its writer meant takes a no for a yes, so neither sockets nor requests may say anything twice.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute
from starlette.requests import ClientDisconnect

from lessonroom.errors import BadInput, BadMessage
from lessonroom.messages import FromPage, parse

BODY_SECONDS = 10.0
"""Time for a client to send its body."""


class TooLong(BadInput):
    """A body longer than any honest client sends."""

    code = "too_large"
    status = 413


class TooSlow(BadInput):
    """A body that did not come in time."""

    code = "too_slow"
    status = 408


class _Twice(Exception):
    """A name stands twice in one object."""


def says_it_twice(text: str | bytes) -> bool:
    """Whether a name stands twice in an object, whichever way it is escaped. Raises ValueError for what is no JSON.

    What is nested deeper, or has longer numbers, than Python reads is no JSON here.
    """
    try:
        json.loads(text, object_pairs_hook=_once)
    except _Twice:
        return True
    except RecursionError:
        raise ValueError("expected JSON of a sensible depth, got a deeper one") from None
    return False


def _once(pairs: list[tuple[str, Any]]) -> None:
    if len({name for name, _ in pairs}) != len(pairs):
        raise _Twice


def read_message(text: str) -> FromPage:
    """Read one frame of a page, in which no name stands twice. Raises BadMessage."""
    message = parse(text)
    try:
        twice = says_it_twice(text)
    except ValueError:  # hidden in a value that a later one of the same name replaced
        twice = True
    if twice:
        raise BadMessage("expected each name once in an object, got one twice")
    return message


async def body_of(request: Request) -> bytes:
    """The whole body. Raises TooSlow when it does not come within BODY_SECONDS, TooLong when it was cut off."""
    try:
        async with asyncio.timeout(BODY_SECONDS):
            return await request.body()
    except TimeoutError:
        raise TooSlow(f"expected a whole body within {BODY_SECONDS:.0f} s, got a part of it") from None
    except ClientDisconnect:  # its sender has gone, or it has grown beyond security.LARGEST_BODY
        raise TooLong("expected a whole body of the announced length, got a longer one or a part") from None


class StrictRoute(APIRoute):
    """A route whose JSON says nothing twice. :meth:`check` comes before anything of the body is read."""

    def check(self, request: Request) -> None:
        """Raise what a request that may not even be read is answered with."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Wrap the route's own handler."""
        handle = super().get_route_handler()

        async def guarded(request: Request) -> Response:
            self.check(request)
            body = await body_of(request)
            if body and _twice(body):
                raise BadInput("expected each name once in an object, got one twice")
            return await handle(request)

        return guarded


def _twice(body: bytes) -> bool:
    """What is no JSON is for the route to refuse, in its own words."""
    try:
        return says_it_twice(body)
    except ValueError:
        return False
