"""What the features mean, as one word: a model learned with other rules or other words must not be asked. Pure.

Names alone do not tell: a rule may keep its name and give other scores. So a few texts that wake most parts are read,
and what comes out is hashed. A model's file carries the word of the day when it was trained.
"""

from __future__ import annotations

import hashlib
from functools import cache
from typing import Final

import numpy as np

from lessonroom.chat.conversation import listen
from lessonroom.chat.features import DAMPING, features
from lessonroom.chat.rules import apply, read
from lessonroom.chat.types import Line

_TEXTS: Final = (
    "Мой скайп anna_p, тел +7 905 123-45-67, пишите после 18:00",
    "anna (собака) posta (точка) ru или te le gram @anna_p",
    "нуль шість сім, потім двадцять три дев'ятки, 45-67",
    "What's your number? Find me on Facebook, Anna Petrova, or t.me/anna_p",
    "pay me directly, card 4276 5500 1234 5678, no commission",
    "Улица Садовая 5, кв 7, приходите; https://us04web.zoom.us/j/123",
    "Exercise 5, page 12: 3/4 + 2/3 = 17/12, 1000 000, v. 3.11.7, 12.05.2024",
    "см. bbc.co.uk и мой сайт anna-tutor.ru, b a n a n a, sycnfuhfv",
    "два раза по 15 минут, оплата на сайте",
)
_TALK: Final = (
    Line("b", "what's your WhatsApp?"),
    Line("a", "plus 44"),
    Line("b", "and?"),
    Line("a", "7911"),
)


@cache
def fingerprint() -> str:
    """16 hexadecimal digits; the same as long as the probes give the same features."""
    out = hashlib.sha256(repr(DAMPING).encode())
    for text in _TEXTS:
        for talk in ((), _TALK):
            reading = read(text)
            seen = features(reading, apply(reading), listen(reading, "a", talk))
            out.update(np.round(seen.dense, 2).tobytes())
            for buckets in seen.grams:
                out.update(buckets.tobytes())
    return out.hexdigest()[:16]
