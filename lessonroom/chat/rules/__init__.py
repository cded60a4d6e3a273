"""The rules: small pieces that each find one thing and say why. Pure and linear in the message's length.

A rule proposes; the classifier and the policy decide. When the classifier is down, ``rules_alone`` decides.
"""

from __future__ import annotations

from lessonroom.chat.lexicon import mask
from lessonroom.chat.rules.ask import ask_hits
from lessonroom.chat.rules.handle import handle_hits
from lessonroom.chat.rules.link import link_hits
from lessonroom.chat.rules.mail import mail_hits
from lessonroom.chat.rules.phone import phone_hits
from lessonroom.chat.rules.place import place_hits
from lessonroom.chat.rules.reading import Hit, Reading, read

__all__ = ["RULES", "SURE", "UNSURE", "Hit", "Reading", "apply", "read"]

RULES = (phone_hits, link_hits, mail_hits, handle_hits, ask_hits, place_hits)
"""Every rule, in the order in which their hits are told."""

SURE = 0.85
"""A hit at or above this score is a contact even without the classifier."""

UNSURE = 0.5
"""A hit between this and ``SURE`` is what the rules alone cannot decide."""


_FRAME = mask("FRAME")
_FRAMED = 0.6
"""What a hit counts where the message speaks of a dialogue, an example, an essay: it shows a contact, not its own."""


def apply(reading: Reading) -> list[Hit]:
    """Every hit of every rule, best first; none for a message without candidates."""
    if RULES not in reading.found:
        reading.found[RULES] = tuple(_apply(reading))
    return list(reading.found[RULES])


def _apply(reading: Reading) -> list[Hit]:
    if not reading.is_candidate():
        return []
    hits = [hit for rule in RULES for hit in rule(reading)]
    if reading.cues & _FRAME:
        hits = [hit._replace(score=hit.score * _FRAMED) for hit in hits]
    hits.sort(key=lambda hit: -hit.score)
    return hits
