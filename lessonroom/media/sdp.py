"""What the analyser accepts as an offer: own checks before aiortc sees a line, and nothing passed on unread. Pure.

aiortc 1.16 accepts a description without a fingerprint, splits lines at characters that others do not, and asserts
where it should refuse. So an offer is read here, and written anew from what was understood: one video section with
VP8 or H.264, its keys, its ICE credentials and those candidates that may be used. See RFC 8866 (SDP), RFC 8839 (ICE),
RFC 8122 (fingerprints), RFC 9429 section 5.2 (what a WebRTC offer holds).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from lessonroom.errors import BadSdp
from lessonroom.media import h264
from lessonroom.media.candidates import MOST_CANDIDATES, RemoteCandidate, read_candidate

MOST_BYTES = 65_536
MOST_SECTIONS = 4
MOST_LINES = 2000
MOST_FORMATS = 64
MOST_FINGERPRINTS = 4
MOST_STREAMS = 8
CODECS = {"vp8": "VP8", "h264": "H264", "rtx": "rtx"}
"""Formats that the analyser decodes, in lower case, and how aiortc spells them; ``rtx``: RFC 4588."""

_PROFILES = frozenset({"UDP/TLS/RTP/SAVPF", "UDP/TLS/RTP/SAVP", "RTP/SAVPF"})
_DIRECTIONS = frozenset({"sendonly", "sendrecv", "recvonly", "inactive"})
_SETUPS = frozenset({"actpass", "active", "passive"})
_EXTENSIONS = frozenset({"urn:ietf:params:rtp-hdrext:sdes:mid"})
_NUMBER = re.compile(r"[0-9]{1,9}")
_PARAMETERS = {
    **dict.fromkeys(("apt", "rtx-time", "max-fr", "max-fs"), _NUMBER),
}
"""What is passed on of a format's parameters: RFC 4588 and RFC 7741; :mod:`.h264` has those of RFC 6184."""
_FEEDBACK = frozenset({"nack", "nack pli", "ccm fir"})

_UFRAG = re.compile(r"[A-Za-z0-9+/]{4,256}")
_PASSWORD = re.compile(r"[A-Za-z0-9+/]{22,256}")
_SHA_256 = re.compile(r"[Ss][Hh][Aa]-256 [0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2}){31}")
_MEDIA = re.compile(r"([a-z]{1,16}) ([0-9]{1,5}) ([A-Z/]{1,32}) ([0-9]{1,3}(?: [0-9]{1,3}){0,255})")
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`{|}~-]{1,32}")
_RTPMAP = re.compile(r"([0-9]{1,3}) ([A-Za-z0-9-]{1,32})/([0-9]{1,6})")
_FMTP = re.compile(r"([0-9]{1,3}) ([!-~ ]{1,4096})")
_APT = re.compile(r"([0-9]{1,3}) apt=([0-9]{1,3})(?:;rtx-time=[0-9]{1,6})?")
_EXTMAP = re.compile(r"([0-9]{1,3})(?:/[a-z]{1,8})? ([!-~]{1,128})")
_SSRC = re.compile(r"([0-9]{1,10}) cname:([!-~]{1,256})")
_FID = re.compile(r"FID ([0-9]{1,10}) ([0-9]{1,10})")


@dataclass(frozen=True, slots=True)
class SdpPolicy:
    """What may be accepted.

    ``loopback``: candidates of this machine may be used, for a demo; ``private``: those of private networks.
    ``relay_only``: this side uses nothing but its TURN server.
    """

    loopback: bool = False
    private: bool = False
    relay_only: bool = False


@dataclass(frozen=True, slots=True)
class Offer:
    """An offer that was understood.

    ``sdp`` is written anew and safe for aiortc. ``named`` counts candidates in the offer, ``candidates`` are those of
    them that may be used. ``h264`` has what the answer must say of each format of H.264, by payload type.
    """

    sdp: str = field(repr=False)
    mid: str
    ufrag: str = field(repr=False)
    password: str = field(repr=False)
    named: int
    candidates: tuple[RemoteCandidate, ...] = field(repr=False)
    h264: Mapping[int, str] = field(repr=False)


@dataclass(slots=True)
class _Section:
    """A media section, or what stands before the first one: ``a=`` lines by name."""

    media: str = ""
    attributes: list[tuple[str, str]] = field(default_factory=list)

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.attributes if key == name]


def read_offer(text: str, policy: SdpPolicy) -> Offer:
    """Check an offer and write it anew.

    Raises BadSdp with what was expected; the text never holds anything of the offer.
    """
    session, video = _sections(text)
    lines, formats, answers = _formats(video)
    mid = _one(video.all("mid"), "mid", _TOKEN)
    ufrag = _one(video.all("ice-ufrag") or session.all("ice-ufrag"), "ice-ufrag", _UFRAG)
    password = _one(video.all("ice-pwd") or session.all("ice-pwd"), "ice-pwd", _PASSWORD)
    if session.all("ice-lite") or video.all("ice-lite"):
        raise BadSdp("expected a full ICE agent, got ice-lite")
    if not video.all("rtcp-mux"):
        raise BadSdp("expected rtcp-mux, got an offer without it")
    named = [*session.all("candidate"), *video.all("candidate")]
    candidates = tuple(read_candidates(named, policy))
    written = [
        f"m=video 9 UDP/TLS/RTP/SAVPF {formats}", "c=IN IP4 0.0.0.0", f"a=mid:{mid}", f"a={_direction(session, video)}",
        "a=rtcp-mux", f"a=ice-ufrag:{ufrag}", f"a=ice-pwd:{password}",
        *(f"a=fingerprint:{value}" for value in _fingerprints(session, video)), f"a=setup:{_setup(session, video)}",
        *lines, *_extensions(video), *_streams(video), *(f"a=candidate:{candidate}" for candidate in candidates),
    ]  # fmt: skip
    head = ["v=0", "o=- 1 1 IN IP4 0.0.0.0", "s=-", "t=0 0", f"a=group:BUNDLE {mid}"]
    sdp = "\r\n".join([*head, *written]) + "\r\n"
    return Offer(sdp, mid, ufrag, password, len(named), candidates, answers)


def read_candidates(named: list[str], policy: SdpPolicy, before: int = 0) -> Iterator[RemoteCandidate]:
    """Those candidates that may be used; ``before``: how many the session has named already. Raises BadSdp."""
    if before + len(named) > MOST_CANDIDATES:
        raise BadSdp(f"expected at most {MOST_CANDIDATES} candidates, got {before + len(named)}")
    for text in named:
        candidate = read_candidate(text, loopback=policy.loopback, private=policy.private)
        if candidate is not None:
            yield candidate


def read_lines(text: str) -> list[tuple[str, str]]:
    """Split SDP into (letter, value), at CR LF or LF only. Raises BadSdp for anything else in it.

    Python's ``splitlines``, which aiortc uses, splits at eight more characters; a line hidden behind one of them would
    pass unread. None of them is allowed.
    """
    if len(text) > MOST_BYTES or len(text.encode(errors="replace")) > MOST_BYTES:
        raise BadSdp(f"expected a description of at most {MOST_BYTES} bytes, got a longer one")
    lines = text.replace("\r\n", "\n").rstrip("\n").split("\n")
    if len(lines) > MOST_LINES:
        raise BadSdp(f"expected at most {MOST_LINES} lines, got {len(lines)}")
    for line in lines:
        if len(line) < 2 or line[1] != "=" or not line[0].isascii() or not line.isprintable():
            raise BadSdp("expected lines of printable text like 'a=value', got another")
    return [(line[0], line[2:]) for line in lines]


def _sections(text: str) -> tuple[_Section, _Section]:
    """What stands before the media, and the one video section."""
    lines = read_lines(text)
    if lines[0] != ("v", "0"):
        raise BadSdp("expected a description that begins with 'v=0', got another")
    sections = [_Section()]
    for letter, value in lines[1:]:
        if letter == "m":
            sections.append(_Section(value))
        elif letter == "a":
            name, _, rest = value.partition(":")
            sections[-1].attributes.append((name, rest))
    session, *media = sections
    if len(media) > MOST_SECTIONS:
        raise BadSdp(f"expected at most {MOST_SECTIONS} media sections, got {len(media)}")
    if [section.media.split(" ")[0] for section in media] != ["video"]:
        raise BadSdp("expected exactly one media section, of video, and no audio; got others")
    return session, media[0]


def _formats(video: _Section) -> tuple[list[str], str, dict[int, str]]:
    """Lines of the formats that can be decoded, their payload types in the order of the offer, and ``Offer.h264``."""
    found = _MEDIA.fullmatch(video.media)
    if found is None or found[3] not in _PROFILES or not 0 < int(found[2]) <= 65535:
        raise BadSdp("expected 'm=video PORT UDP/TLS/RTP/SAVPF FORMATS', got another")
    offered = [int(word) for word in found[4].split(" ")]
    if len(offered) > MOST_FORMATS or not all(_is_dynamic(number) for number in offered):
        raise BadSdp(f"expected at most {MOST_FORMATS} payload types below 128, got others")
    names, answers = _names(video, offered)
    if not {"VP8", "H264"} & set(names.values()):
        raise BadSdp("expected VP8 or H.264 (baseline, main or high) among the formats, got neither")
    lines = [f"a=rtpmap:{number} {name}/90000" for number, name in names.items()]
    return [*lines, *_parameters(video, names)], " ".join(map(str, names)), answers


def _is_dynamic(number: int) -> bool:
    """64 to 95 look like RTCP (RFC 5761 section 4)."""
    return number < 64 or 96 <= number < 128


def _names(video: _Section, offered: list[int]) -> tuple[dict[int, str], dict[int, str]]:
    """Formats that can be decoded by payload type, and the answers to those of H.264."""
    named: dict[int, str] = {}
    for value in video.all("rtpmap"):
        found = _RTPMAP.fullmatch(value)
        if found and found[3] == "90000" and found[2].lower() in CODECS:
            named.setdefault(int(found[1]), CODECS[found[2].lower()])
    apts = {int(found[1]): int(found[2]) for value in video.all("fmtp") if (found := _APT.fullmatch(value))}
    of_h264 = {n: h264.answer_to(_said(video, n)) for n in offered if named.get(n) == "H264"}
    answers = {number: answer for number, answer in of_h264.items() if answer is not None}
    kept = {number for number in offered if named.get(number) == "VP8" or number in answers}
    return {n: named[n] for n in offered if n in kept or (named.get(n) == "rtx" and apts.get(n) in kept)}, answers


def _said(video: _Section, number: int) -> dict[str, str]:
    """What is said of a format, well-formed or not."""
    found = [match for value in video.all("fmtp") if (match := _FMTP.fullmatch(value)) and int(match[1]) == number]
    parts = (part.strip().partition("=") for match in found for part in match[2].split(";"))
    return {name: value for name, _, value in parts}


def _parameters(video: _Section, names: dict[int, str]) -> Iterator[str]:
    for value in video.all("fmtp"):
        found = _FMTP.fullmatch(value)
        if found and names.get(int(found[1]), "H264") != "H264" and (kept := ";".join(_known(found[2]))):
            yield f"a=fmtp:{int(found[1])} {kept}"
    yield from (f"a=fmtp:{number} {h264.STAND_IN}" for number, name in names.items() if name == "H264")
    for value in video.all("rtcp-fb"):
        number, _, feedback = value.partition(" ")
        if feedback in _FEEDBACK and (number == "*" or (number.isdecimal() and number.isascii())):
            yield f"a=rtcp-fb:{number[:3]} {feedback}"


def _known(parameters: str) -> Iterator[str]:
    """Parameters that are known and well-formed: one that is not costs the others nothing."""
    for part in parameters.split(";"):
        name, _, value = part.strip().partition("=")
        if (grammar := _PARAMETERS.get(name)) and grammar.fullmatch(value):
            yield f"{name}={value}"


def _extensions(video: _Section) -> Iterator[str]:
    for value in video.all("extmap")[:32]:
        found = _EXTMAP.fullmatch(value)
        if found and found[2] in _EXTENSIONS and 1 <= int(found[1]) <= 14:
            yield f"a=extmap:{int(found[1])} {found[2]}"


def _streams(video: _Section) -> Iterator[str]:
    """The stream and its retransmissions, so that these can be told apart (RFC 5576)."""
    for value in video.all("ssrc-group")[:1]:
        if (found := _FID.fullmatch(value)) and all(int(number) < 2**32 for number in found.groups()):
            yield f"a=ssrc-group:FID {int(found[1])} {int(found[2])}"
    for value in video.all("ssrc")[: MOST_STREAMS * 4]:
        if (found := _SSRC.fullmatch(value)) and int(found[1]) < 2**32:
            yield f"a=ssrc:{int(found[1])} cname:lessonroom"


def _fingerprints(session: _Section, video: _Section) -> list[str]:
    """SHA-256 fingerprints; those of the section go before those of the session (RFC 8122 section 5)."""
    given = video.all("fingerprint") or session.all("fingerprint")
    found = [value for value in given if _SHA_256.fullmatch(value)]
    if not 1 <= len(found) <= MOST_FINGERPRINTS or len(given) > 2 * MOST_FINGERPRINTS:
        raise BadSdp("expected one to four SHA-256 fingerprints, got none or more")
    return [f"sha-256 {value[8:].upper()}" for value in found]


def _direction(session: _Section, video: _Section) -> str:
    """RFC 8866 section 6.7: ``sendrecv`` when nothing is said."""
    said = [name for name, _ in video.attributes if name in _DIRECTIONS]
    said = said or [name for name, _ in session.attributes if name in _DIRECTIONS] or ["sendrecv"]
    if said[0] not in {"sendonly", "sendrecv"} or len(said) > 1:
        raise BadSdp("expected video that is sent (sendonly or sendrecv), got another direction")
    return said[0]


def _setup(session: _Section, video: _Section) -> str:
    """Who begins DTLS: the client, unless it leaves us no choice.

    RFC 5763 section 5 leaves the choice to who answers. GStreamer's certificate is an RSA one: as the server aiortc
    takes any, as the client none of these without our help (:mod:`.guard.dtls`).
    """
    said = video.all("setup") or session.all("setup")
    if len(said) != 1 or said[0] not in _SETUPS:
        raise BadSdp("expected setup 'actpass', 'active' or 'passive', got another")
    return "active" if said[0] == "actpass" else said[0]


def _one(values: Iterable[str], name: str, grammar: re.Pattern[str]) -> str:
    given = list(values)
    if len(given) != 1 or not grammar.fullmatch(given[0]):
        raise BadSdp(f"expected one well-formed {name}, got none, more or another")
    return given[0]
