"""Which addresses a stranger's candidate may name. Tables, and a listening socket that must stay silent."""

from __future__ import annotations

import asyncio
import socket

import pytest

from lessonroom.errors import BadSdp
from lessonroom.media.candidates import read_candidate, usable_address
from lessonroom.media.peer import Analyser
from lessonroom.media.sdp import SdpPolicy
from tests.rtc import Sender

PUBLIC = ["8.8.8.8", "93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c", "2a00:1450:4001:80b::200e"]

OWN = ["127.0.0.1", "::1"]
"""Of this machine: for a demo only."""

PRIVATE = ["10.0.0.1", "172.16.5.4", "172.31.255.254", "192.168.1.20", "100.64.0.1", "fd00::2", "fc00::1"]
"""Of houses, schools and carriers: with their own setting."""

NEVER = [
    # other spellings of 127.0.0.1
    "127.1", "127.0.1", "127.0.0.01", "0127.0.0.1", "0177.0.0.1", "0x7f.0.0.1", "0x7f000001", "2130706433",
    "017700000001", "127.0.0.1.", "127.0.0.1:80", " 127.0.0.1", "127.0.0.1%lo", "１２７.0.0.1", "127.0.0。1",
    # and of ::1
    "[::1]", "0:0:0:0:0:0:0:1%1", "::1%lo", "::1/128",
    # IPv4 inside IPv6
    "::ffff:127.0.0.1", "::ffff:7f00:1", "0:0:0:0:0:ffff:127.0.0.1", "::127.0.0.1", "::ffff:0:127.0.0.1",
    "64:ff9b::127.0.0.1", "64:ff9b:1::7f00:1", "2002:7f00:1::", "2001:0:7f00:1::", "::ffff:8.8.8.8",
    # other addresses of this machine, and of all machines
    "127.0.0.2", "127.255.255.254", "0.0.0.0", "0.0.0.1", "::", "255.255.255.255", "240.0.0.1",
    # this link, this site, many at once
    "169.254.169.254", "169.254.0.1", "fe80::1", "fe80::1%eth0", "fec0::1", "224.0.0.1", "224.0.0.251", "239.1.2.3",
    "ff02::1", "ff0e::1",
    # of nobody's camera: documentation, benchmarking, protocols, AS112, relays, dummies (Python 3.11 lets some through)
    "192.0.2.2", "198.51.100.7", "203.0.113.7", "198.18.0.1", "192.0.0.8", "192.0.0.9", "192.0.0.10", "192.0.0.170",
    "192.31.196.1", "192.52.193.1", "192.88.99.1", "192.175.48.1", "2001:db8::1", "3fff::1", "2620:4f:8000::1",
    "100::1", "100:0:0:1::1", "5f00::1", "2001:1::1", "2001:4:112::1", "2001:20::1", "2001:30::1", "4000::1", "1::1",
    # of clouds, where machines ask who they are
    "168.63.129.16", "100.100.100.200", "fd00:ec2::254", "fd20:ce::254",
    # names
    "localhost", "localhost.", "ip6-localhost", "example.org", "5d1f3c4e-7c1a-4d6e-9c39-8a6f4b6d2e11.local",
    "x.local", "metadata.google.internal", "", "-", "0", "1", "::g", "1.2.3", "1.2.3.4.5", "256.0.0.1",
]  # fmt: skip
"""Refused whatever the setting."""


@pytest.mark.parametrize("address", PUBLIC)
@pytest.mark.parametrize("allowed", [True, False])
def test_public_addresses_may_be_used(address: str, allowed: bool) -> None:
    assert usable_address(address, loopback=allowed, private=allowed) == address


@pytest.mark.parametrize("address", OWN)
def test_own_addresses_need_the_loopback_setting(address: str) -> None:
    assert usable_address(address, loopback=True, private=False) == address
    assert usable_address(address, loopback=False, private=True) is None


@pytest.mark.parametrize("address", PRIVATE)
def test_private_addresses_need_their_own_setting(address: str) -> None:
    """A demo on one machine opens that machine, and not the network around it."""
    assert usable_address(address, loopback=False, private=True) == address
    assert usable_address(address, loopback=True, private=False) is None


@pytest.mark.parametrize("address", NEVER)
@pytest.mark.parametrize("allowed", [True, False])
def test_odd_spellings_names_and_special_addresses_are_never_used(address: str, allowed: bool) -> None:
    assert usable_address(address, loopback=allowed, private=allowed) is None


@pytest.mark.parametrize(("long", "short"), [("0:0:0:0:0:0:0:1", "::1"), ("2A00:1450:4001:080B::200E", PUBLIC[3])])
def test_a_long_spelling_is_written_in_its_usual_form(long: str, short: str) -> None:
    assert usable_address(long, loopback=True, private=True) == short


def test_at_least_forty_spellings_are_refused() -> None:
    assert len(set(NEVER)) >= 40


@pytest.mark.parametrize(
    "text",
    [
        "1 1 udp 2113937151 8.8.8.8 51234 typ host",
        "1 1 UDP 2113937151 8.8.8.8 51234 typ srflx raddr 192.168.1.2 rport 5000",
        "4234997325 1 udp 2043278322 8.8.8.8 44323 typ host generation 0 ufrag abcd network-id 1 network-cost 10",
        "H+/a 1 udp 1 8.8.8.8 1024 typ relay raddr 0.0.0.0 rport 9",
    ],
)
def test_honest_candidates_are_read(text: str) -> None:
    candidate = read_candidate(text, loopback=False, private=False)
    assert candidate is not None
    assert candidate.address == "8.8.8.8"
    assert "192.168" not in str(candidate)


@pytest.mark.parametrize(
    "text",
    [
        "1 2 udp 1 8.8.8.8 5000 typ host",
        "1 1 tcp 1 8.8.8.8 9 typ host tcptype active",
        "1 1 udp 1 8.8.8.8 0 typ host",
        "1 1 udp 1 8.8.8.8 53 typ host",
        "1 1 udp 1 8.8.8.8 1023 typ host",
        "1 1 udp 1 8.8.8.8 5000 typ prflx",
        "1 1 udp 1 8.8.8.8 5000 typ other",
        "1 1 ssltcp 1 8.8.8.8 443 typ host",
    ],
)
def test_candidates_of_no_use_are_left_out(text: str) -> None:
    assert read_candidate(text, loopback=True, private=True) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1 1 udp 1 8.8.8.8 5000",
        "1 1 udp 1 8.8.8.8 5000 typ",
        "1 one udp 1 8.8.8.8 5000 typ host",
        "1 0 udp 1 8.8.8.8 5000 typ host",
        "1 257 udp 1 8.8.8.8 5000 typ host",
        "1 1 udp -1 8.8.8.8 5000 typ host",
        "1 1 udp 99999999999 8.8.8.8 5000 typ host",
        "1 1 udp 2147483648 8.8.8.8 5000 typ host",
        "1 1 udp 1 8.8.8.8 65536 typ host",
        "1 1 udp 1 8.8.8.8 ٥٠٠٠ typ host",
        "1 1 udp 1 8.8.8.8 5000 typ host\r\na=candidate:1 1 udp 1 127.0.0.1 5000 typ host",
        "1  1 udp 1 8.8.8.8 5000 typ host",
        "1\t1 udp 1 8.8.8.8 5000 typ host",
        "é 1 udp 1 8.8.8.8 5000 typ host",
        "1 1 udp 1 8.8.8.8 5000 typ host " + "x " * 600,
        "1 1 udp 1 " + "a" * 300 + " 5000 typ host",
    ],
)
def test_lines_that_are_no_candidates_are_an_error_without_their_words(text: str) -> None:
    with pytest.raises(BadSdp) as caught:
        read_candidate(text, loopback=True, private=True)
    assert "8.8.8.8" not in str(caught.value)


@pytest.mark.parametrize("allowed", [False, True])
async def test_no_spelling_makes_the_analyser_send_a_packet(allowed: bool) -> None:
    """Every spelling, by offer and by trickle, with the port of a socket that listens on all local addresses."""
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as listener:
        listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        listener.bind(("::", 0))
        listener.setblocking(False)
        port = listener.getsockname()[1]
        spellings = [
            address for address in NEVER + ([] if allowed else OWN + PRIVATE) if address and " " not in address
        ]
        for start in range(0, len(spellings), 15):
            await _offer_and_trickle(spellings[start : start + 15], port, allowed=allowed)
        with pytest.raises(BlockingIOError):
            listener.recv(2048)


async def _offer_and_trickle(addresses: list[str], port: int, *, allowed: bool) -> None:
    sender = Sender()
    named = [f"{i} 1 udp 2113937151 {address} {port} typ host" for i, address in enumerate(addresses)]
    lines = [line for line in (await sender.offer()).split("\r\n")[:-1] if "candidate" not in line]
    offer = "\r\n".join([*lines, *(f"a=candidate:{text}" for text in named if text.isascii()), ""])
    policy = SdpPolicy(loopback=allowed, private=allowed)
    analyser = await Analyser.accept(offer, [], policy=policy, on_end=lambda _: None)
    for text in named:
        await analyser.add_candidate(text, "")
    await asyncio.sleep(0.15)
    await analyser.close()
    await sender.close()


async def test_the_listening_socket_hears_a_candidate_that_may_be_used() -> None:
    """Shows that the test above could fail."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.setblocking(False)
        await _offer_and_trickle(["127.0.0.1"], listener.getsockname()[1], allowed=True)
        assert listener.recv(2048)[4:8] == b"\x21\x12\xa4\x42"
