"""What the rules read: tokens, cues, digit runs and hosts of one message, found once. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, reduce
from operator import or_
from typing import Any, NamedTuple

from lessonroom.chat.digits import Run, runs_of
from lessonroom.chat.domains import NETWORKS
from lessonroom.chat.letters import is_cyrillic
from lessonroom.chat.lexicon import mask
from lessonroom.chat.normalise import Token, View, fold, scan, undisguise
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
_MANY_NUMBERS = 3
_HANDLE_SIGNS = frozenset("@/_")
_DOTS = frozenset(".,")
_LABEL_SIGNS = frozenset("-_")
_BREAK = 2
"""The gap of a token that begins a line, see :class:`~lessonroom.chat.normalise.Token`."""


@dataclass(frozen=True)
class Reading:
    """One message (or several of one sender, joined by line breaks) as the rules see it."""

    view: View
    plain: list[Token]
    """Tokens as they stand in the text."""
    text: str = ""
    allowed: frozenset[str] = frozenset()
    lines: tuple[Reading, ...] = ()
    """What was read of each line by itself, of several."""

    @cached_property
    def tokens(self) -> Sequence[Token]:
        """Tokens with disguises undone."""
        return undisguise(self.plain)

    @cached_property
    def is_plain(self) -> bool:
        """Whether there is no disguise, no run of digits and no host."""
        return self.tokens == self.plain and not self.runs and not self.hosts

    @cached_property
    def has_chain(self) -> bool:
        """Whether anything but words and signs after them is there ("anna.p", "well-known", "@")."""
        if not _HANDLE_SIGNS.isdisjoint([token.text for token in self.tokens]):
            return True
        return bool([token for token in self.tokens[1:] if not token.gap and token.shape != "p"])

    @cached_property
    def cues(self) -> int:
        """The cues of all tokens."""
        return reduce(or_, [token.cues for token in self.tokens], 0)

    @cached_property
    def runs(self) -> list[Run]:
        """Digit runs, in order."""
        return runs_of(self.tokens)

    @cached_property
    def digits(self) -> str:
        """The digits of all runs."""
        return "".join([run.digits for run in self.runs])

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
        if not _HANDLE_SIGNS.isdisjoint([token.text for token in self.tokens]):
            return True
        if sum([len(token.text) for token in self.tokens if token.shape in "dx"]) >= _MANY_DIGITS:
            return True
        return len([token for token in self.tokens if token.number is not None]) >= _MANY_NUMBERS or bool(self.hosts)


def read(text: str, allowed: frozenset[str] = frozenset()) -> Reading:
    """Read a message; ``allowed``: further domains that may be named. Linear in its length."""
    view = fold(text)
    return Reading(view, scan(view), text, allowed)


def read_lines(lines: Sequence[Reading]) -> Reading:
    """Read several lines (one at least) as one text with breaks between, from what was read of each."""
    first, *rest = lines
    if not rest:
        return first
    plain, place = list(first.plain), len(first.text) + 1
    for line in rest:
        tokens = [Token(t[0], t[1] + place, t[2] + place, *t[3:]) for t in line.plain]
        if tokens:
            tokens[0] = tokens[0]._replace(gap=_BREAK)
        plain += tokens
        place += len(line.text) + 1
    parts = tuple([part for line in lines for part in (line.lines or (line,))])
    return Reading(_one_view(lines), plain, "\n".join([line.text for line in lines]), first.allowed, parts)


def _one_view(lines: Sequence[Reading]) -> View:
    """The views of several lines as one."""
    views = [line.view for line in lines]
    text = "\n".join([view.text for view in views])
    if all(view.offsets is None for view in views):
        return View(text, None, len(text))
    offsets: list[int] = []
    place = 0
    for view in views:
        own = range(len(view.text)) if view.offsets is None else view.offsets
        offsets += [place + offset for offset in own]
        place += view.length + 1
        offsets.append(place - 1)
    return View(text, offsets[:-1], place - 1)


def hosts_of(tokens: Sequence[Token]) -> list[Host]:
    """Every tight chain "label.label", each with what surrounds it."""
    out: list[Host] = []
    last = 0
    for i in [i for i, token in enumerate(tokens) if token.text in _DOTS]:
        inside = last < i < len(tokens) - 1
        if inside and _is_dot(tokens, i) and _is_label(tokens[i - 1]) and _is_label(tokens[i + 1]):
            out.append(_host_at(tokens, i))
            last = out[-1].last
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
