"""Tickets, permissions, admin keys and TURN credentials."""

from __future__ import annotations

import base64
import hashlib
import hmac
import math
from dataclasses import replace
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from itsdangerous import URLSafeSerializer

from lessonroom import auth, messages
from lessonroom.auth import PERMISSIONS, Permission, Scope, TicketClaims, may
from lessonroom.errors import TicketRefused

SECRET = b"k" * 32
NOW = 1_800_000_000.0
CLAIMS = TicketClaims("ticket-0001", "room-0001", "member-01", "student", "socket", "https://a.example", NOW + 30)

ALLOWED = {
    "teacher": "socket chat.send chat.appeal signal leave ping consents hint hint.feedback hints",
    "student": "socket chat.send chat.appeal signal leave ping whip consents consent camera stuck",
    "guardian": "consents",
    "observer": "operations review",
}


def signed(payload: Any) -> str:
    """A payload signed as a ticket is, for what only another version of the server could have made."""
    kwargs = {"key_derivation": "hmac", "digest_method": hashlib.sha256}
    return str(URLSafeSerializer(SECRET, salt="lessonroom.ticket.v1", signer_kwargs=kwargs).dumps(payload))


def read(
    token: str, *, purpose: auth.Purpose = "socket", origin: str = CLAIMS.origin, now: float = NOW
) -> TicketClaims:
    return auth.read(SECRET, token, purpose=purpose, origin=origin, now=now)


# --- permissions -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("permission", Permission)
@pytest.mark.parametrize("role", ALLOWED)
def test_each_role_may_do_what_its_row_says_and_nothing_else(role: str, permission: Permission) -> None:
    assert may(role, permission) is (permission in ALLOWED[role].split())


def test_an_unknown_role_or_action_is_not_allowed() -> None:
    assert not may("admin", "socket")
    assert not may("", "socket")
    assert not may("teacher", "")
    assert not may("teacher", "everything")


def test_every_role_of_the_protocol_has_a_row() -> None:
    """And the guardian, whom no page of a lesson ever hears of."""
    assert set(PERMISSIONS) == {*get_args(messages.Role), "guardian"}


def test_every_message_of_a_page_is_allowed_to_somebody() -> None:
    """Hello comes before there is a role; any other message that nobody may send would be a gap in the table."""
    union = get_args(messages.FromPage)[0]
    types = {model.model_fields["type"].default for model in get_args(union)} - {"hello"}
    assert {word for word in types if not any(may(role, word) for role in PERMISSIONS)} == set()


def test_only_the_student_speaks_for_the_student() -> None:
    """Consent, camera and analysis are the student's own: nobody else can agree to it or feed the analyser."""
    for action in ("consent", "camera", "stuck", "whip"):
        assert [role for role in PERMISSIONS if may(role, action)] == ["student"]


# --- tickets ---------------------------------------------------------------------------------------------------------


def test_a_ticket_is_read_back_as_it_was_issued() -> None:
    assert read(auth.issue(SECRET, CLAIMS, NOW)) == CLAIMS


def test_a_ticket_fits_into_the_first_frame_of_a_socket() -> None:
    """``Hello.ticket`` takes 1024 characters; ids have at most 64, a host name at most 253."""
    big = replace(CLAIMS, id="i" * 64, room="r" * 64, member="m" * 64, origin=f"https://{'h' * 253}:65535")
    token = auth.issue(SECRET, big, NOW)
    assert messages.parse(messages.Hello(ticket=token, page="page-0001").model_dump_json())


@pytest.mark.parametrize("purpose", get_args(auth.Purpose))
def test_a_ticket_works_for_its_own_purpose_only(purpose: auth.Purpose) -> None:
    role = "observer" if purpose == "operations" else "student"
    token = auth.issue(SECRET, replace(CLAIMS, purpose=purpose, role=role), NOW)
    for asked in get_args(auth.Purpose):
        if asked == purpose:
            assert read(token, purpose=asked).purpose == purpose
        else:
            with pytest.raises(TicketRefused, match=f"expected a ticket for {asked}, got one for {purpose}"):
                read(token, purpose=asked)


@pytest.mark.parametrize(
    ("later", "good"), [(0, True), (29.9, True), (30, False), (30.1, False), (1e9, False), (math.nan, False)]
)
def test_a_ticket_works_until_its_time_has_come(later: float, good: bool) -> None:
    token = auth.issue(SECRET, CLAIMS, NOW)
    if good:
        assert read(token, now=NOW + later) == CLAIMS
    else:
        with pytest.raises(TicketRefused, match="expected a fresh ticket"):
            read(token, now=NOW + later)


@pytest.mark.parametrize(
    "origin", ["", "null", "https://a.example:444", "http://a.example", "https://a.example.evil", "ё"]
)
def test_a_ticket_works_for_its_own_origin_only(origin: str) -> None:
    token = auth.issue(SECRET, CLAIMS, NOW)
    with pytest.raises(TicketRefused, match="origin") as refused:
        read(token, origin=origin)
    assert not origin or origin not in str(refused.value)


def test_a_ticket_of_another_secret_is_refused() -> None:
    token = auth.issue(b"x" * 32, CLAIMS, NOW)
    with pytest.raises(TicketRefused, match="signed by this server"):
        read(token)


def test_a_ticket_of_another_salt_is_refused() -> None:
    """The signing key also signs other things; none of them may be taken for a ticket."""
    other = URLSafeSerializer(SECRET, salt="other", signer_kwargs={"digest_method": hashlib.sha256})
    with pytest.raises(TicketRefused):
        read(str(other.dumps({"id": "x"})))


@given(st.integers(0, 10_000), st.characters(codec="ascii"))
def test_a_ticket_with_any_character_changed_is_refused(place: int, letter: str) -> None:
    token = auth.issue(SECRET, CLAIMS, NOW)
    place %= len(token)
    # the last character of the signature carries 4 bits that base64 drops; the others all count
    if token[place] != letter and place != len(token) - 1:
        with pytest.raises(TicketRefused):
            read(token[:place] + letter + token[place + 1 :])


@given(st.text() | st.text(st.characters(categories=["Cs"])))
def test_any_other_text_is_refused_in_one_line_that_does_not_quote_it(text: str) -> None:
    with pytest.raises(TicketRefused) as refused:
        read(text)
    assert str(refused.value) == "expected a ticket signed by this server, got something else"


@pytest.mark.parametrize(
    "payload",
    [
        None,
        [],
        "text",
        {},
        {"id": "x"},
        {**dict.fromkeys(("id", "room", "member", "role", "purpose", "origin"), "x"), "expires_at": NOW + 9},
        {"id": 1, "room": "r", "member": "m", "role": "student", "purpose": "socket", "origin": "", "expires_at": NOW},
        {
            "id": "i",
            "room": "r",
            "member": "m",
            "role": "student",
            "purpose": "socket",
            "origin": "",
            "expires_at": "9",
        },
        {"id": "i", "room": "r", "member": "m", "role": "teacher", "purpose": "whip", "origin": "", "expires_at": NOW},
        {"id": "i", "room": "r", "member": "m", "role": ["s"], "purpose": "whip", "origin": "", "expires_at": NOW},
    ],
)
def test_a_signed_ticket_of_another_shape_is_refused(payload: Any) -> None:
    with pytest.raises(TicketRefused, match="of this version"):
        read(signed(payload))


@pytest.mark.parametrize("expires_at", [math.inf, math.nan, True, 2**53, NOW + 3600])
def test_a_signed_ticket_that_never_ends_is_refused(expires_at: float) -> None:
    """JSON as Python reads it has Infinity; only a leaked key, or another version, would sign such a ticket."""
    claims = {"id": "i", "room": "r", "member": "m", "role": "student", "purpose": "socket", "origin": "o"}
    with pytest.raises(TicketRefused) as refused:
        read(signed({**claims, "expires_at": expires_at}), origin="o")
    assert refused.value.why in {"tampered", "expired"}


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"purpose": "whip"}, "other_purpose"),
        ({"origin": "https://b.example"}, "other_origin"),
        ({"now": NOW + 31}, "expired"),
    ],
)
def test_a_refusal_knows_its_class(given: dict[str, Any], why: str) -> None:
    with pytest.raises(TicketRefused) as refused:
        read(auth.issue(SECRET, CLAIMS, NOW), **given)
    assert refused.value.why == why


@pytest.mark.parametrize("life", [0, -1, 30.001, math.inf, math.nan])
def test_a_ticket_of_no_life_or_of_too_long_a_life_is_not_issued(life: float) -> None:
    with pytest.raises(ValueError, match="expected a ticket that lives"):
        auth.issue(SECRET, replace(CLAIMS, expires_at=NOW + life), NOW)


@pytest.mark.parametrize(
    ("role", "purpose"),
    [
        ("teacher", "whip"),
        ("teacher", "operations"),
        ("student", "operations"),
        ("observer", "socket"),
        ("?", "socket"),
    ],
)
def test_a_ticket_to_where_its_role_may_not_enter_is_not_issued(role: str, purpose: auth.Purpose) -> None:
    with pytest.raises(ValueError, match="may enter"):
        auth.issue(SECRET, replace(CLAIMS, role=role, purpose=purpose), NOW)


@pytest.mark.parametrize("secret", [b"", b"s" * 31])
def test_a_short_signing_secret_is_not_accepted(secret: bytes) -> None:
    with pytest.raises(ValueError, match="at least 32 bytes, got"):
        auth.issue(secret, CLAIMS, NOW)
    with pytest.raises(ValueError, match="at least 32 bytes, got"):
        auth.read(secret, "x", purpose="socket", origin="", now=NOW)


# --- secrets ---------------------------------------------------------------------------------------------------------


def test_a_hash_is_sha256_in_hex() -> None:
    """The example of FIPS 180-4: the digest of "abc"."""
    assert auth.hash_secret("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_a_secret_matches_its_own_hash_only() -> None:
    hashed = auth.hash_secret("code")
    assert auth.matches("code", hashed)
    assert not auth.matches("Code", hashed)
    assert not auth.matches("", hashed)
    assert not auth.matches("code", None)
    assert not auth.matches("code", "")


@pytest.mark.parametrize(
    ("key", "good"),
    [("first", True), ("second", True), ("third", False), ("", False), ("ключ", False), ("\ud800", False)],
)
def test_an_admin_key_is_one_of_those_in_the_settings(key: str, good: bool) -> None:
    hashes = (auth.hash_secret("first"), auth.hash_secret("second").upper())
    assert auth.scopes_of(key, hashes) == (set(Scope) if good else set())


def test_without_admin_keys_nobody_is_admin() -> None:
    assert not auth.scopes_of("first", ())
    assert not auth.scopes_of("", (auth.hash_secret(""),))


def test_an_admin_key_is_for_the_scopes_beside_its_hash_and_no_others() -> None:
    known = (f"{auth.hash_secret('first')}:rooms+members", f"{auth.hash_secret('second')}:audit")
    assert auth.scopes_of("first", known) == {Scope.ROOMS, Scope.MEMBERS}
    assert auth.scopes_of("second", known) == {Scope.AUDIT}
    assert not auth.scopes_of("third", known)


# --- TURN ------------------------------------------------------------------------------------------------------------


def test_turn_credentials_follow_the_draft() -> None:
    """draft-uberti-behave-turn-rest-00 section 2.2: ``timestamp:user`` and base64(hmac(secret, username))."""
    made = auth.turn_credentials("north", "member-01", NOW + 0.7, 6)
    assert made.username == "1800021600:member-01"
    assert made.expires_at == 1_800_021_600
    expected = hmac.new(b"north", made.username.encode(), "sha1").digest()
    assert base64.b64decode(made.credential) == expected
    assert made.credential not in repr(made)


def test_turn_credentials_of_two_members_or_two_times_differ() -> None:
    made = {auth.turn_credentials("s", user, NOW + dt, 1).credential for user in ("a", "b") for dt in (0, 60)}
    assert len(made) == 4
