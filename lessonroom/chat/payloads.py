"""Made-up contacts and harmless numbers in many dresses, for the corpus generator. Pure, given a random source.

Everything is invented. Telephone numbers are random in their plans; a number that belongs to somebody is chance.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Final

from lessonroom.chat.words import word_set

_NAMES: Final = tuple(
    sorted(
        word_set(
            "alex amy andriy anna ben bohdan dima emma igor ivan jack john julia kate katya kostya laura lena lucy "
            "maria marina mary max nastya nick oksana oleg olga ostap paul petr roman sam sasha sveta tanya taras tom "
            "vlad yulia"
        )
    )
)
_WORDS: Final = tuple(
    sorted(
        word_set(
            "bear best bondar brown cat dragon eng english fox happy ivanov kiev kovalenko lingua lviv maksimov math "
            "moon msk music odessa petrenko petrova pro school sky smith spb star sun teach tutor wolf"
        )
    )
)
_HOSTS: Final = {
    "ru": ("mail.ru", "yandex.ru", "gmail.com", "bk.ru", "inbox.ru", "list.ru", "rambler.ru", "ya.ru"),
    "uk": ("gmail.com", "ukr.net", "i.ua", "meta.ua", "outlook.com", "bigmir.net"),
    "en": ("gmail.com", "yahoo.com", "outlook.com", "hotmail.com", "icloud.com", "proton.me", "hotmail.co.uk"),
}  # fmt: skip
FIGURES: Final = {
    "ru": ["ноль", "один", "два", "три", "четыре", "пять", "шесть", "семь", "восемь", "девять"],
    "uk": ["нуль", "один", "два", "три", "чотири", "п'ять", "шість", "сім", "вісім", "дев'ять"],
    "en": ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"],
}  # fmt: skip
_TENS: Final = {
    "ru": ["двадцать", "тридцать", "сорок", "пятьдесят", "шестьдесят", "семьдесят", "восемьдесят", "девяносто"],
    "uk": ["двадцять", "тридцять", "сорок", "п'ятдесят", "шістдесят", "сімдесят", "вісімдесят", "дев'яносто"],
    "en": ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"],
}  # fmt: skip
_HUNDREDS: Final = {
    "ru": ["сто", "двести", "триста", "четыреста", "пятьсот", "шестьсот", "семьсот", "восемьсот", "девятьсот"],
    "uk": ["сто", "двісті", "триста", "чотириста", "п'ятсот", "шістсот", "сімсот", "вісімсот", "дев'ятсот"],
    "en": [f"{d} hundred" for d in ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]],
}  # fmt: skip
_AT: Final = {
    "ru": ("собака", "собачка", "(собака)", " [собака] ", "(at)", "эт", "песик"),
    "uk": ("равлик", "(равлик)", "собачка", "ет", "[at]", "равлик"),
    "en": ("at", "(at)", "[at]", "AT", "{at}", "(a)"),
}
_DOT: Final = {
    "ru": ("точка", "(точка)", "тчк", "дот", "[точка]"),
    "uk": ("крапка", "(крапка)", "точка", "крапка"),
    "en": ("dot", "(dot)", "[dot]", "DOT", "period"),
}
_KEYCAP: Final = "\ufe0f\u20e3"
_ROUND: Final = "⓪①②③④⑤⑥⑦⑧⑨"
_WIDE: Final = "０１２３４５６７８９"
_LOOK: Final = {"0": "OОo", "1": "lI|", "3": "ЗZ", "5": "S", "6": "б", "8": "B"}


def digits(random: Random, lang: str) -> str:
    """The digits of a mobile number of a country where the language is spoken."""
    tail = "".join(random.choices("0123456789", k=7))
    if lang == "ru":
        return random.choice(("8", "8", "7", "")) + "9" + random.choice("0123568") + random.choice("0123456789") + tail
    if lang == "uk":
        return (
            random.choice(("", "", "38"))
            + random.choice(("067", "050", "063", "097", "093", "099", "068", "073", "096"))
            + tail
        )
    area = random.choice("23456789") + "".join(random.choices("0123456789", k=2))
    british = "07" + random.choice("3456789") + "".join(random.choices("0123456789", k=8))
    return random.choice(
        (british, area + random.choice("2345678") + tail[:6], "1" + area + random.choice("2345678") + tail[:6])
    )


def _cut(random: Random, number: str) -> list[str]:
    """A number in groups, as people write them."""
    groups, rest = [], number
    if number[0] in "78" and len(number) == 11:
        groups, rest = [number[0]], number[1:]
    elif number.startswith("38") and len(number) == 12:
        groups, rest = [number[:2]], number[2:]
    sizes = random.choice(((3, 3, 2, 2), (3, 3, 4), (3, 2, 2, 3), (2, 2, 2, 2, 2), (5, 5)))
    for size in sizes:
        if rest:
            groups.append(rest[:size])
            rest = rest[size:]
    return [*groups, rest] if rest else groups


def phone_plain(random: Random, lang: str) -> str:
    """In figures, with ordinary separators."""
    number = digits(random, lang)
    groups = _cut(random, number)
    style = random.randrange(5)
    if style == 0:
        return number
    if style == 1 and len(groups) > 2:
        return f"{groups[0]} ({groups[1]}) {'-'.join(groups[2:])}"
    plus = "+" if number[0] in "731" and len(number) in (11, 12) and random.random() < 0.7 else ""
    return plus + random.choice((" ", "-", ".", " ")).join(groups)


def spoken(random: Random, lang: str, group: str) -> str:
    """One group of figures in words."""
    if len(group) == 3 and group[0] != "0" and random.random() < 0.6:
        rest = spoken(random, lang, group[1:]) if group[1:] != "00" else ""
        return f"{_HUNDREDS[lang][int(group[0]) - 1]} {rest}".strip()
    if len(group) == 2 and group[0] not in "01" and random.random() < 0.7:
        unit = FIGURES[lang][int(group[1])] if group[1] != "0" else ""
        return f"{_TENS[lang][int(group[0]) - 2]} {unit}".strip()
    return " ".join(FIGURES[lang][int(c)] for c in group)


def phone_words(random: Random, lang: str) -> str:
    """All in words."""
    groups = _cut(random, digits(random, lang))
    return random.choice((" ", ", ", " ", "-", " ... ")).join(spoken(random, lang, g) for g in groups)


def phone_mixed(random: Random, lang: str) -> str:
    """Partly in words."""
    groups = _cut(random, digits(random, lang))
    return random.choice((" ", " ", ", ", "-")).join(
        g if random.random() < 0.5 else spoken(random, lang, g) for g in groups
    )


def phone_noise(random: Random, lang: str) -> str:
    """Figures with odd separators, one after another or in odd groups."""
    number = digits(random, lang)
    sign = random.choice((".", "_", "*", " ", "~", "/", " - ", ",", " . ", "|", "//", "—"))
    if random.random() < 0.6:
        return sign.join(number)
    return sign.join(number[i : i + 2] for i in range(0, len(number), 2))


def phone_signs(random: Random, lang: str) -> str:
    """Keycaps, circles, wide figures, lookalike letters."""
    number = digits(random, lang)
    style = random.randrange(4)
    if style == 0:
        return "".join(c + _KEYCAP for c in number)
    if style == 1:
        return "".join(_ROUND[int(c)] for c in number)
    if style == 2:
        return "".join(_WIDE[int(c)] for c in number)
    return " ".join(
        "".join(random.choice(_LOOK[c]) if c in _LOOK and random.random() < 0.5 else c for c in g)
        for g in _cut(random, number)
    )


def phone_letters(random: Random, lang: str) -> str:
    """Letters or words between the figures."""
    number = digits(random, lang)
    if random.random() < 0.5:
        return "".join(c + random.choice("abcdxyz" if lang == "en" else "абвгдежк") for c in number)
    filler = {"ru": ("потом", "дальше", "и", "затем"), "uk": ("потім", "далі", "і"), "en": ("then", "and", "next")}[
        lang
    ]
    return f" {random.choice(filler)} ".join(_cut(random, number))


def handle(random: Random, lang: str) -> str:
    """A user name."""
    name, word = random.choice(_NAMES), random.choice(_WORDS)
    number = str(random.choice((random.randint(1, 99), random.randint(1970, 2012))))
    return random.choice((
        f"{name}{number}", f"{name}_{word}", f"{name}.{word}", f"{name}{word}{number}", f"{word}_{name}_{number}",
        f"{name}.{word}{number}", f"{name}_{number}", f"{name}{word}",
    ))  # fmt: skip


def mail_plain(random: Random, lang: str) -> str:
    """An ordinary address."""
    return f"{handle(random, lang)}@{random.choice(_HOSTS[lang])}"


def mail_words(random: Random, lang: str) -> str:
    """With words for the signs."""
    host, _, ending = random.choice(_HOSTS[lang]).partition(".")
    dot = random.choice(_DOT[lang])
    return f"{handle(random, lang)} {random.choice(_AT[lang])} {host} {dot} {ending.replace('.', f' {dot} ')}"


def mail_broken(random: Random, lang: str) -> str:
    """With spaces, without signs, or with a picture for the at sign."""
    name, host = handle(random, lang), random.choice(_HOSTS[lang])
    return random.choice((
        f"{name} @ {host}", f"{name} {host.replace('.', ' ')}", f"{name}🐶{host}",
        f"{name} @ {host.replace('.', ' . ')}",
        f"{name}(a){host.replace('.', ',')}", " ".join(name) + " @ " + host,
    ))  # fmt: skip


def spaced(random: Random, lang: str) -> str:
    """A user name, letter by letter."""
    return random.choice((" ", ".", "-")).join(handle(random, lang).replace("_", "").replace(".", ""))


def small(random: Random, lang: str) -> str:
    """A small whole number."""
    return str(random.randint(1, 99))


def big(random: Random, lang: str) -> str:
    """A number of five to eleven figures."""
    return str(random.randint(10_000, 10 ** random.randint(6, 11)))


def numbers(random: Random, lang: str) -> str:
    """A list of exercise or page numbers."""
    start = random.randint(1, 900)
    values = [start + random.randint(0, 40) for _ in range(random.randint(2, 6))]
    return random.choice((", ", " ", ", ")).join(map(str, sorted(values)))


def time(random: Random, lang: str) -> str:
    """A time of day."""
    hour, minute = random.randint(7, 22), random.choice(("00", "15", "30", "45", "00"))
    return f"{hour}{random.choice((':', '.', ' ', '-', ':'))}{minute}"


def times(random: Random, lang: str) -> str:
    """Several times."""
    return random.choice((", ", "-", " ", " - ")).join(time(random, lang) for _ in range(random.randint(2, 5)))


def price(random: Random, lang: str) -> str:
    """A price with its currency."""
    value = random.choice((random.randint(5, 99), random.randint(2, 99) * 50, random.randint(1, 30) * 1000))
    unit = {"ru": ("руб", "р", "₽", "рублей"), "uk": ("грн", "гривень", "₴"), "en": ("$", "USD", "euros", "£")}[lang]
    return f"{value} {random.choice(unit)}"


def date(random: Random, lang: str) -> str:
    """A date."""
    return f"{random.randint(1, 28):02}.{random.randint(1, 12):02}.{random.randint(1950, 2026)}"


def sum_(random: Random, lang: str) -> str:
    """Arithmetic."""
    a, b = random.randint(2, 10 ** random.randint(1, 6)), random.randint(2, 10 ** random.randint(1, 5))
    sign = random.choice("+-*/×:")
    return f"{a} {sign} {b} = {random.choice(('?', str(a + b)))}"


def counted(random: Random, lang: str) -> str:
    """Number words that count or name a value."""
    if random.random() < 0.4:
        start = random.randint(0, 3)
        return random.choice((" ", ", ")).join(FIGURES[lang][start : start + random.randint(3, 7)])
    return " ".join(spoken(random, lang, str(random.randint(21, 999))) for _ in range(random.randint(1, 2)))


def series(random: Random, lang: str) -> str:
    """A sequence with a rule."""
    start, step = random.randint(1, 20), random.randint(1, 12)
    double = random.random() < 0.3
    values = [start * 2**i if double else start + step * i for i in range(random.randint(4, 9))]
    return random.choice((" ", ", ")).join(map(str, values))


PAYLOADS: Final[dict[str, Callable[[Random, str], str]]] = {
    "phone": phone_plain, "phone_words": phone_words, "phone_mixed": phone_mixed, "phone_noise": phone_noise,
    "phone_signs": phone_signs, "phone_letters": phone_letters, "handle": handle, "spaced": spaced, "mail": mail_plain,
    "mail_words": mail_words, "mail_broken": mail_broken, "small": small, "big": big, "numbers": numbers, "time": time,
    "times": times, "price": price, "date": date, "sum": sum_, "counted": counted, "series": series,
}  # fmt: skip
"""What may stand in braces in a template."""
