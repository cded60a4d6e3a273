"""Handles of messengers and networks, and "find me there by my name". Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from lessonroom.chat.lexicon import BIT, DISGUISED, mask
from lessonroom.chat.rules.names import ends, name_at
from lessonroom.chat.rules.reading import Hit, Name, Reading
from lessonroom.chat.types import Kind
from lessonroom.chat.words import word_set

_MESSENGERS: Final = mask("MESSENGER", "CALLAPP", "HINTAPP")
_SOCIAL: Final = BIT["SOCIAL"]
_CHANNELS: Final = _MESSENGERS | _SOCIAL
_OWN: Final = BIT["MY"]
_ACT: Final = mask("ADD", "FIND", "WRITE", "GIVE", "SAVE", "CALL")
_SEEK: Final = mask("FIND", "ADD")
_NAME: Final = BIT["NAME"]
_TOPIC: Final = mask("TOPIC", "EXERCISE", "NOTE")
_CODE: Final = word_set(
    "property media override import staticmethod classmethod dataclass param return author deprecated test "
    "keyframes charset font-face component everyone here all echo app pytest"
)  # fmt: skip
_BEFORE_AT: Final = word_set("( [ : , ; - — – . / | « ! ? =")
_NAMED_OFTEN: Final = 6


def handle_hits(reading: Reading) -> Iterator[Hit]:
    """Handles beside channels, lone @handles, logins, and requests to be found by name."""
    yield from _beside_channels(reading)
    yield from _at_handles(reading)
    yield from _logins(reading)
    yield from _find_me(reading)
    yield from _persons(reading)
    yield from _lone_names(reading)


def _starts(reading: Reading, lo: int, hi: int) -> Iterator[Name]:
    """Handle-like stretches that begin between two indices, each once."""
    tokens, k = reading.tokens, max(lo, 0)
    while k < min(hi, len(tokens)):
        inside = k > 0 and tokens[k].gap == 0 and tokens[k - 1].shape != "p"
        name = None if inside else name_at(reading, k)
        if name is None:
            k += 1
            continue
        yield name
        k = name.last + 1


def _chains(reading: Reading, hi: int) -> Iterator[Name]:
    """Handle-like stretches that begin before ``hi``, but for single words, which are never likely by themselves."""
    tokens, last = reading.tokens, -1
    for k in range(min(hi, len(tokens))):
        if k > last and not (tokens[k].shape == "w" and ends(tokens, k + 1)):
            for name in _starts(reading, k, k + 1):
                last = name.last
                yield name


def _beside_channels(reading: Reading) -> Iterator[Hit]:
    """The likeliest handle near each channel's name, weighed by what stands around."""
    seen = 0
    for i, token in enumerate(reading.tokens):
        if not token.cues & _CHANNELS or i in reading.in_hosts:
            continue
        seen += 1
        if seen > _NAMED_OFTEN:
            return
        names = [n for n in _starts(reading, i - 6, i + 9) if not n.first <= i <= n.last and n.likeness >= 0.3]
        if names:
            name = max(names, key=lambda n: n.likeness)
            yield _channel_hit(reading, i, name)


def _channel_hit(reading: Reading, i: int, name: Name) -> Hit:
    tokens, token = reading.tokens, reading.tokens[i]
    near = reading.between(min(i, name.first) - 5, max(i, name.last) + 4)
    score = (
        0.88 * name.likeness
        - 0.1 * (name.likeness < 0.75)
        + 0.15 * bool(near & _ACT)
        + 0.12 * bool(near & _OWN)
        + 0.1 * bool(near & _NAME)
    )
    score += 0.2 * bool(near & _NAME and 0.4 <= name.likeness < 0.75)
    score += 0.1 * any(t.text in (":", "-", "—", "–", "=") for t in tokens[min(i, name.last) + 1 : max(i, name.first)])
    score -= 0.2 * bool(near & _TOPIC) + 0.3 * bool(reading.cues & mask("IDENT"))
    kind = Kind.PROFILE if token.cues & _SOCIAL else Kind.MESSENGER
    start, end = min(token.start, tokens[name.first].start), max(token.end, tokens[name.last].end)
    rule = ("social" if kind is Kind.PROFILE else "messenger") + ("_name" if name.likeness >= 0.75 else "_word")
    if token.cues & DISGUISED:
        score += 0.1
    return Hit(kind, start, end, rule, min(max(score, 0.05), 0.97), "a messenger or network beside a user name")


def _at_handles(reading: Reading) -> Iterator[Hit]:
    tokens = reading.tokens
    for i, token in enumerate(tokens):
        if token.text != "@" or i + 1 >= len(tokens) or (i and token.gap == 0 and tokens[i - 1].text not in _BEFORE_AT):
            continue
        name = name_at(reading, i)
        if name is None or tokens[i + 1].gap or name.text in _CODE or len(name.text) < 4:
            continue
        sure = any(c.isdigit() or c in "._" for c in name.text)
        near = reading.around(i, name.last, 8, 5)
        score = (
            0.72
            + 0.15 * sure
            + 0.15 * bool(near & (_ACT | _OWN | _CHANNELS))
            - 0.3 * bool(near & mask("IDENT", "TOPIC"))
        )
        yield Hit(
            Kind.MESSENGER,
            token.start,
            tokens[name.last].end,
            "at_handle",
            min(score, 0.97),
            "a user name with an at sign",
        )


def _logins(reading: Reading) -> Iterator[Hit]:
    """ "My nick is vasya_82" without a channel's name."""
    for i, token in enumerate(reading.tokens):
        if not token.cues & _NAME or token.cues & mask("WRITE"):
            continue
        for name in _starts(reading, i + 1, i + 6):
            if name.likeness >= 0.75:
                near = reading.between(i - 5, name.last + 5)
                score = 0.3 + 0.25 * bool(near & _ACT) + 0.2 * bool(near & _OWN) + 0.3 * bool(near & _CHANNELS)
                end = reading.tokens[name.last].end
                score -= 0.3 * bool(near & mask("IDENT", "PLATFORM", "MATH"))
                yield Hit(Kind.MESSENGER, token.start, end, "login", max(score, 0.05), "a user name is given")
                break


def _find_me(reading: Reading) -> Iterator[Hit]:
    """ "Find me on Facebook", "найдите меня вконтакте", "search my name there"."""
    tokens = reading.tokens
    for i, token in enumerate(tokens):
        if not token.cues & _SEEK:
            continue
        near = reading.between(i - 2, i + 9)
        me = reading.between(i - 2, i + 4) & mask("ME") or reading.between(i, i + 4) & mask("MY")
        person = reading.person_near(i, i + 8)
        if not me and not person:
            continue
        channel = bool(near & _CHANNELS)
        name = bool(reading.cues & _NAME)
        score = (
            0.2
            + 0.2 * person
            + 0.6 * channel
            + 0.15 * name
            - 0.25 * bool(near & mask("TOPIC", "EXERCISE", "LESSON") and not channel)
        )
        end = tokens[min(i + 8, len(tokens) - 1)].end
        yield Hit(
            Kind.FIND_ME,
            token.start,
            end,
            "find_me" if channel else "find_me_weak",
            score,
            "asks to be found elsewhere",
        )
        return


def _persons(reading: Reading) -> Iterator[Hit]:
    """ "I am on Facebook, Anna Petrova, Leeds"."""
    for i, token in enumerate(reading.tokens):
        if token.cues & _CHANNELS and reading.person_near(i - 6, i + 8):
            near = reading.between(i - 6, i + 8)
            score = 0.35 + 0.2 * bool(near & (_ACT | _NAME)) + 0.2 * bool(near & BIT["I"]) - 0.25 * bool(near & _TOPIC)
            end = reading.tokens[min(i + 7, len(reading.tokens) - 1)].end
            yield Hit(Kind.FIND_ME, token.start, end, "person_there", max(score, 0.05), "a network beside a full name")
            return


def _lone_names(reading: Reading) -> Iterator[Hit]:
    """The likeliest handle of a message that names no channel: little by itself, something with the right words."""
    names = [name for name in _chains(reading, 60) if name.likeness >= 0.8 and "." not in name.text[-5:]]
    if names and not reading.cues & mask("IDENT", "MATH"):
        name = max(names, key=lambda n: n.likeness)
        near = reading.between(name.first - 8, name.last + 8)
        score = 0.15 + 0.15 * (len(reading.tokens) <= 6) + 0.25 * bool(reading.cues & BIT["HUE"])
        score += 0.15 * bool(near & _ACT) + 0.1 * bool(near & _OWN) + 0.15 * bool(near & (_NAME | _MESSENGERS))
        score -= 0.1 * bool(near & _TOPIC)
        end = reading.tokens[name.last].end
        yield Hit(Kind.MESSENGER, reading.tokens[name.first].start, end, "lone_name", max(score, 0.05), "a user name")
