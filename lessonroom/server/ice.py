"""STUN and TURN servers for a browser, a WHIP client or the analyser, with credentials that expire. Pure."""

from __future__ import annotations

from lessonroom.auth import turn_credentials
from lessonroom.config import Settings
from lessonroom.messages import IceServer


def ice_servers(settings: Settings, user: str, now: float) -> tuple[IceServer, ...]:
    """What ``user`` may use for ``turn_hours`` from ``now`` (seconds since the epoch) on.

    TURN addresses come with credentials made from the shared secret; without a secret the servers are left out, for
    nobody could log in there.
    """
    servers: list[IceServer] = []
    if settings.stun_urls:
        servers.append(IceServer(urls=list(settings.stun_urls)))
    if settings.turn_urls and settings.turn_secret:
        made = turn_credentials(settings.turn_secret, user, now, settings.turn_hours)
        servers.append(IceServer(urls=list(settings.turn_urls), username=made.username, credential=made.credential))
    return tuple(servers)
