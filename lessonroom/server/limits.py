"""How much each address, member or room may do: token buckets by name, as many as are worth remembering. Pure."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Iterable
from ipaddress import IPv6Address, ip_address, ip_network

from lessonroom.errors import RateLimited
from lessonroom.server.rate import Bucket

MOST_KEYS = 10_000
"""Buckets that are kept; the one that was not asked for longest is forgotten first."""


class TooOften(RateLimited):
    """Too many in too short a time. ``seconds``: when one more will be taken, for ``Retry-After``."""

    def __init__(self, message: str, seconds: float) -> None:
        super().__init__(message)
        self.seconds = max(1, math.ceil(seconds))


class Limits:
    """One bucket for each key: ``rate`` a second in the long run, ``burst`` at once."""

    def __init__(self, rate: float, burst: float, most: int = MOST_KEYS) -> None:
        self._rate = rate
        self._burst = burst
        self._most = most
        self._buckets: OrderedDict[str, Bucket] = OrderedDict()

    def __len__(self) -> int:
        return len(self._buckets)

    def take(self, key: str, now: float) -> bool:
        """Take one token of this key; False when it has none. ``now``: seconds of any steady clock."""
        return self._bucket(key, now).take(now)

    def wait(self, key: str, now: float) -> float:
        """Seconds until this key has a token; 0 when it has one. Nothing is remembered for it."""
        bucket = self._buckets.get(key)
        return 0.0 if bucket is None else bucket.wait(now)

    def spend(self, key: str, now: float, what: str) -> None:
        """Take one token. Raises TooOften; ``what``: in our words, what there was too much of."""
        if not self.take(key, now):
            raise TooOften(f"expected fewer {what} in a minute, got one too many", self.wait(key, now))

    def _bucket(self, key: str, now: float) -> Bucket:
        bucket = self._buckets.get(key)
        if bucket is None:
            bucket = self._buckets[key] = Bucket(self._rate, self._burst, now)
            if len(self._buckets) > self._most:
                self._buckets.popitem(last=False)
        self._buckets.move_to_end(key)
        return bucket


def per_minute(count: int) -> Limits:
    """So many at once, and as many in each minute after that."""
    return Limits(count / 60, count)


def neighbourhood(address: str) -> str:
    """Whom a limit is for: an IPv4 address, or the /64 of an IPv6 one, which one customer has as a whole (RFC 6177)."""
    try:
        known = ip_address(address)
    except ValueError:
        return address
    if isinstance(known, IPv6Address):
        if known.ipv4_mapped is not None:
            return str(known.ipv4_mapped)
        return str(IPv6Address(int(known) >> 64 << 64)) + "/64"
    return str(known)


class Networks:
    """Addresses and networks, such as those of our proxies; an IPv4 address counts as itself inside of an IPv6 one."""

    def __init__(self, known: Iterable[str]) -> None:
        self._known = tuple(ip_network(one) for one in known)

    def __contains__(self, address: str) -> bool:
        try:
            found = ip_address(address)
        except ValueError:
            return False
        if isinstance(found, IPv6Address) and found.ipv4_mapped is not None:
            found = found.ipv4_mapped
        return any(found in network for network in self._known)
