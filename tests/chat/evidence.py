"""Texts and conversations for property tests, and the count of steps that the filter takes."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from types import FrameType

from hypothesis import strategies as st

from lessonroom.bench.chat import HOSTILE
from lessonroom.chat.types import Line

FILTER = f"{os.sep}lessonroom{os.sep}chat{os.sep}"
"""In the path of every module that reads a message."""

MORE_HOSTILE = (
    *HOSTILE,
    "abcd ",
    "te le ",
    "what ",
    "[.] ",
    "@_a ",
    "three fives ",
    "3/4 ",
    "a,com,ua ",
    "lо ",
    "t. me ",
)
"""What the bench tries, and pieces for what joins, counts and names words."""

_PIECES = (
    "8 905", "123-45-67", "vasya_82", "@", "anna", ".ru", ",", "com", "(", ")", "[.]", "t. me", "/", "vk.com", "три",
    "пятёрки", "fives", "дивятьсот", "te", "le", "gram", "мой", "скайп", "\n", "?", "+", "=", "2", "½", "й",
    "и\u0306", "\u0300", "\u200b", "８", "⓵", "१", "😀", "\ud83d", "_", "-", "a1", "12345", "зз", "lо", "#", "'",
    "мой номер", "собака", "точка", "İ", "ﬁ", "Ⅷ", "㍿", "what's your telegram?", "карта",
)  # fmt: skip

texts = st.one_of(
    st.text(max_size=60),
    st.lists(st.sampled_from(_PIECES), max_size=14).flatmap(lambda p: st.sampled_from(["".join(p), " ".join(p)])),
)
"""Anything at all, half a pair of surrogates included, and pieces of contacts in any order."""

conversations = st.lists(st.builds(Line, st.sampled_from("ab"), texts), max_size=6).map(tuple)


def steps(work: Callable[[], object]) -> int:
    """Lines of the filter that are run for a piece of work: the same on every machine, however busy it is.

    What one line does inside C, such as a regular expression, counts as one; ``lessonroom bench chat`` times that.
    """
    count = 0

    def local(frame: FrameType, event: str, _: object) -> Callable[..., object]:
        nonlocal count
        count += event == "line"
        return local

    before = sys.gettrace()
    sys.settrace(lambda frame, event, _: local if FILTER in frame.f_code.co_filename else None)
    try:
        work()
    finally:
        sys.settrace(before)
    return count
