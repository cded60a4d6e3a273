"""Consent to send (RFC 7675): how long a peer is sent anything, and what is left of a session without it.

aioice ends the session when consent expires. RFC 7675 section 5.1 asks for less: to send no more. It says nothing of
receiving, and there are senders that answer no check once they send (FFmpeg's WHIP muxer), so that a session without
consent goes on here, silently, for as long as media come.

Nobody can turn that to account. What keeps the session alive is media alone, decrypted, and taken once (SRTP's replay
list): neither a stranger's datagrams nor a recording of the peer's, and no longer the peer's own checks either. Nothing
is sent without consent, whoever asks: it is lost by the clock, given only by an answer that bears the password and the
request's random number, and never given again, for the same credentials must not be used for that. Answers to checks
that bear the password go on; they are ICE's own, which needs no consent (RFC 7675 section 3), and as large as what
asked for them.
"""

from __future__ import annotations

import asyncio
import math
import random
from collections.abc import Callable

import aioice
from aioice import stun

from lessonroom.media.guard.inlet import replace

LASTS = 30.0
"""Seconds for which an answer gives consent (RFC 7675 section 5.1)."""
ASK_SECONDS = 4.0, 6.0
"""Between two checks, at random within this range (RFC 7675 section 5.1)."""


class Consent:
    """Until when one peer may be sent anything. Times are seconds of one clock."""

    def __init__(self) -> None:
        self._until = math.inf

    def given(self, now: float) -> None:
        """The peer answered, or the connection came about; too late, it changes nothing."""
        if self.holds(now):
            self._until = now + LASTS

    def holds(self, now: float) -> bool:
        """Whether anything may be sent. Once it may not, it never may again."""
        if now >= self._until:
            self._until = -math.inf
        return now < self._until


async def keep_asking(ice: aioice.Connection, consent: Consent, clock: Callable[[], float]) -> None:
    """Send checks for as long as consent holds; to be begun when the connection came about."""
    consent.given(clock())
    async with asyncio.TaskGroup() as asked:
        while not ice._closing and consent.holds(clock()):
            await asyncio.sleep(random.uniform(*ASK_SECONDS))
            for pair in list(ice._nominated.values()):
                if consent.holds(clock()):
                    asked.create_task(_ask(ice, pair, consent, clock), name="consent")


async def _ask(
    ice: aioice.Connection, pair: aioice.ice.CandidatePair, consent: Consent, clock: Callable[[], float]
) -> None:
    """Send one check, once, as RFC 7675 section 5.1 wants it, and await its answer for as long as that may count.

    aioice's own requests give up after half a second: over a slower line no answer would ever be heard.
    """
    key = (ice.remote_password or "").encode()
    request = ice.build_request(pair, nominate=False)
    request.add_message_integrity(key)
    transaction = stun.Transaction(request, pair.remote_addr, pair.protocol, 0, key)
    replace(transaction, "_Transaction__timeout_delay", LASTS)
    pair.protocol.transactions[request.transaction_id] = transaction
    try:
        await transaction.run()
    except stun.TransactionError:
        return
    finally:
        del pair.protocol.transactions[request.transaction_id]
    consent.given(clock())
