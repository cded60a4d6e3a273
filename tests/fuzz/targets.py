"""What is fuzzed: each target takes bytes as a stranger sends them."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from ipaddress import ip_address

from aiortc.sdp import SessionDescription

from lessonroom import auth, messages
from lessonroom.errors import BadSdp
from lessonroom.media.candidates import read_candidate
from lessonroom.media.sdp import SdpPolicy, read_offer
from lessonroom.media.sdpfrag import read_fragment
from lessonroom.server.strict import read_message
from tests.fuzz import corpus, lesson, media, whip
from tests.fuzz.mutate import DATAGRAMS, TOKENS
from tests.fuzz.runner import Read, Target

SECRET = b"s" * 32
NOW = 1_800_000_000.0
CLAIMS = auth.TicketClaims("ticket-1", "room-0001", "member-1", "student", "socket", "https://a.example", NOW + 30)


def offer(data: bytes) -> None:
    """An offer is refused, or what is passed on is readable to aiortc and to ourselves, which changes nothing more."""
    text = _text(data)
    for policy in (SdpPolicy(), SdpPolicy(loopback=True, private=True)):
        understood = read_offer(text, policy)
        SessionDescription.parse(understood.sdp)
        again = read_offer(understood.sdp, policy)
        assert again.sdp == understood.sdp, "what was written anew is not read as it was written"


def fragment(data: bytes) -> None:
    """A fragment is refused, or gives candidates that are refused or read."""
    for _, line in read_fragment(_text(data)).candidates[:30]:
        read_candidate(line, loopback=True, private=True)


def candidate(data: bytes) -> None:
    """A candidate is refused or left out; one that is used names a public address, in its usual spelling."""
    found = read_candidate(_text(data), loopback=False, private=False)
    if found is None:
        return
    address = ip_address(found.address)
    assert str(address) == found.address, "the address is spelt otherwise"
    assert address.is_global and not address.is_multicast, "an address that may not be used"  # noqa: PT018
    assert found.type in {"host", "srflx", "relay"}
    assert 0 < found.port < 2**16
    again = read_candidate(str(found), loopback=False, private=False)
    assert again == found, "what was written anew is not read as it was written"


def message(data: bytes) -> None:
    """A frame is refused, or a message that says the same when it is written and read again."""
    read = read_message(_text(data))
    assert read_message(messages.dump(read)) == read, "what was written anew is not read as it was written"


def answer(data: bytes) -> None:
    """A frame of the server, as the simulated student and the bench read it."""
    messages.parse_to_page(data)


def ticket(data: bytes) -> None:
    """A ticket is refused, or it is the one that was signed."""
    token = data.decode("latin-1")
    read = auth.read(SECRET, token, purpose="socket", origin=CLAIMS.origin, now=NOW)
    assert read == CLAIMS, "a ticket that nobody signed"


def _text(data: bytes) -> str:
    """As the routes do it."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise BadSdp("expected text in UTF-8, got other bytes") from None


def _plain(read: Read) -> Callable[[], AbstractContextManager[Read]]:
    return lambda: nullcontext(read)


def _tickets() -> tuple[bytes, ...]:
    """Good ones, and such as were made by another server, for elsewhere, or too long ago."""
    elsewhere = auth.TicketClaims("ticket-2", "room-0002", "member-2", "teacher", "socket", "", NOW + 20)
    old = auth.TicketClaims("ticket-3", "room-0001", "member-1", "student", "whip", CLAIMS.origin, NOW - 5)
    made = [
        auth.issue(SECRET, CLAIMS, NOW), auth.issue(b"t" * 32, CLAIMS, NOW), auth.issue(SECRET, elsewhere, NOW),
        auth.issue(SECRET, old, NOW - 30),
    ]  # fmt: skip
    return tuple(token.encode() for token in made)


TARGETS = {
    target.name: target
    for target in (
        Target("offer", corpus.OFFERS, _plain(offer), corpus.SDP_WORDS, weight=10),
        Target("fragment", corpus.FRAGMENTS, _plain(fragment), corpus.SDP_WORDS + corpus.CANDIDATE_WORDS, weight=14),
        Target("candidate", corpus.CANDIDATES, _plain(candidate), corpus.CANDIDATE_WORDS, weight=22),
        Target("message", corpus.MESSAGES, _plain(message), corpus.JSON_WORDS, TOKENS, weight=25),
        Target("ticket", _tickets(), _plain(ticket), (b".", b"-", b"_", b"=", b"e30"), weight=6),
        Target("payload", media.PAYLOADS, media.payloads, (), DATAGRAMS, weight=8),
        Target("rtp", media.STREAMS, media.receiver, (), DATAGRAMS, weight=7),
        Target("rtcp", media.REPORTS, media.receiver, (), DATAGRAMS, weight=7),
        Target("lesson", lesson.CONVERSATIONS, lesson.rooms, corpus.JSON_WORDS, DATAGRAMS, weight=0.3, cpu=0.3),
        Target("whip", whip.REQUESTS, whip.server, corpus.SDP_WORDS + whip.WORDS, weight=1),
    )
}
"""By name; the weights are shares of about a hundred."""
