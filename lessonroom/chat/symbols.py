"""A message as a row of symbols: what it says with the private part taken out. Pure.

"мой скайп vasya_82, звони после 18:00" becomes "мой скайп @name , звони после #4time". Candidates (runs of digits,
hosts, handles) are one symbol each, by what they look like; every other word stands for itself. So the classifier
learns how people talk around a contact, and never a contact.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from lessonroom.chat import domains
from lessonroom.chat.digits import Run
from lessonroom.chat.normalise import Token
from lessonroom.chat.rules.names import name_at
from lessonroom.chat.rules.reading import Host, Name, Reading
from lessonroom.chat.shapes import harmless_shape, is_fiction, phone_level

_MOST: Final = 400
"""Tokens of a message that become symbols: of a longer one its beginning and its end."""
_MOST_RUNS: Final = 40
_MIXED: Final = 4
"""Characters from which a word of letters and digits may be somebody's name ("вася82", not "7б")."""
_NOT_IN_ADDRESSES: Final = frozenset("@,;:()<>\"'")
_STEM: Final = 5
_LENGTHS: Final = (0, 1, 2, 3, 4, 5, 5, 7, 7, 7, 10, 10, 12, 13, 13, 13, 16)
"""Lengths of a run that count as one: what matters is whether a telephone number, a card or a year would fit."""
_FEWEST_DIGITS: Final = 5
_LIKE: Final = 0.4
_SURE: Final = 0.75
_ALONE: Final = 3
"""Other words beside which a run still makes up the message."""
_HOSTS: Final = (
    ("@network", domains.NETWORKS),
    ("@meeting", domains.MEETINGS),
    ("@short", domains.SHORTENERS),
    ("@own", domains.FREE_HOSTS),
    ("@listed", domains.LISTED),
)


class Symbol(NamedTuple):
    """``word``, ``stem``: codes of the symbol and of what its forms share; ``cues``: bits of ``lexicon``."""

    word: int
    stem: int
    cues: int
    name: str

    @property
    def is_candidate(self) -> bool:
        """Whether it stands for digits, a host or a handle."""
        return self.name[0] in "#@"


def symbols(reading: Reading) -> list[Symbol]:
    """The symbols of a message, in order; not to be changed."""
    if symbols not in reading.found:
        reading.found[symbols] = _symbols(reading)
    found: list[Symbol] = reading.found[symbols]
    return found


def lines_stand_alone(reading: Reading) -> bool:
    """Whether each of several lines has the same symbols by itself as beside the others.

    Runs, hosts and words in pieces may go over several lines, and what a chain is like depends on all of them.
    """
    if not reading.lines or len(reading.tokens) > _MOST or not reading.is_plain:
        return False
    return all(line.is_plain and not line.has_chain for line in reading.lines)


def symbols_of_lines(lines: Sequence[Reading]) -> list[Symbol]:
    """The symbols of lines that stand alone, see :func:`lines_stand_alone`."""
    return [symbol for line in lines for symbol in symbols(line)]


def _symbols(reading: Reading) -> list[Symbol]:
    if lines_stand_alone(reading):
        return symbols_of_lines(reading.lines)
    hosts = [host for host in reading.hosts if not all(label.isdigit() for label in host.labels)]
    taken = {_start_of(host, reading): (host.last, _of_host(host, reading)) for host in hosts}
    inside = {i for host in hosts for i in range(host.first, host.last + 1)}
    for run in reading.runs:
        if run.first not in inside or run.last not in inside:
            name = _of_run(run)  # from any token on: a handle before it may have taken its first ("vasya_8 905")
            taken |= dict.fromkeys(range(run.first, run.last + 1), (run.last, name))
    return _walk(reading, taken)


def _start_of(host: Host, reading: Reading) -> int:
    """The token where a host begins; of a mail address, where the part before the at sign does."""
    tokens, i = reading.tokens, host.first
    if host.mail:
        i -= 1
        while i > 0 and tokens[i].gap == 0 and tokens[i - 1].text not in _NOT_IN_ADDRESSES:
            i -= 1
    return i


def _walk(reading: Reading, taken: dict[int, tuple[int, str]]) -> list[Symbol]:
    out: list[Symbol] = []
    tokens, i = reading.tokens, 0
    end = len(tokens)
    while i < end:
        if _MOST // 2 <= i < end - _MOST // 2:
            i = end - _MOST // 2
        if i in taken:
            last, name = taken[i]
            out.append(_symbol(name, reading.between(i, last + 1)))
        else:
            token, last = tokens[i], i
            handle = name_at(reading, i) if _may_be_handle(token) else None
            if handle is not None and handle.likeness >= _LIKE:
                last = max(handle.last, i)
                out += _of_handle(handle, token)
            else:
                mixed = token.shape == "x" and len(token.text) >= _MIXED
                out.append(_symbol("@mixed" if mixed else token.text, token.cues))
        i = last + 1
    return out


def _may_be_handle(token: Token) -> bool:
    """Whether a handle could begin here: cheap, and false for most words."""
    if token.shape == "w":
        return not token.cues and "a" <= token.text[0] <= "z"
    return token.shape == "x" or token.text in "@_"


def _of_handle(handle: Name, token: Token) -> Iterator[Symbol]:
    """One symbol for a sure handle; a word that only may be one stands for itself as well."""
    if handle.likeness >= _SURE:
        yield _symbol("@name", token.cues)
    else:
        yield _symbol("@like", token.cues)
        yield _symbol(token.text, token.cues)


@lru_cache(maxsize=65536)
def _symbol(name: str, cues: int) -> Symbol:
    word = _code(name)
    whole = name[0] in "#@" or len(name) <= _STEM
    return Symbol(word, word if whole else _code(name[:_STEM]), cues, name)


def _code(text: str) -> int:
    return zlib.crc32(text.encode("utf-8", "surrogatepass"))  # half a pair is no reason to fail


def _of_run(run: Run) -> str:
    digits = run.digits
    what = harmless_shape(run) or str(phone_level(digits, plus=run.plus))
    return f"#{_LENGTHS[min(len(digits), 16)]}{what}" + ("w" if run.spelled >= 3 else "")


def _of_host(host: Host, reading: Reading) -> str:
    name, path = host.name, bool(host.path)
    if host.mail:
        return "@mail" if host.labels[0] in domains.PROVIDERS else "@maillike"
    if domains.in_hosts(name, reading.allowed):
        return "@listed"
    for word, hosts in _HOSTS:
        if domains.in_hosts(name, hosts):
            return word + ("/" if path and word != "@listed" else "")
    if domains.is_host(host.labels, sure=host.scheme or host.path.startswith("/"), scheme=host.scheme):
        return "@host"
    return "@dotted"


def marks(reading: Reading) -> list[int]:
    """Codes of how the longer runs are written: sizes of their groups, what stands between, whether alone."""
    return [
        _code(mark)
        for run in reading.runs[:_MOST_RUNS]
        if len(run.digits) >= _FEWEST_DIGITS
        for mark in _marks_of(run, len(reading.tokens))
    ]


def _marks_of(run: Run, tokens: int) -> tuple[str, ...]:
    sizes = "".join(str(len(group)) for group in run.groups)
    sizes = f"1x{len(sizes)}" if len(sizes) > 4 and not sizes.strip("1") else sizes[:8]
    between = "".join(sorted(set(run.separators.replace("|", ""))))[:4]
    form = ("+" if run.plus else "") + ("w" if run.spelled >= 3 else "") + ("l" if run.lookalikes else "")
    others = tokens - (run.last - run.first + 1) - run.plus
    rest = "alone" if not others else "nearly" if others <= _ALONE else ""
    level = phone_level(run.digits, plus=run.plus)
    told = "fiction" if is_fiction(run.digits) else f"l{level}{rest}"
    return f"g{sizes}{form}", f"s{between}{form}", f"g{sizes}s{between}", f"l{level}{rest}g{sizes}", told
