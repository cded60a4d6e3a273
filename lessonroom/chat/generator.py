"""Makes up further messages from families of templates (``corpus/templates.jsonl``), to train beside the written ones.

A family is held out as a whole, never row by row: rows of one family differ by what stands in their braces only, and a
filter that has seen one has seen them all.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Final

from lessonroom.chat.dataset import Row
from lessonroom.chat.payloads import PAYLOADS

TEMPLATES: Final = Path(__file__).parent / "corpus" / "templates.jsonl"
_BRACES: Final = re.compile(r"\{(\w+)\}")
_GREETINGS: Final = {
    "ru": ("Здравствуйте! ", "Привет, ", "Добрый день. ", "", "", "", ""),
    "uk": ("Доброго дня! ", "Привіт, ", "Вітаю. ", "", "", "", ""),
    "en": ("Hello! ", "Hi, ", "Good morning. ", "", "", "", ""),
}
_ENDINGS: Final = {
    "ru": ("", "", "", "!", " спасибо", " :)", "))", "."),
    "uk": ("", "", "", "!", " дякую", " :)", "."),
    "en": ("", "", "", "!", " thanks", " :)", "."),
}


def fill(template: str, random: Random, lang: str) -> str:
    """A template with every brace filled. Raises KeyError for an unknown one."""
    return _BRACES.sub(lambda brace: PAYLOADS[brace.group(1)](random, lang), template)


def vary(text: str, random: Random, lang: str) -> str:
    """The same message as another hand would type it: greeting, case, ending."""
    text = random.choice(_GREETINGS[lang]) + text
    if random.random() < 0.3:
        text = text.lower()
    return text.rstrip(".!") + random.choice(_ENDINGS[lang])


def generate(per_template: int, seed: int) -> Iterator[Row]:
    """``per_template`` rows of every template; the same seed gives the same rows."""
    random = Random(seed)
    for line in TEMPLATES.read_text(encoding="utf-8").splitlines():
        family = json.loads(line)
        for template in family["templates"]:
            for _ in range(per_template if "{" in template else 1):
                text = vary(fill(template, random, family["lang"]), random, family["lang"])
                yield Row(text, family["label"], family["kind"], family["lang"], family["difficulty"], family["family"])
