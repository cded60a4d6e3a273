"""Number words of seven languages, as digits. Pure data.

A word is worth ``(digits, place)``: place 1 is a single figure, 2 a ten, 3 a hundred, 0 a teen or another whole
number that nothing follows; ``SCALE`` is the English "hundred", which multiplies what stands before it.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from lessonroom.chat.letters import transliterate
from lessonroom.chat.words import word_set


class Number(NamedTuple):
    """What a number word is worth. ``value``: 0 to 900; ``place``: see the module."""

    value: int
    place: int


PLURAL: Final = 8
"""Place of "fives" and "семёрки": "three fives" is 555."""
SCALE: Final = 9
"""Place of "hundred": "nine hundred five" is 905."""

_FIGURES: Final = {
    0: "nol ноль нуль нолик ноля нулик нулів zero zeros nul cero sıfır sifir oh нулей зеро",
    1: "один одна одно единица единичка однёрка раз адин одиниця одинця one uno una jeden jedna bir um uma odin odyn "
    "won wan адын",
    2: "два две двойка двоечка дві двійка two dos dwa iki dois duas dva dvi",
    3: "три тройка троечка трійка three thri tres trzy üç uc três tri try",
    4: "четыре четверка четверочка чотири четвірка four fore foor cuatro cztery dört dort quatro chetyre chotyry "
    "читыре",
    5: "пять пятерка пятёрка пятерочка п'ять пять пʼять пятірка five cinco pięć piec beş bes pyat пьять",
    6: "шесть шестерка шестёрка шість шістка six sicks seis sześć szesc altı alti shest shist шость",
    7: "семь семерка семёрка сім сімка seven sevn siete siedem yedi sete sem sim сем сьем",
    8: "восемь восьмерка восьмёрка вісім вісімка восем eight ate ayt ocho osiem sekiz oito vosem visim вісем осем",
    9: "девять девятка дев'ять девʼять девятіка nine nein niner nien nueve dziewięć dziewiec dokuz nove devyat девить",
}  # fmt: skip

_PLURALS: Final = {
    0: "нуля ноля нулика zeros zeroes ohs", 1: "единицы единички однёрки одиниці одинички ones",
    2: "двойки двоечки двушки двійки двієчки twos", 3: "тройки троечки трёшки трійки threes",
    4: "четверки четвёрки четвірки fours", 5: "пятерки пятёрки пятёрочки п'ятірки пʼятірки пятірки fives",
    6: "шестерки шестёрки шістки sixes", 7: "семерки семёрки сімки sevens", 8: "восьмерки восьмёрки вісімки eights",
    9: "девятки девяточки дев'ятки девʼятки nines",
}  # fmt: skip

_TEENS: Final = {
    10: "десять десятка десяточка ten diez dziesięć on dez desyat",
    11: "одиннадцать одинадцать одинадцять eleven once jedenaście onze odinnadcat",
    12: "двенадцать дванадцять twelve doce dwanaście doze dvenadcat",
    13: "тринадцать тринадцять thirteen trece trzynaście treze",
    14: "четырнадцать чотирнадцять fourteen catorce czternaście quatorze",
    15: "пятнадцать п'ятнадцять пʼятнадцять fifteen quince piętnaście quinze",
    16: "шестнадцать шістнадцять sixteen dieciséis szesnaście dezesseis",
    17: "семнадцать сімнадцять seventeen diecisiete siedemnaście dezessete",
    18: "восемнадцать вісімнадцять eighteen dieciocho osiemnaście dezoito",
    19: "девятнадцать дев'ятнадцять девʼятнадцять nineteen diecinueve dziewiętnaście dezenove",
}  # fmt: skip

_TENS: Final = {
    20: "двадцать двадцять twenty veinte dwadzieścia yirmi vinte dvadcat двадцатка",
    30: "тридцать тридцять thirty treinta trzydzieści otuz trinta tridcat тридцатка",
    40: "сорок forty cuarenta czterdzieści kırk kirk quarenta sorok fourty",
    50: "пятьдесят п'ятдесят пʼятдесят fifty cincuenta pięćdziesiąt elli cinquenta pyatdesyat писят пятьдесят",
    60: "шестьдесят шістдесят sixty sesenta sześćdziesiąt altmış altmis sessenta shestdesyat шисят",
    70: "семьдесят сімдесят seventy setenta siedemdziesiąt yetmiş yetmis semdesyat",
    80: "восемьдесят вісімдесят eighty ochenta osiemdziesiąt seksen oitenta vosemdesyat",
    90: "девяносто дев'яносто девʼяносто ninety noventa dziewięćdziesiąt doksan devyanosto",
}  # fmt: skip

_HUNDREDS: Final = {
    100: "сто сотня cien ciento yüz cem cento sto",
    200: "двести двісті doscientos dwieście duzentos dvesti",
    300: "триста trescientos trzysta trezentos trista",
    400: "четыреста чотириста cuatrocientos czterysta quatrocentos",
    500: "пятьсот п'ятсот пʼятсот quinientos pięćset quinhentos pyatsot",
    600: "шестьсот шістсот seiscientos sześćset seiscentos shestsot",
    700: "семьсот сімсот setecientos siedemset setecentos semsot",
    800: "восемьсот вісімсот ochocientos osiemset oitocentos vosemsot",
    900: "девятьсот дев'ятсот девʼятсот novecientos dziewięćset novecentos devyatsot",
}  # fmt: skip

_AMBIGUOUS: Final = word_set(
    "on um una uma sem раз once sim oh nove sto tri try fore ate won nein sicks sevn niner foor nien ayt wan thri ones"
)
"""Words that are numbers in one language and everyday words in another: they count only beside sure ones."""

REPEATS: Final = {
    "double": 2, "triple": 3, "doble": 2, "дважды": 2, "трижды": 3, "двічі": 2, "тричі": 3, "подвійний": 2,
    "двойной": 2, "двойная": 2, "двойное": 2, "двойные": 2, "тройная": 3, "тройной": 3, "podwójne": 2,
}  # fmt: skip


def _build() -> dict[str, Number]:
    table: dict[str, Number] = {}
    for place, group in ((1, _FIGURES), (0, _TEENS), (2, _TENS), (3, _HUNDREDS)):
        for value, words in group.items():
            for word in words.split():
                table.setdefault(word, Number(value, place))
    for value, words in _PLURALS.items():
        for word in words.split():
            table[word] = Number(value, PLURAL)
    table["hundred"] = table["hundreds"] = Number(100, SCALE)
    return table


WORDS: Final = _build()


_SOUNDS: Final = str.maketrans(
    "оёеэяыіїєюбвдзжгґ", "аииииииииупфтсшкк", "йьъ'’ʼ"
)  # unstressed vowels and voiced consonants as careless spelling mixes them up
_BLENDS: Final = (("стс", "с"), ("тс", "ц"), ("тц", "ц"), ("сц", "ц"))
_MIN_SOUND: Final = 5


def sound(word: str) -> str:
    """A Russian or Ukrainian word as it sounds, roughly: "дивятьсот" and "девятьсот" are one."""
    out = word.translate(_SOUNDS)
    for blend, one in _BLENDS:
        out = out.replace(blend, one)
    return "".join(c for i, c in enumerate(out) if i == 0 or c != out[i - 1])


_SOUNDING: Final = {
    sound(word): number for word, number in WORDS.items() if len(word) >= _MIN_SOUND and "а" <= word[0] <= "є"
}


_NO_NUMBERS: Final = word_set("твого симка симки симке симкой четверга четверге жесть налик трогай бісить сьодні")
"""Everyday words that sound like a number: the genitive "твого" and "двойка", "симка" and "сімка"."""


_TRANSLITERATED: Final = {
    latin: number
    for word, number in WORDS.items()
    if len(word) >= _MIN_SOUND and "а" <= word[0] <= "є"
    for latin in (transliterate(word), transliterate(word).replace("c", "ts"), transliterate(word).replace("y", "j"))
    if len(latin) >= _MIN_SOUND and latin not in WORDS
}


def number_of(word: str) -> Number | None:
    """The worth of a lower-case word, also of one that only sounds like a number; or None."""
    number = WORDS.get(word)
    if number is not None or not _MIN_SOUND <= len(word) <= 16:
        return number
    if "а" <= word[0] <= "є":
        return _SOUNDING.get(sound(word)) if word not in _NO_NUMBERS else None
    return _TRANSLITERATED.get(word) if word.isascii() else None


def is_ambiguous(word: str) -> bool:
    """Whether a number word is an everyday word too, or no word at all: it counts beside sure ones only."""
    return word in _AMBIGUOUS


def compose(numbers: list[Number]) -> str:
    """Digits of number words that follow one another: [900, 5] is "905", [8, 9] is "89", [20, 3] is "23"."""
    out: list[int] = []
    rooms: list[int] = []  # how many figures the number that is open can still take
    for number in numbers:
        if number.place == SCALE and out and rooms[-1] == 0 and out[-1] < 10:
            out[-1], rooms[-1] = out[-1] * 100, 2
        elif number.place in (0, 1, 2) and out and rooms[-1] >= _width(number) and number.value:
            out[-1] += number.value
            rooms[-1] = 1 if number.place == 2 and number.value >= 20 else 0
        else:
            out.append(number.value)
            rooms.append({3: 2, 2: 1}.get(number.place, 0))
    return "".join(map(str, out))


def _width(number: Number) -> int:
    return 1 if number.place == 1 else 2
