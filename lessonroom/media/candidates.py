"""ICE candidates of strangers: which addresses the analyser may send connectivity checks to. Pure.

A candidate makes its receiver send packets to whatever address it names, so an unchecked one turns the server into a
scanner of its own network. A refused candidate is left out and counted, never an error: honest browsers name private
addresses and mDNS names all the time, and need none of them. The browser learns the server's candidates from the
answer and sends its checks there; the server answers to where they came from (RFC 8445 section 7.3.1.3).

Names, those of mDNS among them (draft-ietf-mmusic-mdns-ice-candidates), are never looked up.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import ip_address

from lessonroom.errors import BadSdp
from lessonroom.media.networks import is_private, is_special

MOST_CANDIDATES = 30
"""Candidates of one session, those that come later by PATCH included."""
LEAST_PORT = 1024
"""Below are the ports of services: DNS, NTP, SNMP. No browser receives media there."""
LONGEST_LINE = 1024
"""Characters of one candidate."""

_GRAMMAR = re.compile(
    r"(?P<foundation>[A-Za-z0-9+/]{1,32}) (?P<component>[0-9]{1,5}) (?P<transport>[A-Za-z0-9]{1,16}) "
    r"(?P<priority>[0-9]{1,10}) (?P<address>[^ ]{1,255}) (?P<port>[0-9]{1,5}) typ (?P<type>[a-z]{1,16})"
    r"(?: raddr (?P<raddr>[^ ]{1,255}))?(?: rport (?P<rport>[0-9]{1,5}))?(?P<more>(?: [!-~]{1,255}){0,16})"
)
_TYPES = frozenset({"host", "srflx", "relay"})
_LOOPBACK = frozenset({ip_address("127.0.0.1"), ip_address("::1")})


@dataclass(frozen=True, slots=True)
class RemoteCandidate:
    """A candidate that may be used; ``address`` is in its usual spelling. Component 1 over UDP, always."""

    foundation: str
    priority: int
    address: str
    port: int
    type: str

    def __str__(self) -> str:
        """As it stands in SDP, without the related address, which nobody needs."""
        return f"{self.foundation} 1 udp {self.priority} {self.address} {self.port} typ {self.type}"


def read_candidate(text: str, *, loopback: bool, private: bool) -> RemoteCandidate | None:
    """Read the value of ``a=candidate:``; None when it is well-formed but may not be used.

    ``loopback``: addresses of this machine may be used, for a demo; ``private``: those of private networks. Raises
    BadSdp when it is not a candidate by RFC 8839 section 5.1.
    """
    found = _GRAMMAR.fullmatch(text) if len(text) <= LONGEST_LINE else None
    if found is None:
        raise BadSdp("expected an ICE candidate as in RFC 8839 section 5.1, got something else")
    component, priority, port = int(found["component"]), int(found["priority"]), int(found["port"])
    if not (1 <= component <= 256 and 1 <= priority < 2**31 and port <= 65535):
        raise BadSdp("expected an ICE candidate with component, priority and port in range, got one out of range")
    if component != 1 or port < LEAST_PORT or found["transport"].lower() != "udp" or found["type"] not in _TYPES:
        return None
    address = usable_address(found["address"], loopback=loopback, private=private)
    if address is None:
        return None
    return RemoteCandidate(found["foundation"], priority, address, port, found["type"])


def usable_address(text: str, *, loopback: bool, private: bool) -> str | None:
    """The address in its usual spelling, or None when no check may be sent to it.

    Only plain IPv4 and IPv6 are understood: no names, no ``127.1``, no octal or hexadecimal parts, no zones. With
    ``loopback``, 127.0.0.1 and ::1 may be used, with ``private`` those of private networks; other special ones
    (:mod:`lessonroom.media.networks`), and IPv6 ones that carry an IPv4 address inside, never.
    """
    if "%" in text or not text.isascii():
        return None
    try:
        address = ip_address(text)
    except ValueError:
        return None
    if address in _LOOPBACK:
        return str(address) if loopback else None
    if is_special(address):
        return None
    if is_private(address):
        return str(address) if private else None
    # both lists have to agree: ours does not change with Python, and Python's may know of a newer network
    return str(address) if address.is_global else None
