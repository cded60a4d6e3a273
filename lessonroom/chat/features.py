"""Evidence as numbers: what the classifier sees of a message. Pure.

Two parts. ``dense`` (float32, ``(len(NAMES),)``): the best score of each rule, what the hits say together, the cues,
the digits, the shape of the text, the conversation. ``grams``: for each of ``GROUPS`` the buckets (int64) of its
n-grams: characters of the plain view, symbols, cues, the last lines before, what the message adds to the writer's own
lines, and what was talked about. Digits and Latin user names are masked in all of
them, so that no contact is learned by heart.
"""

from __future__ import annotations

import math
import string
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lessonroom.chat import grams, lexicon
from lessonroom.chat.conversation import NOTHING, Talk
from lessonroom.chat.rules import Hit, Reading
from lessonroom.chat.shapes import harmless_shape, loose_digits, phone_level
from lessonroom.chat.symbols import Symbol, lines_stand_alone, marks, symbols, symbols_of_lines
from lessonroom.chat.types import Kind

RULES: Final = (
    *(f"phone_{form}{level}{asked}" for form in ("", "reversed") for level in range(5) for asked in ("", "_asked")),
    "card", "meeting_id", "link_words", "lone_name", "phone_scattered", "person_there", "mail_name", "meeting_link",
    "meeting_site", "profile_link", "network_site", "video_channel", "short_link", "own_page", "unlisted_link",
    "mail_literal", "mail_example", "mail_words", "mail_spaced", "mail_host", "messenger_name", "messenger_word",
    "social_name", "social_word", "at_handle", "login", "find_me", "find_me_weak", "solicit_chat", "solicit_number",
    "solicit_contact", "move_chat", "move_call", "payment", "address", "address_invited", "answer_digits",
    "answer_name", "answer_card", "split_digits", "split_weak", "split_turned",
    *(f"across_{kind.value}" for kind in Kind),
)  # fmt: skip
_TOGETHER: Final = ("best", "second", "doubt", "kinds", "prior_best", "prior_doubt")
_CONTRASTS: Final = ("sure", "sure_framed", "sure_quoted", "sure_talk", "quoted")
_SHAPE: Final = (
    "digits", "longest_run", "runs", "level", "harmless_run", "spelled", "lookalikes", "length", "question",
    "latin", "lines", "all_digits_level", "all_digits_back_level",
    *(f"all_digits_{most}" for most in (3, 6, 9, 10, 11, 12, 15, 99)),
)  # fmt: skip
_TALK: Final = (
    "talk", "asked", "exercise", "questions", "pieces", "echoes", "joined_level", "answered", "digits_alone",
)  # fmt: skip
NAMES: Final = (
    *RULES, *_TOGETHER, *_CONTRASTS,
    *(f"cue_{name.lower()}" for name in (*lexicon.NAMES, "DISGUISED")), *_SHAPE, *_TALK,
)  # fmt: skip
"""The names of the dense features, in order."""
TALK: Final = NAMES.index("talk")
"""The feature that says whether others stand before the message."""

GROUPS: Final = ("characters", "symbols", "cues", "talk", "joined", "topic")
"""The groups of n-grams, in order. Each has a scale of its own."""
DAMPING: Final = (30, 10, 10, 20, 10, 20)
"""A group of ``n`` buckets counts ``1 / sqrt(n + damping)`` each, so that two words do not shout."""
BUCKETS: Final = grams.BUCKETS
_INDEX: Final = {name: i for i, name in enumerate(RULES)}
_CUE_SHIFTS: Final = np.arange(len(lexicon.NAMES) + 1, dtype=np.int64)
_ALL_CUES: Final = (1 << len(lexicon.NAMES)) - 1
_THEIRS, _OWN, _THEIRS_EARLIER, _OWN_EARLIER = 100, 200, 300, 400
"""Salts: the same word counts differently by who said it and when."""
_SHAPE_OF: Final = 400
"""Characters from the beginning of a message whose script is told."""
_LATIN: Final = string.ascii_lowercase.encode()
_LAST: Final = 24
"""Symbols of an earlier line that count: its end."""


class Features(NamedTuple):
    """What the classifier sees; see the module."""

    dense: NDArray[np.float32]
    grams: tuple[NDArray[np.int64], ...]


def features(reading: Reading, hits: Sequence[Hit], talk: Talk = NOTHING) -> Features:
    """The evidence of one message. ``hits``: of the message itself; the conversation's are in ``talk``."""
    everything = [*hits, *talk.hits]
    dense = np.array(
        (
            *_rules(everything),
            *_together(everything),
            *_contrasts(reading, hits, talk),
            *_cues(reading),
            *_shape(reading),
            *_talk(reading, talk),
        ),
        np.float32,
    )
    row = symbols(reading)
    own = grams.of_symbols(row, marks(reading))
    groups = (grams.of_characters(masked(reading)), own, grams.of_cues(row, _ALL_CUES))
    return Features(dense, (*groups, _before(row, talk), _joined(talk), _topic(talk)))


def _before(row: Sequence[Symbol], talk: Talk) -> NDArray[np.int64]:
    """What the last lines before say, and which of their words stand before which of the message."""
    parts: list[NDArray[np.int64]] = []
    for salt, reading in ((_THEIRS, talk.theirs), (_OWN, talk.own)):
        if reading is not None:
            parts += [_last_line(reading, salt), grams.crossed(symbols(reading)[-_LAST:], row, salt)]
    return np.concatenate(parts) if parts else grams.NONE


def _last_line(reading: Reading, salt: int) -> NDArray[np.int64]:
    """What a line says by itself; kept with it, since it may be the last of its side for many messages."""
    key = _last_line, salt
    if key not in reading.found:
        last = symbols(reading)[-_LAST:]
        both = grams.of_symbols(last, salt=salt), grams.of_cues(last, _ALL_CUES, salt)
        reading.found[key] = np.concatenate(both)
    found: NDArray[np.int64] = reading.found[key]
    return found


def _joined(talk: Talk) -> NDArray[np.int64]:
    """What the message adds to the writer's lines before it, all read as one text."""
    if talk.joined is None or talk.before is None:
        return grams.NONE
    whole = grams.of_symbols(symbols(talk.joined), marks(talk.joined))
    if lines_stand_alone(talk.joined):  # then the lines before do, too, and need not be read as one text
        return grams.without(whole, grams.of_symbols(symbols_of_lines(talk.joined.lines[:-1])))
    return grams.without(whole, grams.of_symbols(symbols(talk.before), marks(talk.before)))


def _topic(talk: Talk) -> NDArray[np.int64]:
    """The words of the lines before the last ones, each side by itself."""
    sides = ((_THEIRS_EARLIER, talk.earlier_theirs), (_OWN_EARLIER, talk.earlier_own))
    parts = [_words(line, salt) for salt, lines in sides for line in lines]
    return grams.once(parts) if parts else grams.NONE


def _words(reading: Reading, salt: int) -> NDArray[np.int64]:
    """The words of an earlier line, kept with it."""
    key = _words, salt
    if key not in reading.found:
        reading.found[key] = grams.of_words(symbols(reading)[-_LAST:], salt)
    found: NDArray[np.int64] = reading.found[key]
    return found


def _rules(hits: Iterable[Hit]) -> list[float]:
    out = [0.0] * len(RULES)
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


_SURE: Final = 0.88
_FRAMES: Final = lexicon.mask("FRAME", "EXERCISE", "TOPIC", "MATH", "IDENT")
_QUOTES: Final = frozenset('"«»“”„')


def _contrasts(reading: Reading, hits: Sequence[Hit], talk: Talk) -> list[float]:
    """A sure hit by itself, beside words about exercises and examples, in quotation marks, and over several lines.

    The classifier could find by itself that a frame takes the force out of a hit; told so, it needs fewer examples.
    """
    sure = any(hit.score >= _SURE for hit in hits)
    framed, quoted = bool(reading.cues & _FRAMES), not _QUOTES.isdisjoint(reading.text)
    innocent = talk.exercise or talk.echoes > 0
    across = any(hit.score >= _SURE for hit in talk.hits) and not innocent
    return [float(sure and not framed and not quoted), float(sure and framed), float(sure and quoted), float(across),
            float(quoted)]  # fmt: skip


def _log_odds(score: float) -> float:
    score = min(max(score, 0.02), 0.985)
    return math.log(score / (1.0 - score))


def _cues(reading: Reading) -> list[int]:
    bits: list[int] = ((np.int64(reading.cues) >> _CUE_SHIFTS) & 1).tolist()
    return bits


def _shape(reading: Reading) -> list[float]:
    runs, text = reading.runs, reading.view.text
    lengths = [len(run.digits) for run in runs]
    start = text[:_SHAPE_OF].encode("ascii", "replace")
    latin = len(start) - len(start.translate(None, _LATIN))
    together = loose_digits(runs)
    plus = bool(runs) and runs[0].plus
    total = len(together)
    return [
        math.log1p(total), min(max(lengths, default=0), 16) / 16, min(len(runs), 8) / 8,
        max((phone_level(run.digits, plus=run.plus) for run in runs), default=0) / 4,
        float(any(length >= 6 and harmless_shape(run) for run, length in zip(runs, lengths, strict=True))),
        min(sum(run.spelled for run in runs), 12) / 12, float(any(run.lookalikes for run in runs)),
        math.log1p(len(text)) / 6, float("?" in text), latin / max(len(start), 1), min(text.count("\n"), 4) / 4,
        phone_level(together, plus=plus) / 4, phone_level(together[::-1]) / 4,
        float(1 <= total <= 3), float(4 <= total <= 6), float(7 <= total <= 9), float(total == 10), float(total == 11),
        float(total == 12), float(13 <= total <= 15), float(total >= 16),
    ]  # fmt: skip


def _talk(reading: Reading, talk: Talk) -> list[float]:
    alone = float(bool(reading.runs) and all(t.shape != "w" or t.number is not None for t in reading.tokens))
    return [
        float(talk.theirs is not None or talk.own is not None), talk.asked, float(talk.exercise),
        min(talk.questions, 4) / 4, min(talk.pieces, 6) / 6, min(talk.echoes, 3) / 3,
        phone_level(talk.digits) / 4, float(talk.theirs is not None and talk.theirs.question), alone,
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
