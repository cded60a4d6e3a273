"""What the rules read: tokens, cues, digit runs and hosts of one message, found once. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from lessonroom.chat.digits import Run, runs_of
from lessonroom.chat.domains import NETWORKS
from lessonroom.chat.letters import is_cyrillic
from lessonroom.chat.lexicon import mask
from lessonroom.chat.normalise import Token, View, fold, tokenise
from lessonroom.chat.types import Kind


class Hit(NamedTuple):
    """What one rule found. ``score``: how sure the rule is by itself, 0 to 1; the classifier weighs it again."""

    kind: Kind
    start: int
    end: int
    rule: str
    score: float
    evidence: str


class Host(NamedTuple):
    """A chain of labels with dots between, as in a link. ``first``, ``last``: token indices, path included."""

    labels: tuple[str, ...]
    first: int
    last: int
    scheme: bool
    path: str
    mail: bool

    @property
    def name(self) -> str:
        """The host without ``www.``."""
        return ".".join(self.labels[1:] if self.labels[0] == "www" else self.labels)


class Name(NamedTuple):
    """A handle-like stretch. ``last``: index of its last token; ``likeness``: 0 a plain word, 1 surely a handle."""

    first: int
    last: int
    likeness: float
    text: str


CANDIDATE_CUES = mask(
    "MESSENGER", "CALLAPP", "SOCIAL", "MAILHOST", "MAIL", "PHONE", "NUMBER", "PAYMEANS", "COMMISSION", "HINTAPP",
    "STREET", "ATWORD", "MEETID", "AVOID", "FIND", "SECRET", "REVERSE", "DETAILS",
)  # fmt: skip
_DOT = mask("DOTWORD")
_TLD = mask("TLDWORD")
_COME = mask("COME")
_FLAT = mask("FLAT")
_MANY_DIGITS = 6
_LABEL_SIGNS = frozenset("-_")


@dataclass(frozen=True)
class Reading:
    """One message (or several of one sender, joined by line breaks) as the rules see it."""

    view: View
    tokens: Sequence[Token]
    cues: int
    text: str = ""
    allowed: frozenset[str] = frozenset()

    @cached_property
    def runs(self) -> list[Run]:
        """Digit runs, in order."""
        return runs_of(self.tokens)

    @cached_property
    def hosts(self) -> list[Host]:
        """Chains that could be hosts, in order."""
        return hosts_of(self.tokens)

    @cached_property
    def names(self) -> dict[int, Name | None]:
        """Handle-like stretches by their first token, as far as they were looked for; see ``names.name_at``."""
        return {}

    @cached_property
    def found(self) -> dict[object, Any]:
        """What other modules found in it, by a key of theirs: an earlier line is looked at again with each message."""
        return {}

    @cached_property
    def question(self) -> bool:
        """Whether there is a question mark."""
        return "?" in self.view.text

    @cached_property
    def in_hosts(self) -> frozenset[int]:
        """Indices of the tokens that are part of a chain that could be a host."""
        return frozenset(i for host in self.hosts for i in range(host.first, host.last + 1))

    @cached_property
    def mail_hosts(self) -> frozenset[int]:
        """Indices of the first tokens of chains that an at sign touches."""
        return frozenset(host.first for host in self.hosts if host.mail)

    @cached_property
    def mostly_cyrillic(self) -> bool:
        """Whether Cyrillic words make up the message: a Latin one among them is more likely a name."""
        words = [t for t in self.tokens if t.shape == "w"]
        cyrillic = sum(is_cyrillic(t.text[0]) for t in words)
        return cyrillic >= 2 or 2 * cyrillic > len(words)

    def around(self, first: int, last: int, before: int, after: int) -> int:
        """The cues of the tokens around a stretch, the stretch left out."""
        return self.between(first - before, first) | self.between(last + 1, last + 1 + after)

    def between(self, start: int, end: int) -> int:
        """The cues of tokens ``start`` to ``end`` (half-open, clipped)."""
        found = 0
        for token in self.tokens[max(start, 0) : max(end, 0)]:
            found |= token.cues
        return found

    def person_near(self, start: int, end: int) -> bool:
        """Whether two words with capitals stand together, as a name and surname do, among these tokens."""
        run = 0
        for token in self.tokens[max(start, 0) : max(end, 0)]:
            capital = token.shape == "w" and len(token.text) > 2 and self.text[token.start].isupper() and not token.cues
            run = run + 1 if capital else 0
            if run == 2:
                return True
        return False

    def is_candidate(self) -> bool:
        """Whether there is anything at all that could be a contact. False for most talk, and cheap."""
        if self.cues & CANDIDATE_CUES:
            return True
        if (self.cues & _DOT and self.cues & _TLD) or (self.cues & _COME and self.cues & _FLAT):
            return True
        if any(t.text in ("@", "/", "_") for t in self.tokens):
            return True
        if sum(len(t.text) for t in self.tokens if t.shape in "dx") >= _MANY_DIGITS:
            return True
        return sum(t.number is not None for t in self.tokens) >= 3 or bool(self.hosts)


def read(text: str, allowed: frozenset[str] = frozenset()) -> Reading:
    """Read a message; ``allowed``: further domains that may be named. Linear in its length."""
    view = fold(text)
    tokens = tokenise(view)
    cues = 0
    for token in tokens:
        cues |= token.cues
    return Reading(view, tokens, cues, text, allowed)


def hosts_of(tokens: Sequence[Token]) -> list[Host]:
    """Every tight chain "label.label", each with what surrounds it."""
    out: list[Host] = []
    i = 1
    while i < len(tokens) - 1:
        if _is_dot(tokens, i) and _is_label(tokens[i - 1]) and _is_label(tokens[i + 1]):
            host = _host_at(tokens, i)
            out.append(host)
            i = host.last
        i += 1
    return out


def _is_dot(tokens: Sequence[Token], i: int) -> bool:
    """A dot that touches both sides; a loose one in a network's name ("t. me"); a comma before a sure ending."""
    sign = tokens[i].text
    if sign == ".":
        return _tight(tokens, i) or f"{tokens[i - 1].text}.{tokens[i + 1].text}" in NETWORKS
    return sign == "," and _tight(tokens, i) and tokens[i + 1].text in _COMMA_TLDS and tokens[i - 1].text[0].isascii()


_COMMA_TLDS = frozenset(("com", "ru", "ua", "net", "org"))


def _tight(tokens: Sequence[Token], i: int) -> bool:
    return tokens[i].gap == 0 and tokens[i + 1].gap == 0


def _is_label(token: Token) -> bool:
    return token.shape != "p" or token.text in _LABEL_SIGNS


def _host_at(tokens: Sequence[Token], dot: int) -> Host:
    first = dot - 1
    while first > 0 and tokens[first].gap == 0 and _is_label(tokens[first - 1]) and dot - first < 12:
        first -= 1
    last = dot + 1
    while (
        last + 1 < len(tokens)
        and tokens[last + 1].gap == 0
        and (_is_label(tokens[last + 1]) or _dot_inside(tokens, last + 1))
    ):
        last += 1
    labels = tuple("".join(t.text for t in tokens[first : last + 1]).replace(",", ".").split("."))
    scheme = _has_scheme(tokens, first) or labels[0] == "www"
    mail = first > 0 and tokens[first - 1].text == "@"
    end = last
    while end + 1 < len(tokens) and tokens[end + 1].gap == 0 and tokens[last + 1].text in "/:?":
        end += 1
    path = "".join(t.text for t in tokens[last + 1 : end + 1])
    return Host(labels, first, end, scheme, path, mail)


def _dot_inside(tokens: Sequence[Token], i: int) -> bool:
    return i + 1 < len(tokens) and _is_dot(tokens, i) and _is_label(tokens[i + 1])


def _has_scheme(tokens: Sequence[Token], first: int) -> bool:
    return (
        first >= 3
        and tokens[first - 1].text == "/"
        and tokens[first - 2].text == "/"
        and tokens[first].gap == 0
        and tokens[first - 3].text in (":", "http", "https")
    )
