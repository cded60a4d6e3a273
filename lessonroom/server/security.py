"""What every answer carries, how large a request may be, and whose pages may ask."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import ip_address
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Request
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lessonroom.errors import Refused
from lessonroom.server.problems import problem
from lessonroom.server.services import services
from lessonroom.server.sockets import path_of

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
    "x-frame-options": "DENY",  # for browsers that do not know frame-ancestors
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(self), microphone=(self), geolocation=(), payment=(), usb=()",
}

HTTPS_ONLY = {"strict-transport-security": "max-age=31536000"}
"""Besides, where the public address is https: browsers come back that way for a year (RFC 6797)."""

GUARDED = ("/metrics", "/openapi.json", "/readyz")
"""What is told only to those who call the server by a name of its own."""

LARGEST_BODY = 131_072
"""Largest body of a request, in bytes: twice the largest session description."""


class SafeHeaders:
    """Puts :data:`HEADERS` on every answer, and forbids to keep one that is not said to be kept."""

    def __init__(self, app: ASGIApp, public_url: str = "") -> None:
        self._app = app
        self._headers = HEADERS | (HTTPS_ONLY if public_url.startswith("https:") else {})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request; sockets pass by."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def dressed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers[name] = value
                headers.setdefault("cache-control", "no-store")
            await send(message)

        await self._app(scope, receive, dressed)


class KnownHost:
    """Tells figures and the API only to those who call the server by a name of its own.

    A foreign page may let its own name point at this server, and then read here as if the server were its own (DNS
    rebinding). It needs a name with a dot for that: addresses and plain names of a local network pass. The API has
    doors of its own, so a proxy that changes the name is only refused there when the server knows its public one.
    """

    def __init__(self, app: ASGIApp, public_url: str = "", origins: Iterable[str] = ()) -> None:
        self._app = app
        self._guarded = GUARDED + (("/api/",) if public_url else ())
        self._known = {urlsplit(one).hostname for one in (public_url, *origins) if one}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request; sockets pass by: they have their Origin."""
        if (
            scope["type"] == "http"
            and path_of(scope).startswith(self._guarded)
            and not self._knows(Headers(scope=scope))
        ):
            await problem(421, "refused", "expected a Host of this server, got another")(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _knows(self, headers: Headers) -> bool:
        hosts = headers.getlist("host")
        if len(hosts) != 1:
            return not hosts  # HTTP/1.0 has none
        try:
            name = urlsplit(f"//{hosts[0]}").hostname or ""
        except ValueError:
            return False
        return name in self._known or "." not in name or _is_address(name)


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


class BodyLimit:
    """Refuses a body larger than :data:`LARGEST_BODY`, announced or not, and one whose end is said in two ways.

    A proxy may believe the other of the two, and take what the server reads as the next request for a part of this one,
    or the reverse (RFC 9112 section 6.1).
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request; sockets pass by."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        if "content-length" in headers and "transfer-encoding" in headers:
            refusal = problem(400, "bad_input", "expected a body with one length, got one with two")
            refusal.headers["connection"] = "close"
            await refusal(scope, receive, send)
            return
        announced = headers.get("content-length", "0")
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


async def own_page(request: Request) -> str:
    """The Origin of a request that carries a cookie: one of ours, with a JSON body. Raises Refused.

    A foreign page cannot make a browser send such a request without asking first, and the answer is no: there are no
    CORS headers. Awaits nothing, but FastAPI would hand a plain function to a thread, for longer than this takes.
    """
    origin = origin_of(request)
    check_origin(origin, services(request).admission.origins)
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise Refused("expected a body of type application/json, got another")
    return origin


def origin_of(connection: HTTPConnection) -> str:
    """The Origin of a request or socket; empty when there is none. Raises Refused when there are several."""
    said = connection.headers.getlist("origin")
    if len(said) > 1:  # which of them a page had is for nobody to guess
        raise Refused("expected one Origin, got several")
    return said[0] if said else ""


def check_origin(origin: str, allowed: Iterable[str]) -> None:
    """Raise Refused unless the origin is exactly one of the allowed ones."""
    if origin not in allowed:
        raise Refused("expected an Origin that this server knows, got another; see the setting allowed_origins")


OwnPage = Annotated[str, Depends(own_page)]
