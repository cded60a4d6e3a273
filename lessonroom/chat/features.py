"""Evidence as numbers: what the classifier sees of a message. Pure.

Two parts. ``dense`` (float32, ``(len(NAMES),)``): the best score of each rule, what the hits say together, the cues,
the digits, the shape of the text, the conversation. ``buckets`` (int64, one per n-gram): character 2- to 5-grams of the
message's plain view, digits and user names masked so that they are not learned by heart, hashed into ``BUCKETS``.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lessonroom.chat import lexicon
from lessonroom.chat.conversation import NOTHING, Talk
from lessonroom.chat.digits import harmless_shape, phone_level
from lessonroom.chat.rules import Hit, Reading
from lessonroom.chat.types import Kind

RULES: Final = (
    *(f"phone_{form}{level}{asked}" for form in ("", "reversed") for level in range(5) for asked in ("", "_asked")),
    "card", "meeting_id", "link_words", "lone_name", "phone_scattered", "person_there", "mail_name", "meeting_link",
    "meeting_site", "profile_link", "network_site", "video_channel", "short_link", "own_page", "unlisted_link",
    "mail_literal", "mail_example", "mail_words", "mail_spaced", "mail_host", "messenger_name", "messenger_word",
    "social_name", "social_word", "at_handle", "login", "find_me", "find_me_weak", "solicit_chat", "solicit_number",
    "solicit_contact", "move_chat", "move_call", "payment", "address", "address_invited", "answer_digits",
    "answer_name", "answer_card", "split_digits",
    *(f"across_{kind.value}" for kind in Kind),
)  # fmt: skip
_TOGETHER: Final = ("best", "second", "doubt", "kinds", "prior_best", "prior_doubt")
PRIOR: Final = ("prior_best", "prior_doubt")
"""Log odds of the rules' own scores: the classifier starts from them and learns what to correct."""
_SHAPE: Final = (
    "digits", "longest_run", "runs", "level", "harmless_run", "spelled", "lookalikes", "length", "question",
    "latin", "lines", "asked", "exercise", "joined",
)  # fmt: skip
NAMES: Final = (*RULES, *_TOGETHER, *(f"cue_{name.lower()}" for name in (*lexicon.NAMES, "DISGUISED")), *_SHAPE)
"""The names of the dense features, in order."""

BUCKETS: Final = 1 << 16
SIZES: Final = (2, 3, 4, 5)
_INDEX: Final = {name: i for i, name in enumerate(RULES)}
_CUE_SHIFTS: Final = np.arange(len(lexicon.NAMES) + 1, dtype=np.int64)
_MULTIPLIER: Final = np.uint32(2654435761)  # Knuth's multiplicative hash
_SHIFT: Final = np.uint32(16)
_ALL_CUES: Final = (1 << len(lexicon.NAMES)) - 1
_MOST_CUED: Final = 60
_PRIME: Final = 4_294_967_291


class Features(NamedTuple):
    """What the classifier sees; see the module."""

    dense: NDArray[np.float32]
    buckets: NDArray[np.int64]


def features(reading: Reading, hits: Sequence[Hit], talk: Talk = NOTHING) -> Features:
    """The evidence of one message. ``hits``: of the message itself; the conversation's are in ``talk``."""
    everything = [*hits, *talk.hits]
    dense = np.concatenate(
        (_rules(everything), _together(everything), _cues(reading), _shape(reading, talk)), dtype=np.float32
    )
    return Features(dense, np.concatenate((ngrams(masked(reading)), cue_pairs(reading))))


def _rules(hits: Iterable[Hit]) -> NDArray[np.float32]:
    out = np.zeros(len(RULES), np.float32)
    for hit in hits:
        place = _INDEX[hit.rule]
        out[place] = max(out[place], hit.score)
    return out


def _together(hits: Sequence[Hit]) -> list[float]:
    """Best score, best of another kind, doubt left (product of 1 - score), kinds at 0.4 and more, log odds."""
    if not hits:
        return [0.0, 0.0, 1.0, 0.0, _log_odds(0.0), _log_odds(0.0)]
    best: dict[str, float] = {}
    for hit in hits:
        best[hit.kind] = max(best.get(hit.kind, 0.0), hit.score)
    ranked = sorted(best.values(), reverse=True)
    doubt = math.prod(1.0 - min(score, 0.99) for score in ranked)
    many = float(sum(score >= 0.4 for score in ranked))
    second = ranked[1] if len(ranked) > 1 else 0.0
    return [ranked[0], second, doubt, many, _log_odds(ranked[0]), _log_odds(1.0 - doubt)]


def _log_odds(score: float) -> float:
    score = min(max(score, 0.02), 0.985)
    return math.log(score / (1.0 - score))


def _cues(reading: Reading) -> NDArray[np.int64]:
    bits: NDArray[np.int64] = (np.int64(reading.cues) >> _CUE_SHIFTS) & 1
    return bits


def _shape(reading: Reading, talk: Talk) -> list[float]:
    runs, text = reading.runs, reading.view.text
    lengths = [len(run.digits) for run in runs]
    latin = sum("a" <= c <= "z" for c in text[:400])
    return [
        math.log1p(sum(lengths)), min(max(lengths, default=0), 16) / 16, min(len(runs), 8) / 8,
        max((phone_level(run.digits, plus=run.plus) for run in runs), default=0) / 4,
        float(any(length >= 6 and harmless_shape(run) for run, length in zip(runs, lengths, strict=True))),
        min(sum(run.spelled for run in runs), 12) / 12, float(any(run.lookalikes for run in runs)),
        math.log1p(len(text)) / 6, float("?" in text), latin / max(len(text[:400]), 1),
        min(text.count("\n"), 4) / 4, talk.asked, float(talk.exercise), float(talk.joined is not None),
    ]  # fmt: skip


def masked(reading: Reading) -> str:
    """The plain view with digits, mixed words and number words masked."""
    pieces = [" "]
    for token in reading.tokens[:400]:
        if token.gap:
            pieces.append(" ")
        if token.shape == "d":
            pieces.append("0" if len(token.text) < 3 else "000")
        elif token.shape == "x":
            pieces.append("x0")
        else:
            pieces.append("№" if token.number is not None else token.text)
    pieces.append(" ")
    return "".join(pieces)


def cue_pairs(reading: Reading) -> NDArray[np.int64]:
    """The buckets of cues that follow one another within a few words: what one language teaches, all know."""
    cued = [token.cues & _ALL_CUES for token in reading.tokens[:_MOST_CUED] if token.cues or token.text == "?"]
    pairs = {
        first * 977 + second * 31 + near
        for i, first in enumerate(cued)
        for near, second in enumerate(cued[i + 1 : i + 4])
    }
    return np.array([pair % _PRIME % BUCKETS for pair in pairs], np.int64)


def ngrams(text: str) -> NDArray[np.int64]:
    """The buckets of a text's character n-grams, each once."""
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
    state, parts = codes, []
    for size in range(2, SIZES[-1] + 1):
        if len(state) < 2:
            break
        state = (state[:-1] * _MULTIPLIER) ^ codes[size - 1 :]
        parts.append((state * _MULTIPLIER) >> _SHIFT)
    if not parts:
        return np.empty(0, np.int64)
    return np.unique(np.concatenate(parts)).astype(np.int64)
