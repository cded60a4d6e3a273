"""The way of a socket to its function, past everything that is made for requests.

Headers, bodies, errors as JSON and FastAPI's own stacks are nothing to a socket, and cost eleven kilobytes and half a
millisecond for each of those whom anybody may open.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket

Serve = Callable[[WebSocket], Awaitable[None]]


class Sockets:
    """Hands sockets to whoever serves their path; everything else, and other paths, to the application."""

    def __init__(self, app: ASGIApp, served: Mapping[str, Serve]) -> None:
        self._app = app
        self._served = served

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One socket or request."""
        serve = self._served.get(path_of(scope)) if scope["type"] == "websocket" else None
        if serve is None:
            await self._app(scope, receive, send)
        else:
            await serve(WebSocket(scope, receive, send))


def path_of(scope: Scope) -> str:
    """The path within the application, wherever it is mounted."""
    return str(scope.get("path", "")).removeprefix(str(scope.get("root_path", "")))
