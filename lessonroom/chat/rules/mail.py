"""Mail addresses whose signs are written as words, in brackets, or left out. Pure.

"vasya (собака) pupkin (точка) ru", "anna at gmail dot com", "vasya82 гмейл ком", "моя почта ivanov1990 на яндексе".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from lessonroom.chat.domains import PROVIDERS
from lessonroom.chat.lexicon import BIT, mask
from lessonroom.chat.rules.names import name_at
from lessonroom.chat.rules.reading import Hit, Reading
from lessonroom.chat.types import Kind

_AT: Final = BIT["ATWORD"]
_AT_WEAK: Final = BIT["ATWEAK"]
_DOT: Final = BIT["DOTWORD"]
_TLD: Final = BIT["TLDWORD"]
_HOST: Final = BIT["MAILHOST"]
_SIGNS: Final = _AT | _AT_WEAK | _HOST | BIT["MAIL"]
_CUED: Final = mask("MAIL", "WRITE", "GIVE", "MY", "SAVE", "NAME")
_TOPIC: Final = mask("TOPIC", "EXERCISE")
_BARE: Final = frozenset("aа")
_AT_SIGNS: Final = _BARE | {"@"}
_BRACKETS: Final = frozenset("()[]{}<>«»\"'*_-|/\\`~")
_REACH: Final = 8
_MOST_SIGNS: Final = 40
"""At signs and hosts that are looked at: a message with more is no message."""


def mail_hits(reading: Reading) -> Iterator[Hit]:
    """Every disguised mail address. Each at sign or host is looked at once, within a few tokens."""
    seen = 0
    for i, token in enumerate(reading.tokens):
        if not token.cues & _SIGNS and token.text not in _AT_SIGNS:
            continue
        hit = None
        if seen >= _MOST_SIGNS:
            return
        if (token.text == "@" and not _literal(reading, i)) or token.cues & (_AT | _AT_WEAK) or _bare_a(reading, i):
            hit = _around_at(reading, i)
        elif token.cues & (_HOST | BIT["MAIL"]):
            hit = _around_host(reading, i)
        seen += bool(token.text == "@" or token.cues & (_AT | _AT_WEAK | _HOST))
        if hit is not None:
            yield hit


def _bare_a(reading: Reading, i: int) -> bool:
    """The at sign as "(a)"."""
    return reading.tokens[i].text in _BARE and _bracketed(reading, i)


def _literal(reading: Reading, i: int) -> bool:
    """Whether an at sign touches both sides: the link rules read such an address as it stands."""
    return i + 1 in reading.mail_hosts


def _after(reading: Reading, i: int) -> list[int]:
    """Indices of the tokens after ``i`` that are no brackets or decoration."""
    end = min(i + 1 + _REACH, len(reading.tokens))
    return [k for k in range(i + 1, end) if reading.tokens[k].text not in _BRACKETS]


def _before(reading: Reading, i: int) -> int | None:
    """Index of the last token before ``i`` that is no decoration."""
    for k in range(i - 1, max(i - 4, -1), -1):
        if reading.tokens[k].text not in _BRACKETS:
            return k
    return None


def _around_at(reading: Reading, i: int) -> Hit | None:
    before, after = _before(reading, i), _after(reading, i)
    if before is None or not after or reading.tokens[before].shape == "p":
        return None
    weak = bool(reading.tokens[i].cues & _AT_WEAK) and not _bracketed(reading, i)
    tail = _domain(reading, after, weak=weak)
    if tail is None:
        return None
    last, sure = tail
    score = (0.95 if sure else 0.75) - (0.25 if weak and not sure else 0.0)
    near = reading.around(before, last, 8, 4)
    if near & _TOPIC and not near & mask("MY", "WRITE", "MAIL", "GIVE"):
        score -= 0.15 if sure else 0.3
    first = _local_start(reading, before)
    rule = "mail_words" if reading.tokens[i].text != "@" else "mail_spaced"
    return Hit(
        Kind.EMAIL, reading.tokens[first].start, reading.tokens[last].end, rule, score, "a mail address in words"
    )


def _bracketed(reading: Reading, i: int) -> bool:
    tokens = reading.tokens
    return 0 < i < len(tokens) - 1 and tokens[i - 1].text in _BRACKETS and tokens[i + 1].text in _BRACKETS


def _domain(reading: Reading, after: list[int], *, weak: bool) -> tuple[int, bool] | None:
    """What follows an at sign: a host with dot and ending (sure), or a mail provider's name.

    A ``weak`` sign, the English word "at", wants a mail provider or a dot written as a word.
    """
    tokens = reading.tokens
    host = tokens[after[0]]
    if host.shape not in "wx":
        return None
    provider = bool(host.cues & _HOST) or host.text in PROVIDERS
    for place, k in enumerate(after[1:4], start=1):
        sign = tokens[k].text in ".," and (provider or not weak)
        if (tokens[k].cues & _DOT or sign) and place + 1 < len(after):
            ending = tokens[after[place + 1]]
            if ending.cues & _TLD or (
                ending.text.isalpha() and ending.text.isascii() and 2 <= len(ending.text) <= 4 and ending.gap == 0
            ):
                return after[place + 1], True
        elif tokens[k].cues & _TLD and provider:
            return k, True
    return (after[0], False) if provider and host.text not in ("i", "me", "mail", "live", "list", "meta") else None


def _local_start(reading: Reading, before: int) -> int:
    """Where the part before the at sign begins: it may hold dot words and joined pieces."""
    tokens, first = reading.tokens, before
    while first > 0 and before - first < 8:
        previous = tokens[first - 1]
        if tokens[first].gap == 0 and (previous.shape != "p" or previous.text in "._-"):
            first -= 1
        elif previous.cues & (_DOT | mask("UNDERSCORE")) and first > 1:
            first -= 2
        else:
            break
    return max(first, 0)


def _around_host(reading: Reading, i: int) -> Hit | None:
    """A provider's name with a handle beside it: "vasya82 gmail com", "my gmail is vasya.pupkin"."""
    tokens = reading.tokens
    best, likeness = None, 0.0
    for k in (*range(max(i - 5, 0), i), *range(i + 1, min(i + 7, len(tokens)))):
        name = name_at(reading, k) if k == 0 or tokens[k].gap or tokens[k - 1].text in ':("«' else None
        if name is not None and name.likeness > likeness and not name.first <= i <= name.last:
            best, likeness = name, name.likeness
    if best is None or likeness < 0.3:
        return None
    ended = any(t.cues & _TLD for t in tokens[i + 1 : i + 4])
    near = reading.between(i - 6, i + 7)
    host = bool(tokens[i].cues & _HOST)
    score = likeness * 0.7 + 0.25 * ended + 0.2 * bool(near & _CUED) - 0.25 * bool(near & _TOPIC) - 0.1 * (not host)
    start, end = min(tokens[i].start, tokens[best.first].start), max(tokens[i].end, tokens[best.last].end)
    return Hit(
        Kind.EMAIL,
        start,
        end,
        "mail_host" if host else "mail_name",
        min(max(score, 0.05), 0.95),
        "a mail service beside a name",
    )
