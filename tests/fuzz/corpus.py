"""Honest inputs, as clients send them: what every mutation begins with."""

from __future__ import annotations

import json

PRINT = ":".join(f"{byte:02X}" for byte in range(32))
SSRC, RTX_SSRC = 2231627014, 632943048

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
a=candidate:3 1 tcp 1518280447 192.168.1.20 9 typ host tcptype active generation 0
a=ice-ufrag:iu+H
a=ice-pwd:9u8hX7ZhWPK2zT2mTg4kq3sB
a=ice-options:trickle
a=fingerprint:sha-256 {PRINT}
a=setup:actpass
a=mid:0
a=extmap:9 urn:ietf:params:rtp-hdrext:sdes:mid
a=sendonly
a=msid:- 0b9a9a4c-0f5c-4d7e-8b7e-2b1f9a5e9a77
a=rtcp-mux
a=rtcp-rsize
a=rtpmap:96 VP8/90000
a=rtcp-fb:96 goog-remb
a=rtcp-fb:96 ccm fir
a=rtcp-fb:96 nack
a=rtcp-fb:96 nack pli
a=rtpmap:97 rtx/90000
a=fmtp:97 apt=96
a=rtpmap:103 H264/90000
a=fmtp:103 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42001f
a=rtpmap:104 rtx/90000
a=fmtp:104 apt=103
a=rtpmap:35 AV1/90000
a=rtpmap:36 rtx/90000
a=fmtp:36 apt=35
a=ssrc-group:FID {SSRC} {RTX_SSRC}
a=ssrc:{SSRC} cname:axtBPwXYZ
a=ssrc:{RTX_SSRC} cname:axtBPwXYZ
"""
FIREFOX = f"""v=0
o=mozilla...THIS_IS_SDPARTA-99.0 5210430421331241331 0 IN IP4 0.0.0.0
s=-
t=0 0
a=fingerprint:sha-256 {PRINT}
a=group:BUNDLE 0
a=ice-options:trickle
a=msid-semantic:WMS *
m=video 9 UDP/TLS/RTP/SAVPF 120 124 126 127
c=IN IP4 0.0.0.0
a=sendrecv
a=extmap:3 urn:ietf:params:rtp-hdrext:sdes:mid
a=extmap:4/recvonly urn:ietf:params:rtp-hdrext:toffset
a=fmtp:126 profile-level-id=42e01f;level-asymmetry-allowed=1;packetization-mode=1
a=fmtp:120 max-fs=12288;max-fr=60
a=fmtp:124 apt=120
a=fmtp:127 apt=126
a=ice-pwd:0a1b2c3d4e5f60718293a4b5c6d7e8f9
a=ice-ufrag:5f60a1b2
a=mid:0
a=rtcp-fb:120 nack
a=rtcp-fb:120 nack pli
a=rtcp-mux
a=rtpmap:120 VP8/90000
a=rtpmap:124 rtx/90000
a=rtpmap:126 H264/90000
a=rtpmap:127 rtx/90000
a=setup:actpass
a=ssrc:{SSRC} cname:{{0b9a9a4c-0f5c-4d7e-8b7e-2b1f9a5e9a77}}
"""
PUBLISHER = f"""v=0
o=- 3900000000 3900000000 IN IP4 127.0.0.1
s=-
t=0 0
a=ice-ufrag:abcd
a=ice-pwd:abcdefghijklmnopqrstuv
a=fingerprint:sha-256 {PRINT}
a=setup:active
m=video 9 UDP/TLS/RTP/SAVPF 96
a=mid:video0
a=sendonly
a=rtcp-mux
a=rtpmap:96 H264/90000
a=fmtp:96 profile-level-id=42e01f;packetization-mode=1;level-asymmetry-allowed=1
a=candidate:1 1 UDP 2130706431 2606:4700:4700::1111 40000 typ host
a=end-of-candidates
"""
OFFERS = tuple(text.replace("\n", "\r\n").encode() for text in (CHROMIUM, FIREFOX, PUBLISHER))
SDP_WORDS = (
    b"a=mid:1\r\n", b"m=video 9 UDP/TLS/RTP/SAVPF 96\r\n", b"m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n", b"a=ice-lite\r\n",
    b"a=inactive\r\n", b"a=candidate:", b"a=rtpmap:96 VP8/90000\r\n", b"a=fmtp:97 apt=", b"VP9", b"sha-1", b"a=ssrc:",
    b"a=rtcp-fb:* nack\r\n", b"a=extmap:1 urn:ietf:params:rtp-hdrext:sdes:mid\r\n", b"a=setup:holdconn\r\n",
    "٩".encode(),
)  # fmt: skip

FRAGMENTS = (
    (
        b"a=ice-ufrag:iu+H\r\na=ice-pwd:9u8hX7ZhWPK2zT2mTg4kq3sB\r\nm=video 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\n"
        b"a=candidate:2 1 udp 1677729535 8.8.4.4 51234 typ srflx raddr 0.0.0.0 rport 0 generation 0 ufrag iu+H\r\n"
    ),
    b"a=end-of-candidates\r\n",
    b"m=audio 9 RTP/AVP 0\r\na=mid:0\r\na=candidate:1 1 udp 1 2001:4860:4860::8888 9 typ host\r\n",
)

ADDRESSES = (
    "8.8.4.4", "2606:4700:4700::1111", "127.0.0.1", "::1", "10.0.0.1", "169.254.169.254", "fe80::1%eth0", "224.0.0.1",
    "::ffff:127.0.0.1", "64:ff9b::7f00:1", "0.0.0.0", "localhost", "x.local", "0x7f.1", "2130706433", "127.1", "[::1]",
    "100.64.0.1", "192.0.0.8", "192.88.99.1", "198.18.0.1", "240.0.0.1", "fd00::1", "2002:7f00:1::", "2001::1",
    "::7f00:1", "168.63.129.16", "3fff::1", "0177.0.0.1", "127.0.0.1.", "１２７.0.0.1", "::ffff:0:127.0.0.1",
    "ff02::1", "fec0::1",
)  # fmt: skip
CANDIDATES = (
    *(f"1 1 udp 2113937151 {address} 51234 typ host".encode() for address in ADDRESSES),
    b"842163049 1 udp 1677729535 8.8.4.4 3478 typ srflx raddr 10.0.0.1 rport 3478 generation 0 network-cost 999",
    b"3 2 TCP 1518280447 8.8.4.4 9 typ host tcptype active",
)
CANDIDATE_WORDS = (*(address.encode() for address in ADDRESSES), b" typ relay", b" typ prflx", b" raddr ", b"%1")

MESSAGES = tuple(
    json.dumps(message).encode()
    for message in (
        {"type": "hello", "ticket": "t" * 64, "page": "page-0001", "after": 17},
        {"type": "chat.send", "id": "message-1", "text": "Do you have time on Friday at 5? Привет, Сэм 🙂"},
        {"type": "chat.appeal", "id": "message-1"},
        {"type": "signal", "to": "member-0001", "page": "page-0002", "description": {"type": "offer", "sdp": "v=0"}},
        {
            "type": "signal", "to": "member-0001", "page": "page-0002",
            "candidate": {"candidate": "candidate:1 1 udp 1 8.8.4.4 9 typ host", "sdpMid": "0", "sdpMLineIndex": 0,
                          "usernameFragment": "iu+H"},
        },
        {"type": "consent", "agreed": False},
        {"type": "camera", "on": True},
        {"type": "stuck", "id": "press-0001"},
        {"type": "hint.feedback", "hint": "hint-0001", "helpful": None},
        {"type": "hints", "on": False},
        {"type": "leave"},
        {"type": "ping"},
    )
)  # fmt: skip
JSON_WORDS = (
    b'"agreed":true,', b'"type":"consent",', b"null", b"true", b"[", b"]" * 300, b"{" * 300, b'{"a":' * 300,
    b'"\\ud800"', b'"\\u0000"', b"1e999", b"Infinity", b'"__proto__":{},', b'"text":"', b"\\", b"/*", b"'",
)  # fmt: skip
