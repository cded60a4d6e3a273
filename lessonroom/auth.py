"""Who may do what: tickets, roles and their permissions, admin keys, TURN credentials. Pure: ``now`` is an argument.

Random ids and secrets are made by the caller. Only hashes of secrets are ever kept, and every comparison with a
secret or a signature takes the same time whether it succeeds or fails. That a ticket is used only once is the store's
business (:meth:`lessonroom.storage.store.Store.spend`).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from enum import StrEnum
from typing import Any, Literal, cast

from itsdangerous import BadData, URLSafeSerializer

from lessonroom.errors import TicketRefused

Purpose = Literal["socket", "whip", "operations"]
"""Where a ticket lets its bearer in."""

LEAST_SECRET = 32
"""Shortest signing secret, in bytes: as long as the SHA-256 that is made with it (RFC 2104 section 3)."""

LONGEST_TICKET = 30.0
"""Longest life of a ticket, in seconds."""

CLOCKS_APART = 5.0
"""How far the clocks of two servers with one key may be apart, in seconds."""

_SALT = "lessonroom.ticket.v1"


class Scope(StrEnum):
    """What an admin key may be for. A key without any written beside its hash is for all of them."""

    ROOMS = "rooms"
    MEMBERS = "members"
    REVIEW = "review"
    AUDIT = "audit"


class Permission(StrEnum):
    """What can be allowed: the places to enter, and the messages of the room's socket by their wire types."""

    SOCKET = "socket"
    WHIP = "whip"
    OPERATIONS = "operations"
    REVIEW = "review"
    CHAT_SEND = "chat.send"
    CHAT_APPEAL = "chat.appeal"
    SIGNAL = "signal"
    CONSENT = "consent"
    CONSENTS = "consents"
    CAMERA = "camera"
    STUCK = "stuck"
    HINT = "hint"
    HINT_FEEDBACK = "hint.feedback"
    HINTS = "hints"
    LEAVE = "leave"
    PING = "ping"


_EVERYBODY = frozenset(
    {
        Permission.SOCKET,
        Permission.CHAT_SEND,
        Permission.CHAT_APPEAL,
        Permission.SIGNAL,
        Permission.LEAVE,
        Permission.PING,
    }
)

PERMISSIONS: Mapping[str, frozenset[Permission]] = {
    # hint: is shown hints; hint.feedback: says whether one helped; hints: turns them on and off
    "teacher": _EVERYBODY | {Permission.CONSENTS, Permission.HINT, Permission.HINT_FEEDBACK, Permission.HINTS},
    "student": _EVERYBODY
    | {Permission.WHIP, Permission.CONSENTS, Permission.CONSENT, Permission.CAMERA, Permission.STUCK},
    # a guardian enters no room: they have a page of their own
    "guardian": frozenset({Permission.CONSENTS}),
    # operations see figures of all rooms, decide on messages that wait, and enter no room
    "observer": frozenset({Permission.OPERATIONS, Permission.REVIEW}),
}
"""Role → all that it may do. What does not stand here is not allowed."""


def may(role: str, action: str) -> bool:
    """Whether a role may do something; False for a role or an action that nobody knows."""
    return action in PERMISSIONS.get(role, frozenset())


@dataclass(frozen=True, slots=True)
class TicketClaims:
    """What a ticket says. ``origin``: the page's Origin, empty for a client that is no browser.

    ``expires_at``: seconds since the epoch; ``room``: empty for operations.
    """

    id: str
    room: str
    member: str
    role: str
    purpose: Purpose
    origin: str
    expires_at: float


def issue(secret: bytes, claims: TicketClaims, now: float) -> str:
    """Sign a ticket: URL-safe text, HMAC-SHA-256.

    Raises ValueError when the secret is short, the role may not enter there, or the life is not within
    ``LONGEST_TICKET``: each is a mistake of the caller, not of a person.
    """
    life = claims.expires_at - now
    if not 0 < life <= LONGEST_TICKET:
        raise ValueError(f"expected a ticket that lives 0 to {LONGEST_TICKET:.0f} s, got {life:.1f} s")
    if not may(claims.role, claims.purpose):
        raise ValueError("expected a role that may enter where the ticket leads, got one that may not")
    return str(_serializer(secret).dumps(asdict(claims)))


def read(secret: bytes, token: str, *, purpose: Purpose, origin: str, now: float) -> TicketClaims:
    """Check a ticket and give back what it says. The caller still has to spend its id.

    Raises TicketRefused when it was not signed with this secret, is too old or too young to be true, or is meant for
    another purpose or origin.
    """
    try:
        claims = _claims(_serializer(secret).loads(token))
    except (BadData, UnicodeError):  # a lone surrogate cannot be encoded
        raise TicketRefused("expected a ticket signed by this server, got something else", why="tampered") from None
    if not now < claims.expires_at:
        raise TicketRefused(
            f"expected a fresh ticket, got one that expired {now - claims.expires_at:.0f} s ago", why="expired"
        )
    if claims.expires_at - now > LONGEST_TICKET + CLOCKS_APART:
        raise TicketRefused("expected a ticket that ends soon, got one that lives too long", why="tampered")
    if not _same(claims.purpose, purpose):
        raise TicketRefused(f"expected a ticket for {purpose}, got one for {claims.purpose}", why="other_purpose")
    if not _same(claims.origin, origin):
        raise TicketRefused("expected a ticket made for this origin, got one made for another", why="other_origin")
    return claims


def _serializer(secret: bytes) -> URLSafeSerializer:
    if len(secret) < LEAST_SECRET:
        raise ValueError(f"expected a signing secret of at least {LEAST_SECRET} bytes, got {len(secret)}")
    return URLSafeSerializer(
        secret, salt=_SALT, signer_kwargs={"key_derivation": "hmac", "digest_method": hashlib.sha256}
    )


def _claims(payload: object) -> TicketClaims:
    """Read a signed payload, which may be of another version of Lessonroom."""
    names = {known.name for known in fields(TicketClaims)}
    if not isinstance(payload, dict) or payload.keys() != names:
        raise TicketRefused("expected a ticket of this version, got one with other fields", why="tampered")
    expires_at = payload.pop("expires_at")
    words = all(isinstance(value, str) for value in payload.values())
    if not words or not _is_time(expires_at) or not may(payload["role"], payload["purpose"]):
        raise TicketRefused("expected a ticket of this version, got one with other values", why="tampered")
    return TicketClaims(expires_at=float(expires_at), **cast("dict[str, Any]", payload))


def _is_time(value: object) -> bool:
    """JSON as Python reads it has infinities, and its booleans are numbers."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 2**53


def hash_secret(text: str) -> str:
    """SHA-256 in hex: what is kept of a code, a session or an admin key.

    No salt and no stretching: these secrets are random and long, not words that a person chose.
    """
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()


def matches(secret: str, hashed: str | None) -> bool:
    """Whether ``hashed`` was made of ``secret``; False where nothing was kept."""
    return hashed is not None and _same(hash_secret(secret), hashed.lower())


def scopes_of(key: str, known: Iterable[str]) -> frozenset[Scope]:
    """What an admin key is for; nothing when it is none of ours.

    ``known``: the setting ``admin_keys``, each ``HASH`` or ``HASH:SCOPE+SCOPE``. All are compared, always.
    """
    found: set[Scope] = set()
    for entry in known:
        hashed, _, words = entry.partition(":")
        if matches(key, hashed):
            found |= {Scope(word) for word in words.split("+")} if words else set(Scope)
    return frozenset(found) if key else frozenset()


def alias(secret: bytes, sender: str) -> str:
    """A name for a person that means nothing to whoever has not the signing key, for records that stay for ever."""
    return "person:" + hmac.new(secret, sender.encode(errors="surrogatepass"), hashlib.sha256).hexdigest()[:32]


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(errors="surrogatepass"), other.encode(errors="surrogatepass"))


@dataclass(frozen=True, slots=True)
class TurnCredentials:
    """User name and password that a TURN server takes until ``expires_at`` (seconds since the epoch)."""

    username: str
    credential: str = field(repr=False)
    expires_at: int


def turn_credentials(secret: str, user: str, now: float, hours: float) -> TurnCredentials:
    """Time-limited credentials by draft-uberti-behave-turn-rest-00 section 2.2, coturn's ``use-auth-secret``.

    The name is ``EXPIRY:user``, the password base64(HMAC-SHA1(secret, name)).
    """
    expires_at = int(now + hours * 3600)
    username = f"{expires_at}:{user}"
    # SHA-1 is what the draft and coturn's default ask for; as an HMAC it is not broken
    digest = hmac.new(secret.encode(), username.encode(), hashlib.sha1).digest()
    return TurnCredentials(username, base64.b64encode(digest).decode(), expires_at)
