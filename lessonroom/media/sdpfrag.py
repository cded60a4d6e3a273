"""Trickle ICE: the fragments that a WHIP client sends by PATCH (RFC 8840 section 9, RFC 9725 section 4.3.2). Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

from lessonroom.errors import BadSdp
from lessonroom.media.sdp import read_lines

MOST_BYTES = 16_384


@dataclass(frozen=True, slots=True)
class Fragment:
    """What a fragment says. ``candidates``: pairs of mid (empty: not said) and the value of ``a=candidate:``.

    ``ufrag``, ``password``: of the ICE session it belongs to, empty when it does not say; ``end``: no more will come.
    """

    ufrag: str = field(repr=False)
    password: str = field(repr=False)
    candidates: tuple[tuple[str, str], ...] = field(repr=False)
    end: bool


def read_fragment(text: str) -> Fragment:
    """Read a fragment. Raises BadSdp when it is none, is too long, or speaks of two ICE sessions."""
    if len(text) > MOST_BYTES:
        raise BadSdp(f"expected a fragment of at most {MOST_BYTES} bytes, got a longer one")
    seen: dict[str, set[str]] = {"ice-ufrag": set(), "ice-pwd": set()}
    candidates: list[tuple[str, str]] = []
    mid, end = "", False
    for letter, value in read_lines(text):
        if letter not in {"a", "m"}:
            raise BadSdp("expected only lines of media and attributes in a fragment, got others")
        name, _, rest = value.partition(":")
        if letter == "m":
            mid = ""
        elif name == "mid":
            mid = rest
        elif name == "candidate":
            candidates.append((mid, rest))
        elif name == "end-of-candidates":
            end = True
        elif name in seen:
            seen[name].add(rest)
    if any(len(values) > 1 for values in seen.values()):
        raise BadSdp("expected a fragment of one ICE session, got two")
    return Fragment("".join(seen["ice-ufrag"]), "".join(seen["ice-pwd"]), tuple(candidates), end)
