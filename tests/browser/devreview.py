"""The review's part of the small server: invented messages that wait, and what ``/dev`` says of them."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

Json = dict[str, Any]
DAYS = 14
WHYS = {"appealed": (240, 0.93), "held": (3_900, 0.61), "blocked": (95_000, 0.997), "sample": (190_000, 0.01)}
"""For each reason: the age of its message in seconds, and its probability."""
SAID: dict[str, tuple[tuple[list[str], str, str], ...]] = {
    "en": (
        (["phone"], "Is the answer 380 501 234 or did I add the numbers in task 4 wrongly?", "380 501 234"),
        (["messenger"], "please add me in Skype it is vasya82pupkin then we can talk", "vasya82pupkin"),
        (["phone", "solicit"], "My number is +7 916 123-45-67 call me any evening after six", "+7 916 123-45-67"),
        ([], "Could we move the lesson to Friday at half past six please", ""),
    ),
    "ru": (
        (["phone"], "Ответ 380 501 234 или я неправильно сложила числа в задании 4?", "380 501 234"),
        (["find_me"], "меня зовут Василий Пупкин найдите меня вконтакте до урока", "найдите меня вконтакте"),
        (["messenger", "phone"], "Мой скайп vasiliy.p тел +789123456 значит на 19:00 1 апреля", "vasiliy.p"),
        ([], "английский знаю как собака понимаю все но сказать не могу", ""),
    ),
    "uk": (
        (["phone"], "Відповідь 380 501 234 чи я неправильно додала числа в завданні 4?", "380 501 234"),
        (["find_me"], "мене звати Василь Пупкін знайдіть мене у фейсбуці до уроку", "знайдіть мене у фейсбуці"),
        (["phone"], "Мій номер +380 67 123 45 67 телефонуйте ввечері після шостої", "+380 67 123 45 67"),
        ([], "чи можна перенести урок на п’ятницю на пів на сьому", ""),
    ),
}
BINS = [1900, 120, 41, 22, 12, 9, 5, 4, 3, 2, 2, 1, 3, 1, 2, 4, 3, 7, 12, 74]
MODELS = [
    {"version": "2026-11-20", "decided": 73, "wrong": 4},
    {"version": "2026-10-02", "decided": 210, "wrong": 19},
]
SHADOW = {"version": "2026-11-21", "messages": 1204, "both": 31, "only_current": 4, "only_candidate": 2}


@dataclass
class Desk:
    """``failing``: every request is answered with this status; ``quiet``: nothing has happened yet."""

    items: list[Json] = field(default_factory=list)
    language: str = "en"
    failing: int = 0
    quiet: bool = False


desk = Desk()


def fresh(language: str, *, quiet: bool = False) -> None:
    """Fill the queue with messages in this language."""
    items = [
        made(str(number), language, why, said)
        for number, (why, said) in enumerate(zip(WHYS, SAID[language], strict=True), 1)
    ]
    desk.__dict__.update(Desk(items, language, 0, quiet).__dict__)


def made(number: str, language: str, why: str, said: tuple[list[str], str, str]) -> Json:
    age, probability = WHYS[why]
    kinds, text, found = said
    item = {"id": number, "why": why, "at": time.time() - age, "kinds": kinds, "probability": probability}
    return {**item, "lang": language, "model": "2026-11-20", "degraded": False, "text": text, "found": found}


def shown(item: Json) -> Json:
    words = item["text"].split()
    random.Random(item["id"]).shuffle(words)
    return {key: value for key, value in item.items() if key not in {"text", "found"}} | {"words": words}


def the_item(request: Request) -> Json:
    return next(item for item in desk.items if item["id"] == request.path_params["id"])


async def queue(request: Request) -> Response:
    whys = request.query_params["why"].split(",")
    decided, wrong, low, high = (0, 0, 0.0, 1.0) if desk.quiet else (41, 2, 0.013, 0.161)
    share = wrong / decided if decided else None
    answer = {
        "items": [shown(item) for item in desk.items if item["why"] in whys],
        "waiting": {why: sum(item["why"] == why for item in desk.items) for why in WHYS},
        "wrong_blocks": {"decided": decided, "wrong": wrong, "share": share, "low": low, "high": high},
        "violators": 0 if desk.quiet else 1,
    }
    return JSONResponse(answer, desk.failing or 200)


async def text(request: Request) -> Response:
    item = the_item(request)
    start = item["text"].find(item["found"])
    finding = {"start": start, "end": start + len(item["found"]), "evidence": "a valid number"}
    findings = [{"kind": kind, **finding} for kind in item["kinds"][:1]]
    lines = SAID[desk.language]
    before = [{"own": False, "text": lines[3][1]}, {"own": True, "text": lines[1][1]}]
    return JSONResponse({"text": item["text"], "findings": findings, "before": before}, desk.failing or 200)


async def decision(request: Request) -> Response:
    contact = (await request.json())["contact"]
    if not desk.failing:
        desk.items.remove(the_item(request))
    return JSONResponse({"state": "blocked" if contact else "relayed", "released": not contact}, desk.failing or 200)


async def drift(request: Request) -> Response:
    drawn: Json = {"scores": {}, "models": [], "shadow": None}
    if not desk.quiet:
        scores = {language: [value // part for value in BINS] for part, language in enumerate(SAID, 1)}
        drawn = {"scores": scores, "models": MODELS, "shadow": SHADOW}
    return JSONResponse({"days": [day(index) for index in range(DAYS)], **drawn})


def day(index: int) -> Json:
    name = time.strftime("%Y-%m-%d", time.gmtime(time.time() - (DAYS - 1 - index) * 86_400))
    counts = (180 + index * 7919 % 160, index * 3 % 4, 4 + index * 31 % 9, index * 5 % 3, index * 5 % 3 // 2)
    keys = ("relay", "hold", "block", "appeals", "upheld")
    return {"day": name, **{key: 0 if desk.quiet else count for key, count in zip(keys, counts, strict=True)}}


ROUTES = [
    Route("/api/members/{member}/review", queue),
    Route("/api/members/{member}/review/drift", drift),
    Route("/api/members/{member}/review/{id}/text", text, methods=["POST"]),
    Route("/api/members/{member}/review/{id}/decision", decision, methods=["POST"]),
]
