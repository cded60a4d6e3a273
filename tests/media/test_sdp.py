"""Offers, honest and hostile. Everything that is passed on was understood first."""

from __future__ import annotations

import random

import pytest
from aiortc.sdp import SessionDescription

from lessonroom.errors import BadSdp
from lessonroom.media.sdp import MOST_BYTES, SdpPolicy, read_offer

PRINT = ":".join(f"{byte:02X}" for byte in range(32))

CHROMIUM = f"""v=0
o=- 4611731400430051336 2 IN IP4 127.0.0.1
s=-
t=0 0
a=group:BUNDLE 0
a=extmap-allow-mixed
a=msid-semantic: WMS
m=video 9 UDP/TLS/RTP/SAVPF 96 97 103 104 35 36
c=IN IP4 0.0.0.0
a=rtcp:9 IN IP4 0.0.0.0
a=candidate:1 1 udp 2113937151 5d1f3c4e-7c1a-4d6e-9c39-8a6f4b6d2e11.local 51234 typ host generation 0
a=candidate:2 1 udp 1677729535 8.8.4.4 51234 typ srflx raddr 0.0.0.0 rport 0 generation 0 network-cost 999
a=ice-ufrag:iu+H
a=ice-pwd:9u8hX7ZhWPK2zT2mTg4kq3sB
a=ice-options:trickle
a=fingerprint:sha-256 {PRINT}
a=setup:actpass
a=mid:0
a=extmap:1 urn:ietf:params:rtp-hdrext:toffset
a=extmap:2 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time
a=extmap:9 urn:ietf:params:rtp-hdrext:sdes:mid
a=sendonly
a=msid:- 0b9a9a4c-0f5c-4d7e-8b7e-2b1f9a5e9a77
a=rtcp-mux
a=rtcp-rsize
a=rtpmap:96 VP8/90000
a=rtcp-fb:96 goog-remb
a=rtcp-fb:96 transport-cc
a=rtcp-fb:96 ccm fir
a=rtcp-fb:96 nack
a=rtcp-fb:96 nack pli
a=rtpmap:97 rtx/90000
a=fmtp:97 apt=96
a=rtpmap:103 H264/90000
a=rtcp-fb:103 nack
a=fmtp:103 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42001f
a=rtpmap:104 rtx/90000
a=fmtp:104 apt=103
a=rtpmap:35 AV1/90000
a=rtpmap:36 rtx/90000
a=fmtp:36 apt=35
a=ssrc-group:FID 2231627014 632943048
a=ssrc:2231627014 cname:axtBPwXYZ
a=ssrc:2231627014 msid:- 0b9a9a4c-0f5c-4d7e-8b7e-2b1f9a5e9a77
a=ssrc:632943048 cname:axtBPwXYZ
"""

AUDIO = "m=audio 9 UDP/TLS/RTP/SAVPF 111\na=mid:1\na=sendonly\na=rtpmap:111 opus/48000/2\n"


def change(old: str, new: str, count: int = 1) -> str:
    assert old in CHROMIUM
    return CHROMIUM.replace(old, new, count)


def without(start: str) -> str:
    lines = [line for line in CHROMIUM.split("\n") if not line.startswith(start)]
    assert len(lines) < len(CHROMIUM.split("\n"))
    return "\n".join(lines)


def test_a_browsers_offer_is_understood() -> None:
    offer = read_offer(CHROMIUM, SdpPolicy())
    assert (offer.mid, offer.ufrag, offer.named) == ("0", "iu+H", 2)
    assert [candidate.address for candidate in offer.candidates] == ["8.8.4.4"]


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_what_is_written_is_what_aiortc_reads(newline: str) -> None:
    offer = read_offer(CHROMIUM.replace("\n", newline), SdpPolicy())
    description = SessionDescription.parse(offer.sdp)
    (video,) = description.media
    assert [codec.mimeType for codec in video.rtp.codecs] == ["video/VP8", "video/rtx", "video/H264", "video/rtx"]
    assert [codec.payloadType for codec in video.rtp.codecs] == [96, 97, 103, 104] == video.fmt
    assert video.dtls is not None
    assert [(f.algorithm, f.value) for f in video.dtls.fingerprints] == [("sha-256", PRINT)]
    assert [ssrc.ssrc for ssrc in video.ssrc] == [2231627014, 632943048]
    assert [extension.uri for extension in video.rtp.headerExtensions] == ["urn:ietf:params:rtp-hdrext:sdes:mid"]
    assert video.direction == "sendonly"


def test_nothing_that_was_not_understood_is_passed_on() -> None:
    for word in ("goog-remb", "transport-cc", "AV1", "msid", ".local", "raddr", "axtBPwXYZ", "extmap-allow", "rsize"):
        assert word in CHROMIUM
        assert word not in read_offer(CHROMIUM, SdpPolicy()).sdp


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("a=sendonly", "a=sendrecv"),
        ("a=sendonly\n", ""),
        ("a=setup:actpass", "a=setup:active"),
        (f"a=fingerprint:sha-256 {PRINT}", f"a=fingerprint:SHA-256 {PRINT.lower()}"),
        (f"a=fingerprint:sha-256 {PRINT}", f"a=fingerprint:sha-1 00:11\na=fingerprint:sha-256 {PRINT}"),
        ("UDP/TLS/RTP/SAVPF", "RTP/SAVPF"),
        ("a=rtpmap:96 VP8/90000", "a=rtpmap:96 vp8/90000"),
        ("a=ice-ufrag:iu+H\n", ""),
        ("s=-", "s=Урок математики"),
        ("a=mid:0", "a=mid:video.0"),
        ("a=candidate:1 ", "a=x-unknown:1 "),
    ],
)
def test_variants_that_honest_clients_send_are_accepted(old: str, new: str) -> None:
    text = change(old, new)
    if old == "a=ice-ufrag:iu+H\n":
        text = text.replace("t=0 0\n", "t=0 0\na=ice-ufrag:iu+H\n")
    SessionDescription.parse(read_offer(text, SdpPolicy()).sdp)


def test_session_wide_keys_count_where_the_section_has_none() -> None:
    text = without("a=fingerprint").replace("t=0 0\n", f"t=0 0\na=fingerprint:sha-256 {PRINT}\n")
    text = text.replace("a=setup:actpass\n", "").replace("t=0 0\n", "t=0 0\na=setup:actpass\n")
    assert f"sha-256 {PRINT}" in read_offer(text, SdpPolicy()).sdp


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param("\r\n", id="blank"),
        pytest.param("v=0\r\n", id="no media"),
        pytest.param("hello", id="no SDP"),
        pytest.param("\ufeff" + CHROMIUM, id="byte order mark"),
        pytest.param(change("v=0", "v=1"), id="version 1"),
        pytest.param(CHROMIUM + AUDIO, id="audio, too"),
        pytest.param(CHROMIUM[: CHROMIUM.index("m=")] + AUDIO, id="audio only"),
        pytest.param(CHROMIUM + CHROMIUM[CHROMIUM.index("m=") :].replace("mid:0", "mid:1"), id="two videos"),
        pytest.param(CHROMIUM + "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\na=mid:1\n", id="data channel"),
        pytest.param(CHROMIUM + "m=video 0 UDP/TLS/RTP/SAVPF 0\n" * 4, id="five sections"),
        pytest.param(change("m=video 9", "m=video 0"), id="rejected section"),
        pytest.param(change("m=video 9", "m=video 99999"), id="port out of range"),
        pytest.param(change("m=video 9", "m=Video 9"), id="kind misspelled"),
        pytest.param(change("UDP/TLS/RTP/SAVPF", "RTP/AVP"), id="no encryption"),
        pytest.param(change("96 97", "96 72"), id="payload type that looks like RTCP"),
        pytest.param(change("96 97", "96 300"), id="payload type out of range"),
        pytest.param(change("96 97", " ".join(str(n) for n in range(64)) + " 96"), id="65 payload types"),
        pytest.param(without("a=fingerprint"), id="no fingerprint"),
        pytest.param(change("sha-256", "sha-1"), id="weak fingerprint"),
        pytest.param(change(PRINT, PRINT[:-3]), id="short fingerprint"),
        pytest.param(change(PRINT, PRINT + ":AA"), id="long fingerprint"),
        pytest.param(change(PRINT, "ZZ" + PRINT[2:]), id="no hexadecimal"),
        pytest.param(change("a=setup", f"a=fingerprint:sha-256 {PRINT}\n" * 5 + "a=setup"), id="six fingerprints"),
        pytest.param(without("a=setup"), id="no setup"),
        pytest.param(change("setup:actpass", "setup:holdconn"), id="holdconn"),
        pytest.param(change("a=setup:actpass", "a=setup:active\na=setup:passive"), id="two setups"),
        pytest.param(without("a=ice-ufrag"), id="no ufrag"),
        pytest.param(without("a=ice-pwd"), id="no password"),
        pytest.param(change("ice-ufrag:iu+H", "ice-ufrag:abc"), id="short ufrag"),
        pytest.param(change("ice-ufrag:iu+H", "ice-ufrag:" + "a" * 257), id="long ufrag"),
        pytest.param(change("ice-ufrag:iu+H", "ice-ufrag:iu:H"), id="ufrag with a colon"),
        pytest.param(change("9u8hX7ZhWPK2zT2mTg4kq3sB", "short"), id="short password"),
        pytest.param(change("a=ice-pwd", "a=ice-ufrag:other\na=ice-pwd"), id="two ufrags"),
        pytest.param(change("a=ice-options", "a=ice-lite\na=ice-options"), id="ice-lite"),
        pytest.param(without("a=rtcp-mux"), id="no rtcp-mux"),
        pytest.param(change("sendonly", "recvonly"), id="recvonly"),
        pytest.param(change("sendonly", "inactive"), id="inactive"),
        pytest.param(change("a=sendonly", "a=recvonly\na=sendonly"), id="two directions"),
        pytest.param(without("a=mid"), id="no mid"),
        pytest.param(change("a=mid:0", "a=mid:0 1"), id="mid with a space"),
        pytest.param(without("a=rtpmap"), id="no formats"),
        pytest.param(CHROMIUM.replace("VP8/90000", "VP9/90000").replace("H264/90000", "H265/90000"), id="no codec"),
        pytest.param(change("VP8/90000", "VP8/8000").replace("H264/90000", "H264/0"), id="odd clock"),
        pytest.param(change("a=candidate:1 1", "a=candidate:1 one"), id="malformed candidate"),
        pytest.param(change("a=sendonly", "a=send\x00only"), id="NUL"),
        pytest.param(change("a=mid:0\n", "a=mid:0\ttab\n"), id="tab"),
        pytest.param(change("a=rtcp-mux", "a=rtcp-mux\n\na=x"), id="blank line inside"),
        pytest.param(change("a=rtcp-mux", "rtcp-mux"), id="line without a letter"),
        pytest.param(CHROMIUM + "a=x\n" * 2000, id="too many lines"),
        pytest.param(CHROMIUM + "a=x:" + "y" * MOST_BYTES + "\n", id="too long"),
        pytest.param(CHROMIUM + "a=x:" + "я" * (MOST_BYTES // 2) + "\n", id="too long in bytes"),
        pytest.param(CHROMIUM + "a=x:\ud800\n", id="lone surrogate"),
    ],
)
def test_offers_that_are_not_acceptable_are_refused_without_their_words(text: str) -> None:
    with pytest.raises(BadSdp) as caught:
        read_offer(text, SdpPolicy())
    assert str(caught.value).startswith("expected ")
    assert "iu+H" not in str(caught.value)
    assert len(str(caught.value)) < 120


@pytest.mark.parametrize("break_", ["\x0b", "\x0c", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029", "\r"])
def test_no_line_can_hide_behind_a_break_that_only_python_sees(break_: str) -> None:
    text = change("a=rtcp-mux", f"a=rtcp-mux{break_}a=candidate:9 1 udp 9 127.0.0.1 9 typ host")
    with pytest.raises(BadSdp):
        read_offer(text, SdpPolicy())


@pytest.mark.parametrize("where", ["t=0 0\n", "a=setup:actpass\n"])
def test_thirty_candidates_are_enough_wherever_they_stand(where: str) -> None:
    line = "a=candidate:7 1 udp 7 8.8.8.8 7 typ host\n"
    assert read_offer(change(where, where + line * 28), SdpPolicy()).named == 30
    with pytest.raises(BadSdp, match="at most 30"):
        read_offer(change(where, where + line * 29), SdpPolicy())


@pytest.mark.parametrize(
    "parameters",
    ["apt=x", "apt=", "apt=-1", "apt=99", "apt=٩٦", "apt=96;max-fs=x", "packetization-mode=x", "apt=96" + "0" * 300],
)
def test_parameters_that_aiortc_would_stumble_over_are_left_out(parameters: str) -> None:
    text = change("a=fmtp:97 apt=96", f"a=fmtp:97 {parameters}")
    SessionDescription.parse(read_offer(text, SdpPolicy()).sdp)


@pytest.mark.parametrize(
    "line",
    [
        "a=ssrc:1 ", "a=ssrc:99999999999 cname:x", "a=ssrc:x cname:y", "a=ssrc-group:FID 1", "a=ssrc-group:FID x y",
        "a=extmap:x urn:ietf:params:rtp-hdrext:sdes:mid", "a=extmap:0 urn:ietf:params:rtp-hdrext:sdes:mid",
        "a=fmtp:1", "a=fmtp:200 apt=96", "a=rtcp-fb:x nack", "a=rtcp-fb:", "a=rtpmap:96", "a=rtpmap:x VP8/90000", "a=",
        "a=:", "b=AS:0", "k=prompt", "c=IN IP4 127.0.0.1/0/0", "a=rtcp:x IN IP4 y", "a=sctpmap:x",
        "a=max-message-size:x",
    ],
)  # fmt: skip
def test_lines_that_are_not_needed_cannot_do_harm(line: str) -> None:
    SessionDescription.parse(read_offer(change("a=rtcp-rsize", line), SdpPolicy()).sdp)


def test_ten_thousand_mangled_offers_are_refused_or_read_and_nothing_else() -> None:
    chance = random.Random(11)
    lines = CHROMIUM.split("\n")
    read = 0
    for _ in range(10_000):
        mangled = list(lines)
        for _ in range(chance.randrange(1, 4)):
            _mangle(mangled, chance)
        try:
            offer = read_offer("\n".join(mangled), SdpPolicy(loopback=True))
        except BadSdp:
            continue
        SessionDescription.parse(offer.sdp)
        read += 1
    assert 1000 < read < 9900


def _mangle(lines: list[str], chance: random.Random) -> None:
    at = chance.randrange(len(lines))
    line = lines[at]
    cut = chance.randrange(len(line) + 1)
    insert = chance.choice(["", " ", ":", "=", "0", "-1", "9" * 12, "\x00", "é", "\u2028", "a=", line, "\n"])
    match chance.randrange(4):
        case 0:
            del lines[at]
            lines.append("")
        case 1:
            lines.insert(chance.randrange(len(lines)), line)
        case 2:
            lines[at] = line[:cut] + insert + line[cut:]
        case _:
            lines[at] = line[:cut]
