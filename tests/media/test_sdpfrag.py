"""Trickle fragments, as RFC 8840 and RFC 9725 show them and otherwise."""

from __future__ import annotations

import pytest

from lessonroom.errors import BadSdp
from lessonroom.media.sdpfrag import MOST_BYTES, read_fragment

FRAGMENT = """a=group:BUNDLE 0\r
m=video 9 UDP/TLS/RTP/SAVPF 96\r
a=mid:0\r
a=ice-ufrag:iu+H\r
a=ice-pwd:9u8hX7ZhWPK2zT2mTg4kq3sB\r
a=candidate:1 1 udp 2113937151 8.8.8.8 51234 typ host\r
a=candidate:2 1 udp 2113937150 8.8.4.4 51235 typ host\r
a=end-of-candidates\r
"""


def test_candidates_come_with_the_section_they_belong_to() -> None:
    fragment = read_fragment(FRAGMENT)
    assert (fragment.ufrag, fragment.password) == ("iu+H", "9u8hX7ZhWPK2zT2mTg4kq3sB")
    assert [mid for mid, _ in fragment.candidates] == ["0", "0"]
    assert fragment.candidates[0][1].endswith("8.8.8.8 51234 typ host")
    assert fragment.end


def test_a_fragment_may_hold_one_candidate_and_nothing_else() -> None:
    fragment = read_fragment("a=candidate:1 1 udp 1 8.8.8.8 5 typ host")
    assert fragment.candidates == (("", "1 1 udp 1 8.8.8.8 5 typ host"),)
    assert (fragment.ufrag, fragment.end) == ("", False)


def test_a_new_section_has_no_name_until_it_says_it() -> None:
    text = "m=video 9 RTP/AVP 0\na=mid:0\nm=audio 9 RTP/AVP 0\na=candidate:1 1 udp 1 8.8.8.8 5 typ host"
    assert read_fragment(text).candidates[0][0] == ""


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        "v=0\r\na=mid:0\r\n",
        "c=IN IP4 127.0.0.1",
        FRAGMENT + "a=ice-ufrag:other\r\n",
        FRAGMENT + "a=ice-pwd:otherotherotherotherother\r\n",
        FRAGMENT + "a=x:\u2028a=candidate:1 1 udp 1 127.0.0.1 5 typ host\r\n",
        FRAGMENT + "a=x\x00",
        "a=x" * MOST_BYTES,
    ],
)
def test_what_is_no_fragment_is_refused(text: str) -> None:
    with pytest.raises(BadSdp):
        read_fragment(text)
