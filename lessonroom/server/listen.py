"""Listening: a bound socket first, so that port 0 is known before any link is made; then uvicorn with our limits."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from ipaddress import ip_network
from typing import Protocol

import uvicorn
from starlette.types import ASGIApp

from lessonroom.config import Settings
from lessonroom.errors import BadSetting
from lessonroom.processes import collector
from lessonroom.server.patience import Brief, Patience
from lessonroom.server.websockets import Impatient

PING_SECONDS = 10.0
"""A socket is pinged so often and dropped when no pong comes in the same time: a lost network is noticed in 20 s."""
STOP_SECONDS = 10
"""How long requests may go on when the server stops."""


class Application(Protocol):
    """What is served: :class:`lessonroom.app.App`."""

    @property
    def asgi(self) -> ASGIApp:
        """The ASGI application."""
        ...

    async def start(self) -> None:
        """Begin; again changes nothing."""
        ...

    async def stop(self) -> None:
        """End; again changes nothing."""
        ...


def bind(settings: Settings) -> tuple[socket.socket, Settings]:
    """A listening socket, and the settings with the port that it got. Raises BadSetting when the port is taken."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((settings.host, settings.port))
        bound.listen(2048)
    except OSError as error:
        bound.close()
        raise BadSetting(
            f"host, port: expected an address to listen on, got {settings.host}:{settings.port}: {error.strerror}"
        ) from None
    return bound, settings.model_copy(update={"port": bound.getsockname()[1]})


def server(asgi: ASGIApp, settings: Settings) -> uvicorn.Server:
    """A uvicorn server for ``await server.serve(sockets=[bound])``; it says nothing by itself."""
    proxies = _spelled(settings.trusted_proxies)
    patience = Patience(settings.connections_per_address, settings.trusted_proxies)
    return uvicorn.Server(
        uvicorn.Config(
            asgi,
            host=settings.host,
            port=settings.port,
            http=type("Brief", (Brief,), {"patience": patience}),
            ws=type("Impatient", (Impatient,), {"patience": patience}),
            ws_max_size=settings.socket_bytes,
            ws_per_message_deflate=False,
            ws_ping_interval=PING_SECONDS,
            ws_ping_timeout=PING_SECONDS,
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            # uvicorn itself would believe whoever comes from this machine
            proxy_headers=bool(proxies),
            forwarded_allow_ips=proxies,
            timeout_graceful_shutdown=STOP_SECONDS,
        )
    )


def _spelled(proxies: Iterable[str]) -> list[str]:
    """Addresses and networks, IPv4 ones also as they come to a server that listens on ``::``: inside of IPv6 ones."""
    known = [ip_network(one) for one in proxies]
    inside = [f"::ffff:{one.network_address}/{96 + one.prefixlen}" for one in known if one.version == 4]
    return [*map(str, known), *inside]


@asynccontextmanager
async def started(app: Application) -> AsyncIterator[None]:
    """Start the application before it is served, so that rooms and links can be made; stop it at the end."""
    await app.start()
    try:
        yield
    finally:
        await app.stop()


async def serve(app: Application, listener: socket.socket, settings: Settings) -> None:
    """Serve on a bound socket until a signal says stop."""
    collector.spare()
    await server(app.asgi, settings).serve(sockets=[listener])
