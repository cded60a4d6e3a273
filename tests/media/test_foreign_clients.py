"""WHIP clients that are neither our page nor aiortc: their offers as they sent them, and what they need of DTLS.

The offers were recorded from real clients (docs/receiving.md has what was seen of each); addresses and fingerprints
are others.
"""

from __future__ import annotations

import asyncio
import datetime
from unittest.mock import patch

import pytest
from aiortc import RTCCertificate
from aiortc.rtcdtlstransport import SRTPProtectionProfile
from aiortc.sdp import SessionDescription
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from OpenSSL import SSL

from lessonroom.media.peer import Analyser
from lessonroom.media.sdp import SdpPolicy, read_offer
from lessonroom.media.sdpfrag import read_fragment
from tests.rtc import Sender

PRINT = ":".join(f"{byte:02X}" for byte in range(32))

GSTREAMER = f"""v=0
o=- 4705003283716895146 0 IN IP4 0.0.0.0
s=-
t=0 0
a=ice-options:trickle
a=group:BUNDLE video0
m=video 9 UDP/TLS/RTP/SAVPF 96 97
c=IN IP4 0.0.0.0
a=setup:actpass
a=ice-ufrag:KyRQXMV2oGC3Wwxe8xRcuk6lI9jYehZB
a=ice-pwd:8dy/pnPGGSQE9NXBOWvaZ3aFAUV16Ssi
a=rtcp-mux
a=rtcp-rsize
a=sendonly
a=rtpmap:96 VP8/90000
a=rtcp-fb:96 nack
a=rtcp-fb:96 nack pli
a=rtcp-fb:96 ccm fir
a=rtcp-fb:96 transport-cc
a=framerate:30
a=rtpmap:97 rtx/90000
a=fmtp:97 apt=96
a=ssrc-group:FID 1348342264 52161034
a=ssrc:1348342264 msid:user3252699687@host-882aca38 webrtctransceiver0
a=ssrc:1348342264 cname:user3252699687@host-882aca38
a=ssrc:52161034 msid:user3252699687@host-882aca38 webrtctransceiver0
a=ssrc:52161034 cname:user3252699687@host-882aca38
a=mid:video0
a=fingerprint:sha-256 {PRINT}
a=rtcp-mux-only
a=candidate:1 1 UDP 2015363327 8.8.4.4 41804 typ host
a=candidate:2 1 TCP 1015021823 8.8.4.4 9 typ host tcptype active
a=candidate:3 1 TCP 1010827519 8.8.4.4 41141 typ host tcptype passive
a=candidate:7 1 UDP 2015363839 fe80::fc:ff:fe00:1 46328 typ host
"""

WERIFT = f"""v=0
o=- 15301039 0 IN IP4 0.0.0.0
s=-
t=0 0
a=group:BUNDLE 0
a=extmap-allow-mixed
a=msid-semantic:WMS *
m=video 9 UDP/TLS/RTP/SAVPF 96
c=IN IP4 0.0.0.0
a=candidate:32b1715da3b0ef8ba684454eb 1 udp 2116026367 8.8.4.4 42149 typ host generation 0 ufrag cb3e
a=end-of-candidates
a=ice-ufrag:cb3e
a=ice-pwd:60533841589d409084dd1d
a=ice-options:trickle
a=fingerprint:sha-256 {PRINT}
a=setup:actpass
a=sendonly
a=mid:0
a=rtcp:9 IN IP4 0.0.0.0
a=rtcp-mux
a=ssrc:430798989 cname:db7ef9d9-8815-4ee0-9709-212979022540
a=rtpmap:96 VP8/90000
a=rtcp-fb:96 nack
a=rtcp-fb:96 nack pli
a=rtcp-fb:96 goog-remb
"""

FFMPEG = f"""v=0
o=FFmpeg 4489045141692799359 2 IN IP4 127.0.0.1
s=FFmpegPublishSession
t=0 0
a=group:BUNDLE 1
a=extmap-allow-mixed
a=msid-semantic: WMS
m=video 9 UDP/TLS/RTP/SAVPF 106 105
c=IN IP4 0.0.0.0
a=ice-ufrag:19dfd0d7
a=ice-pwd:5e418ff9f67dd7a9ccf46bee50fad89b
a=fingerprint:sha-256 {PRINT}
a=setup:passive
a=mid:1
a=sendonly
a=msid:FFmpeg video
a=rtcp-mux
a=rtcp-rsize
a=rtpmap:106 H264/90000
a=fmtp:106 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42001e
a=rtcp-fb:106 nack
a=rtpmap:105 rtx/90000
a=fmtp:105 apt=106
a=ssrc-group:FID 2627477091 2627477092
a=ssrc:2627477091 cname:FFmpeg
a=ssrc:2627477091 msid:FFmpeg video
"""


LIBDATACHANNEL = f"""v=0
o=rtc 4049982524 0 IN IP4 127.0.0.1
s=-
t=0 0
a=group:BUNDLE 0
a=group:LS 0
a=msid-semantic:WMS *
a=ice-options:ice2,trickle
a=fingerprint:sha-256 {PRINT}
m=video 39552 UDP/TLS/RTP/SAVPF 96
c=IN IP4 8.8.4.4
a=mid:0
a=sendonly
a=ssrc:42424242 cname:cname
a=ssrc:42424242 msid:stream track
a=msid:stream track
a=rtcp-mux
a=rtpmap:96 VP8/90000
a=rtcp-fb:96 nack
a=rtcp-fb:96 nack pli
a=rtcp-fb:96 goog-remb
a=setup:actpass
a=ice-ufrag:S35W
a=ice-pwd:PTuB7LgPudGTApLrjEtDSx
a=candidate:1 1 UDP 2114977791 8.8.4.4 39552 typ host
a=end-of-candidates
"""

GSTREAMER_H264 = GSTREAMER.replace("VP8/90000", "H264/90000").replace(
    "a=framerate:30\n",
    "a=fmtp:96 packetization-mode=1;sprop-parameter-sets=Z0LAHoyNQFAX/LAPCIRq,aM48gA==;profile-level-id=42c01e;"
    "level-asymmetry-allowed=1\na=framerate:30\n",
)


@pytest.mark.parametrize(
    ("text", "mid", "formats", "streams", "usable"),
    [
        pytest.param(GSTREAMER, "video0", ["VP8", "rtx"], [1348342264, 52161034], 1, id="GStreamer"),
        pytest.param(WERIFT, "0", ["VP8"], [430798989], 1, id="werift"),
        pytest.param(LIBDATACHANNEL, "0", ["VP8"], [42424242], 1, id="libdatachannel"),
        pytest.param(FFMPEG, "1", ["H264", "rtx"], [2627477091], 0, id="FFmpeg"),
    ],
)
def test_an_offer_of_another_client_is_understood(
    text: str, mid: str, formats: list[str], streams: list[int], usable: int
) -> None:
    """TCP and link-local candidates are left out; that no candidate is left is no reason to refuse."""
    offer = read_offer(text, SdpPolicy())
    (video,) = SessionDescription.parse(offer.sdp).media
    assert (offer.mid, len(offer.candidates)) == (mid, usable)
    assert [codec.name for codec in video.rtp.codecs] == formats
    assert [stream.ssrc for stream in video.ssrc] == streams


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param(GSTREAMER, "active", id="the client leaves the choice to us"),
        pytest.param(FFMPEG, "passive", id="the client waits for us"),
        pytest.param(FFMPEG.replace("passive", "active"), "active", id="the client insists on beginning"),
    ],
)
def test_the_client_begins_dtls_wherever_it_may(text: str, said: str) -> None:
    """As the server of DTLS aiortc takes any certificate, GStreamer's of RSA, too."""
    assert f"a=setup:{said}\r\n" in read_offer(text, SdpPolicy()).sdp


def test_a_parameter_that_nobody_needs_does_not_cost_the_others() -> None:
    """GStreamer's H.264 has parameter sets in base64 beside the packetization mode, without which nothing matches."""
    offer = read_offer(GSTREAMER_H264, SdpPolicy())
    assert offer.h264 == {96: "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42c01e"}
    assert "sprop" not in offer.sdp


FFMPEG_HIGH = FFMPEG.replace("42001e", "64001e")


@pytest.mark.parametrize("text", [GSTREAMER, GSTREAMER_H264, WERIFT, LIBDATACHANNEL, FFMPEG, FFMPEG_HIGH])
async def test_an_offer_of_another_client_is_answered(text: str) -> None:
    """There is a common format, or aiortc would refuse."""
    analyser = await Analyser.accept(text, [], policy=SdpPolicy(loopback=True), on_end=lambda _: None)
    try:
        assert "a=recvonly\r\n" in analyser.answer
    finally:
        await analyser.close()


def test_what_another_client_trickles_is_understood() -> None:
    """GStreamer's candidates over TCP are well-formed, so that they make no error; none of them is used."""
    lines = [line for line in GSTREAMER.splitlines() if line.startswith("a=candidate")]
    fragment = read_fragment("\r\n".join(["m=video 9 UDP/TLS/RTP/SAVPF 0", "a=mid:video0", *lines, ""]))
    assert [mid for mid, _ in fragment.candidates] == ["video0"] * 4


class RsaCertificate(RTCCertificate):
    """With the suites that a client has for its own certificate; aiortc's are of another kind."""

    def _create_ssl_context(self, srtp_profiles: list[SRTPProtectionProfile]) -> SSL.Context:
        context = super()._create_ssl_context(srtp_profiles)
        context.set_cipher_list(b"DEFAULT")
        return context


def rsa_certificate() -> RTCCertificate:
    """A certificate as GStreamer makes one for itself."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "client")])
    now = datetime.datetime.now(datetime.UTC)
    made = x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + datetime.timedelta(days=1))
    return RsaCertificate(key=key, cert=made.sign(key, hashes.SHA256()))  # type: ignore[arg-type]


@pytest.mark.parametrize("setup", ["actpass", "active", "passive"])
async def test_a_client_whose_certificate_is_an_rsa_one_is_seen(setup: str) -> None:
    """RFC 8827 lets clients have one; with us as the client of DTLS aiortc has no suite for it."""
    with patch.object(RTCCertificate, "generateCertificate", rsa_certificate):
        sender = Sender()
    offer = (await sender.offer()).replace("a=setup:actpass", f"a=setup:{setup}")
    analyser = await Analyser.accept(offer, [], policy=SdpPolicy(loopback=True), on_end=lambda _: None)
    try:
        await sender.answered(analyser.answer)
        await asyncio.wait_for(analyser.frames.take(), 10)
    finally:
        await asyncio.gather(analyser.close(), sender.close())
