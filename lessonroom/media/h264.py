"""Which H.264 is decoded, and what an answer says of it (RFC 6184 section 8.2.2, RFC 7742 section 6.2). Pure.

aiortc 1.16 agrees on two profiles and one packetization mode, for its own encoder's sake, and answers with its own
parameters. libav decodes more. So an offer that aiortc reads has :data:`STAND_IN` for each such format, and its answer
is mended afterwards: the profile and the mode must be the offer's own, its level may be lower.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

STAND_IN = "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f"
"""Parameters that aiortc agrees to. Nothing of them matters to what is received."""
MOST_LEVEL = 41
"""Level 4.1: pictures of 8192 macroblocks, 2 097 152 pixels (H.264 table A-1), about as many as are decoded."""

_PROFILE = re.compile(r"[0-9A-Fa-f]{6}")
_BASELINE, _MAIN, _EXTENDED, _HIGH = 66, 77, 88, 100
_ALSO_BASELINE = 0x80
"""Of the constraints: the stream is one of the baseline profile, too."""


def answer_to(parameters: Mapping[str, str]) -> str | None:
    """The parameters of the answer to a format that is offered with these; None where it cannot be decoded.

    Decoded are single NAL units and the non-interleaved mode; of profiles constrained baseline, baseline, main and
    high (eight bits, 4:2:0). An offer that does not name its profile is taken as one of constrained baseline at level
    3.1, as browsers take it.
    """
    mode = parameters.get("packetization-mode", "0")
    profile = parameters.get("profile-level-id", "42e01f")
    if mode not in {"0", "1"} or not _PROFILE.fullmatch(profile):
        return None
    kind, constraints, level = bytes.fromhex(profile)
    if kind not in {_BASELINE, _MAIN, _HIGH} and not (kind == _EXTENDED and constraints & _ALSO_BASELINE):
        return None
    if level > MOST_LEVEL:
        profile = f"{profile[:4]}{MOST_LEVEL:02x}"
    return f"level-asymmetry-allowed=1;packetization-mode={mode};profile-level-id={profile}"


def mended(answer: str, parameters: Mapping[int, str]) -> str:
    """An answer of aiortc's with these parameters, by payload type, in the place of the stand-in's."""
    lines = answer.split("\r\n")
    for number, line in enumerate(lines):
        found = re.match(r"a=fmtp:([0-9]{1,3}) ", line)
        if found and (own := parameters.get(int(found[1]))):
            lines[number] = f"{found[0]}{own}"
    return "\r\n".join(lines)
