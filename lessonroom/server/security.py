"""What every answer carries, how large a request may be, and whose pages may ask."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

from fastapi import Depends, Request
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lessonroom.errors import Refused
from lessonroom.server.problems import problem
from lessonroom.server.services import services

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data: blob:",
        "media-src 'self' blob:",
        "connect-src 'self'",
        "manifest-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
"""Content Security Policy, level 3: nothing inline, nothing from another host."""

HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(self), microphone=(self), geolocation=(), payment=(), usb=()",
}

LARGEST_BODY = 131_072
"""Largest body of a request, in bytes: twice the largest session description."""


class SafeHeaders:
    """Puts :data:`HEADERS` on every answer, and forbids to keep one that is not said to be kept."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request; sockets pass by."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def dressed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
                headers.setdefault("cache-control", "no-store")
            await send(message)

        await self._app(scope, receive, dressed)


class BodyLimit:
    """Refuses a body larger than :data:`LARGEST_BODY`, announced or not."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request; sockets pass by."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        announced = Headers(scope=scope).get("content-length", "0")
        if not announced.isdigit() or int(announced) > LARGEST_BODY:
            await problem(413, "too_large", f"expected a body of at most {LARGEST_BODY} bytes")(scope, receive, send)
            return
        got = 0

        async def counted() -> Message:
            nonlocal got
            message = await receive()
            got += len(message.get("body", b""))
            # a body that grows beyond its announcement is cut off as if its sender had gone
            return message if got <= LARGEST_BODY else {"type": "http.disconnect"}

        await self._app(scope, counted, send)


def own_page(request: Request) -> str:
    """The Origin of a request that carries a cookie: one of ours, with a JSON body. Raises Refused.

    A foreign page cannot make a browser send such a request without asking first, and the answer is no: there are no
    CORS headers.
    """
    origin = request.headers.get("origin", "")
    check_origin(origin, services(request).admission.origins)
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise Refused("expected a body of type application/json, got another")
    return origin


def check_origin(origin: str, allowed: Iterable[str]) -> None:
    """Raise Refused unless the origin is exactly one of the allowed ones."""
    if origin not in allowed:
        raise Refused("expected an Origin that this server knows, got another; see the setting allowed_origins")


OwnPage = Annotated[str, Depends(own_page)]
