"""Networks that are not the internet: IANA's special-purpose registries, kept here because Python's copy changes.

Python 3.11's ``is_global`` lets 192.0.0.9 and 3fff::1 through, later versions do not; what may be sent to must not
depend on that. Sources, read on 2026-11-22: RFC 6890 with its updates, and the registries "IANA IPv4 Special-Purpose
Address Registry", "IANA IPv6 Special-Purpose Address Registry", "IPv4 Multicast", "IPv6 Global Unicast". Pure.
"""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network

Network = IPv4Network | IPv6Network


def _all(*texts: str) -> tuple[Network, ...]:
    return tuple(ip_network(text) for text in texts)


PRIVATE = _all(
    "10.0.0.0/8",  # RFC 1918
    "172.16.0.0/12",
    "192.168.0.0/16",
    "100.64.0.0/10",  # of carriers, RFC 6598; some home and overlay networks use it
    "fc00::/7",  # unique local, RFC 4193
)
"""Of houses, schools and companies: for the setting ``ice_private``."""

NEVER = _all(
    "0.0.0.0/8",  # this network, RFC 791
    "127.0.0.0/8",  # this machine; 127.0.0.1 has a setting of its own
    "169.254.0.0/16",  # link-local, and the metadata of most clouds
    "192.0.0.0/24",  # protocol assignments, RFC 6890
    "192.0.2.0/24",  # documentation, RFC 5737
    "192.31.196.0/24",  # AS112-v4, RFC 7535
    "192.52.193.0/24",  # AMT, RFC 7450
    "192.88.99.0/24",  # 6to4 relays, RFC 7526
    "192.175.48.0/24",  # direct delegation AS112, RFC 7534
    "198.18.0.0/15",  # benchmarking, RFC 2544
    "198.51.100.0/24",  # documentation
    "203.0.113.0/24",  # documentation
    "224.0.0.0/4",  # multicast, RFC 5771
    "240.0.0.0/4",  # reserved, and 255.255.255.255
    "100.100.100.200/32",  # metadata of Alibaba Cloud, inside the carriers' network
    "168.63.129.16/32",  # the host's own services in Azure, a public address
    "::/8",  # unspecified, loopback, IPv4-mapped and -compatible, NAT64 (64:ff9b::/96, 64:ff9b:1::/48 are below)
    "64:ff9b::/96",  # NAT64, RFC 6052: carries an IPv4 address
    "64:ff9b:1::/48",  # RFC 8215
    "100::/64",  # discard only, RFC 6666
    "100:0:0:1::/64",  # dummy prefix, RFC 9780
    "2001::/23",  # protocol assignments, RFC 2928: Teredo, ORCHID, AMT, drones and others
    "2001:db8::/32",  # documentation, RFC 3849
    "2002::/16",  # 6to4, RFC 3056: carries an IPv4 address
    "2620:4f:8000::/48",  # direct delegation AS112
    "3fff::/20",  # documentation, RFC 9637
    "5f00::/16",  # segment routing, RFC 9602
    "fd00:ec2::/32",  # metadata of Amazon's cloud, inside the unique local addresses
    "fd20:ce::/32",  # metadata of Google's cloud, likewise
    "fe80::/10",  # link-local, RFC 4291
    "fec0::/10",  # site-local, RFC 3879
    "ff00::/8",  # multicast
)
"""Never of another person's camera, or never to be asked by a stranger."""

GLOBAL_V6 = IPv6Network("2000::/3")
"""All of IPv6 that was ever given to anybody (RFC 4291 section 2.4)."""


def is_private(address: IPv4Address | IPv6Address) -> bool:
    """Whether it is of a network of :data:`PRIVATE`."""
    return _within(address, PRIVATE)


def is_special(address: IPv4Address | IPv6Address) -> bool:
    """Whether it is of a network of :data:`NEVER`, or of a part of IPv6 that is nobody's."""
    strange = isinstance(address, IPv6Address) and address not in GLOBAL_V6 and not is_private(address)
    return strange or _within(address, NEVER)


def _within(address: IPv4Address | IPv6Address, networks: Iterable[Network]) -> bool:
    return any(address.version == network.version and address in network for network in networks)
