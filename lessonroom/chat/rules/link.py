"""Links, profiles, meeting links and written-out mail addresses with a real at sign. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from lessonroom.chat.domains import (
    FILES,
    FREE_HOSTS,
    LISTED,
    MEETINGS,
    NETWORKS,
    PROVIDERS,
    SHORTENERS,
    in_hosts,
    is_host,
)
from lessonroom.chat.lexicon import BIT, mask
from lessonroom.chat.rules.reading import Hit, Host, Reading
from lessonroom.chat.types import Kind

_PERSONAL: Final = mask("MY", "WRITE", "ADD", "FIND", "GIVE")
_TOPIC: Final = mask("TOPIC", "EXERCISE")
_DOT: Final = BIT["DOTWORD"]
_TLD: Final = BIT["TLDWORD"]
_SLASH: Final = BIT["SLASH"]
_CHANNELS_BY_HANDLE: Final = frozenset(("youtube.com", "youtu.be"))
_MOST_LINKS: Final = 40


def link_hits(reading: Reading) -> Iterator[Hit]:
    """Every link that is more than a listed site, with dots or with words for them."""
    yield from _in_words(reading)
    for host in reading.hosts[:_MOST_LINKS]:
        hit = _link(reading, host)
        if hit is not None:
            yield hit


def _link(reading: Reading, host: Host) -> Hit | None:
    if host.mail:
        return _mail(reading, host)
    name = host.name
    if in_hosts(name, reading.allowed):
        return None
    if not is_host(
        host.name.split("."), sure=host.scheme or host.path.startswith("/"), scheme=host.scheme
    ) and not in_hosts(name, NETWORKS):
        return None
    if host.labels[-1] in FILES and not host.scheme:
        return None
    for kind, rule, score, evidence in _classes(reading, host, name):
        return _hit(reading, host, kind, rule, score, evidence)
    return None


def _classes(reading: Reading, host: Host, name: str) -> Iterator[tuple[Kind, str, float, str]]:
    path = host.path.strip("/")
    if in_hosts(name, MEETINGS):
        score = 0.95 if path else 0.3
        yield Kind.MEETING, "meeting_link" if path else "meeting_site", score, "a link to a meeting elsewhere"
    if in_hosts(name, NETWORKS):
        yield (Kind.PROFILE, "profile_link", 0.97, "a link to a profile") if path else (
            Kind.PROFILE, "network_site", 0.3, "a network's site is named")  # fmt: skip
    if in_hosts(name, _CHANNELS_BY_HANDLE) and path.startswith(("@", "c/", "channel/", "user/")):
        yield Kind.PROFILE, "video_channel", 0.6, "a link to a personal channel"
    if (
        in_hosts(name, LISTED)
        or host.labels[-1] in ("edu", "gov")
        or host.labels[-2:-1] in (("ac",), ("edu",), ("gov",))
    ):
        return
    if in_hosts(name, SHORTENERS):
        yield Kind.LINK, "short_link", 0.9, "a shortened link"
    if in_hosts(name, FREE_HOSTS):
        yield Kind.LINK, "own_page", 0.9, "a link to a personal page"
    yield _unknown(reading, host)


def _unknown(reading: Reading, host: Host) -> tuple[Kind, str, float, str]:
    near = reading.around(host.first, host.last, 8, 5)
    score = 0.6 + 0.25 * bool(near & _PERSONAL) + 0.22 * host.scheme - 0.35 * bool(near & _TOPIC)
    return Kind.LINK, "unlisted_link", min(score, 0.95), "a link to a site that is not listed"


def _mail(reading: Reading, host: Host) -> Hit | None:
    if in_hosts(host.name, reading.allowed):
        return None
    at = host.first - 1
    if at == 0 or (reading.tokens[at - 1].shape == "p" and reading.tokens[at - 1].text not in "_-."):
        return None
    provider = host.labels[0] in PROVIDERS
    if host.labels[0] == "example" or host.labels[-1] == "example":
        return _hit(reading, host, Kind.EMAIL, "mail_example", 0.2, "a sample mail address", back=2)
    if len(host.labels[-1]) < 2 or host.labels[-1].isdigit():
        return None
    near = reading.around(host.first, host.last, 8, 5)
    score = 0.97 if provider else 0.92 - 0.3 * (bool(near & _TOPIC) and not near & _PERSONAL)
    return _hit(reading, host, Kind.EMAIL, "mail_literal", score, "a mail address", back=_local(reading, at))


def _local(reading: Reading, at: int) -> int:
    """How many tokens the part before the at sign takes, the at sign included."""
    first = at - 1
    while (
        first > 0
        and reading.tokens[first].gap == 0
        and reading.tokens[first - 1].text not in "@,;:()<>\"'"
        and at - first < 12
    ):
        first -= 1
    return at - first + 1


def _hit(  # noqa: PLR0917  (a Hit's own fields, in its order)
    reading: Reading, host: Host, kind: Kind, rule: str, score: float, evidence: str, back: int = 0
) -> Hit:
    first, last = reading.tokens[max(host.first - back, 0)], reading.tokens[host.last]
    return Hit(kind, first.start, last.end, rule, score, evidence)


def _in_words(reading: Reading) -> Iterator[Hit]:
    """ "facebook dot com slash anna", "мой сайт anna-tutor точка ру"."""
    tokens = reading.tokens
    for i in range(1, len(tokens) - 1):
        if not tokens[i].cues & _DOT or not tokens[i + 1].cues & _TLD or tokens[i - 1].shape == "p":
            continue
        rest = tokens[i + 2 : i + 4]
        path = any(t.cues & _SLASH or t.text == "/" for t in rest[:1])
        near = reading.around(i - 1, i + 1, 6, 4)
        network = bool(tokens[i - 1].cues & mask("SOCIAL", "MESSENGER")) or tokens[i - 1].text == "t"
        score = 0.55 + 0.2 * bool(near & (_PERSONAL | mask("LINKWORD"))) + 0.3 * path - 0.3 * bool(near & _TOPIC)
        kind, last = (Kind.PROFILE if network else Kind.LINK), min(i + 1 + 2 * path, len(tokens) - 1)
        yield Hit(kind, tokens[i - 1].start, tokens[last].end, "link_words", min(score, 0.95), "a link in words")
        return
