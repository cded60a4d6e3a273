"""The door of administration: an admin key with the scope that the route wants, before a byte of the body is read."""

from __future__ import annotations

from typing import Any

from fastapi import Request, Security, params
from fastapi.security import HTTPBearer

from lessonroom.auth import Scope, hash_secret, scopes_of
from lessonroom.errors import TicketRefused
from lessonroom.server.services import services
from lessonroom.server.strict import StrictRoute

bearer = HTTPBearer(
    auto_error=False,
    scheme_name="admin_key",
    description="A key whose SHA-256 stands in the setting admin_keys, with the scope that the route names.",
)
"""For the document; :class:`KeyedRoute` reads it."""


class WrongScope(TicketRefused):
    """A good key, for other things."""

    code = "refused"
    status = 403


def wants(scope: Scope) -> Any:
    """A dependency for ``dependencies=[wants(Scope.ROOMS)]``: this route or router needs a key with this scope."""
    return Security(bearer, scopes=[scope.value])


class KeyedRoute(StrictRoute):
    """A route of administration; one that names no scope cannot be made."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.scope = _scope_of(self.dependencies)

    def check(self, request: Request) -> None:
        """Let pass who has a key for this, and remember which for the audit. Raises TicketRefused, WrongScope."""
        key = key_of(request)
        scopes = scopes_of(key, services(request).settings.admin_keys)
        if not scopes:
            raise TicketRefused("expected a bearer key of the setting admin_keys, got none or another", why="wrong_key")
        if self.scope not in scopes:
            raise WrongScope(f"expected a key with the scope {self.scope}, got one without it", why="wrong_scope")
        request.state.actor = f"key:{hash_secret(key)[:8]}"


def key_of(request: Request) -> str:
    """The bearer key (RFC 6750 section 2.1); empty where there is none."""
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    return key.strip() if scheme.lower() == "bearer" else ""


def _scope_of(dependencies: list[params.Depends]) -> Scope:
    """The scope of the route itself, which goes before that of its router."""
    named = [one.scopes for one in dependencies if isinstance(one, params.Security) and one.dependency is bearer]
    if not named or not named[-1]:
        raise TypeError("expected dependencies=[wants(SCOPE)] for a route of administration, got none")
    return Scope(next(iter(named[-1])))
