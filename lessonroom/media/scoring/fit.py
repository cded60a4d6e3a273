"""Fit a strain head to people's labels and say honestly how good it is: students are kept apart in everything.

Every figure here is of frames whose student was never seen by the maps that scored them, nor by the choice of settings,
means, spreads or principal directions that went into those maps. Labels of the student who is scored are used for
nothing; the student's other frames are, without labels, where it says "own": a lesson has them, too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from lessonroom.errors import BadInput
from lessonroom.media.scoring import folds, model, ranks, rivals, scales
from lessonroom.media.scoring.folds import Scores
from lessonroom.media.scoring.joined import Table
from lessonroom.media.scoring.model import Maps
from lessonroom.media.scoring.ranks import Draws, interval
from lessonroom.media.scoring.scales import Frames
from lessonroom.progress import Show, unseen

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

ALL_BLOCKS = ("expression", "face", "mesh", "embedding")
STRONG = 2.0
LEAST_STRONG = 10
"""Positive frames below which nothing is said of a level."""
REFIT_ROUNDS = 3
REPORTED = ("frame", "change", "own")


@dataclass(frozen=True, slots=True)
class Options:
    """``at_least``: the grade from which on a frame is positive; ``rounds`` of folds; ``draws`` of the bootstrap;
    ``blocks`` of features that may be used; ``quick`` leaves out ablation, rivals and the shuffled check.
    """

    at_least: float = 1.0
    rounds: int = 3
    draws: int = 2000
    seed: int = 1
    blocks: tuple[str, ...] = ALL_BLOCKS
    quick: bool = False


@dataclass(frozen=True, slots=True)
class Fitted:
    """Maps fitted to everybody, the scores of everybody by maps of others, the frames, the figures, and by which models
    the frames were scored, as far as the scores say.
    """

    maps: Maps
    scores: Scores = field(repr=False)
    frames: Frames = field(repr=False)
    counts: Bools = field(repr=False)
    figures: Mapping[str, Any] = field(repr=False)
    models: Mapping[str, str] = field(default_factory=dict)


def fit(table: Table, options: Options, show: Show = unseen) -> Fitted:
    """Everything: scores of students who were left out, figures, comparisons, and the maps that ship."""
    # the products are many and small: threads would wait for one another longer than they work
    with threadpool_limits(1):
        return _fit(table, options, show)


def _fit(table: Table, options: Options, show: Show) -> Fitted:
    frames, counts, blocks = _frames(table, options.blocks)
    job = _Job(frames, counts, options, Draws.of(int(frames.student.max()) + 1, options.draws, options.seed))
    sets = [] if options.quick else [blocks[:n] for n in range(1, len(blocks))]
    rounds = options.rounds + (0 if options.quick else len(sets) + 1)
    step = _Steps(show, rounds * folds.outer(frames) + (0 if options.quick else len(rivals.RIVALS)))
    scores = first = job.scores(blocks, step, range(1))
    if options.rounds > 1:
        scores = folds.together(first, job.scores(blocks, step, range(1, options.rounds)), options.rounds)
    figures: dict[str, Any] = {
        "students": len(np.unique(frames.student[counts])),
        "frames": int((counts & np.isfinite(frames.grade)).sum()),
        "counts": dict(table.counts),
        "features": list(blocks),
        "at_least": options.at_least,
        **_headline(job, scores),
        "levels": {f"{level:g}": job.level(scores, level) for level in job.levels()},
        "first_frames_as_baseline": job.early(scores),
        "without_leaving_out": job.everything(table, scores),
    }
    if not options.quick:
        # differences are drawn in pairs, on the same folds: one round of them is enough
        rows = [(each, job.scores(each, step, range(1))) for each in sets] + [(blocks, first)]
        figures["ablation"] = job.ablation(rows)
        figures["rivals"] = job.rivals(scores, step)
        figures["shuffled_within"] = job.shuffled(blocks, step)
    maps = job.refit(blocks)
    figures["fitted"] = {"blocks": list(maps.blocks), "logistic_share": dict(maps.shares)}
    return Fitted(maps, scores, frames, counts, figures, table.models)


def _frames(table: Table, asked: Sequence[str]) -> tuple[Frames, Bools, tuple[str, ...]]:
    """The frames that a head can read, which of them count, and the blocks of features that are there."""
    read = np.isfinite(table.rows[:, 0])
    rows, counts = table.rows[read], table.seen[read]
    embedding = None if table.embedding is None else table.embedding[read]
    # a student of whom no frame counts has nothing to tell
    there = np.isin(table.student[read], table.student[table.seen])
    _, student = np.unique(table.student[read][there], return_inverse=True)
    frames = Frames(
        rows[there], None if embedding is None else embedding[there], student.astype(np.int64),
        table.grade[read][there], ALL_BLOCKS,
    )  # fmt: skip
    counts = counts[there]
    found = set(scales.Scale.of(frames.only(counts)).block)
    blocks = tuple(block for block in ALL_BLOCKS if block in found and block in asked)
    if not blocks:
        raise BadInput(f"expected scores with features of {', '.join(asked)}, got none that vary")
    return frames, counts, blocks


class _Steps:
    """Counts steps of work for a progress bar."""

    def __init__(self, show: Show, total: int) -> None:
        self._show, self._total, self._done = show, total, 0

    def __call__(self) -> None:
        self._done += 1
        self._show("fitting", self._done, self._total)


@dataclass(frozen=True, slots=True)
class _Job:
    frames: Frames
    counts: Bools
    options: Options
    draws: Draws

    @property
    def used(self) -> Bools:
        """Labelled frames that count: what figures are of."""
        return np.asarray(self.counts & np.isfinite(self.frames.grade))

    def scores(self, blocks: tuple[str, ...], done: Callable[[], None], rounds: range) -> Scores:
        asked = self.options
        frames = self.with_blocks(blocks)
        return folds.scored(frames, self.counts, asked.at_least, rounds=rounds, seed=asked.seed, done=done)

    def with_blocks(self, blocks: tuple[str, ...], grade: Floats | None = None) -> Frames:
        held = self.frames
        return Frames(held.rows, held.embedding, held.student, held.grade if grade is None else grade, blocks)

    def levels(self) -> list[float]:
        """Grades of which figures are given: the one asked for, and strong where there is enough of it."""
        strong = int((self.frames.grade[self.used] >= STRONG).sum())
        more = self.options.at_least < STRONG and strong >= LEAST_STRONG
        return [self.options.at_least, *([STRONG] if more else [])]

    def level(self, scores: Scores, level: float) -> dict[str, Any]:
        """Figures of all three scores for one grade."""
        used = self.used
        positive = self.frames.grade[used] >= level
        return {
            "positive": int(positive.sum()),
            **{name: self.rank(getattr(scores, name)[used], positive, used, name) for name in REPORTED},
        }

    def rank(self, score: Floats, positive: Bools, used: Bools, name: str = "") -> dict[str, Any]:
        """Pooled and within-student AUC with intervals. A change alone has no pooled figure: it knows no level."""
        student = self.frames.student[used]
        inside = ranks.within(positive, score, student)
        found = {
            "within": _round(inside.mean),
            "within_95": interval(self.draws.within(inside)),
            "within_unweighted": _round(inside.unweighted),
            "within_students": len(inside.student),
        }
        pooled = {
            "auc": _round(ranks.auc(positive, score)),
            "auc_95": interval(self.draws.pooled(positive, score, student)),
        }
        return found if name == "change" else pooled | found

    def early(self, scores: Scores) -> dict[str, Any]:
        """Within students, with the first frames as the only baseline and the rest as the test, as in a lesson."""
        used = self.used & np.isfinite(scores.early)
        positive = self.frames.grade[used] >= self.options.at_least
        return self.rank(scores.early[used], positive, used, "change")

    def everything(self, table: Table, scores: Scores) -> dict[str, Any]:
        """Pooled AUC of all faces that were read, and of all labelled frames; those without a face get the mean."""
        frames = self.frames
        read = np.isfinite(frames.grade)
        positive = frames.grade[read] >= self.options.at_least
        missed = table.grade[np.isnan(table.rows[:, 0]) & np.isfinite(table.grade)] >= self.options.at_least
        everyone = np.r_[positive, missed]
        score = np.r_[scores.own[read], np.full(len(missed), scores.own[read].mean())]
        return {
            "read": {"frames": len(positive), "auc": _round(ranks.auc(positive, scores.own[read]))},
            "all": {"frames": len(everyone), "auc": _round(ranks.auc(everyone, score))},
        }

    def ablation(self, rows: Sequence[tuple[tuple[str, ...], Scores]]) -> list[dict[str, Any]]:
        """Figures of growing sets of features, and what the last block of each added, drawn in pairs."""
        used = self.used
        student, positive = self.frames.student[used], self.frames.grade[used] >= self.options.at_least
        table: list[dict[str, Any]] = []
        before: tuple[Floats, Floats] | None = None
        for blocks, scores in rows:
            own, change = scores.own[used], scores.change[used]
            drawn = (
                self.draws.pooled(positive, own, student),
                self.draws.within(ranks.within(positive, change, student)),
            )
            row: dict[str, Any] = {
                "features": list(blocks),
                "frame": _round(ranks.auc(positive, scores.frame[used])),
                "own": _round(ranks.auc(positive, own)),
                "within": _round(ranks.within(positive, change, student).mean),
            }
            if before is not None:
                row["own_gain_95"] = interval(drawn[0] - before[0])
                row["within_gain_95"] = interval(drawn[1] - before[1])
            table.append(row)
            before = drawn
        return table

    def rivals(self, scores: Scores, done: Callable[[], None]) -> dict[str, Any]:
        """Other kinds of models on the same features and students."""
        used = self.used
        positive = self.frames.grade[used] >= self.options.at_least
        found: dict[str, Any] = {}
        for name, make in rivals.RIVALS.items():
            score = rivals.scored(self.frames, used, self.options.at_least, make, self.options.seed)
            found[name] = self.rank(score[used], positive, used)
            both = scales.unit(score[used]) + scales.unit(scores.own[used])
            found[f"{name} and own"] = self.rank(both, positive, used)
            done()
        return found

    def shuffled(self, blocks: tuple[str, ...], done: Callable[[], None]) -> float | None:
        """AUC within students after their labels were shuffled among their own frames: 0.5 but for chance."""
        random = np.random.default_rng(self.options.seed)
        grade = self.frames.grade.copy()
        for number in np.unique(self.frames.student):
            place = np.flatnonzero((self.frames.student == number) & self.used)
            grade[place] = random.permutation(grade[place])
        frames = self.with_blocks(blocks, grade)
        asked = self.options
        scores = folds.scored(frames, self.counts, asked.at_least, rounds=1, seed=asked.seed, done=done)
        used = self.used
        return _round(ranks.within(grade[used] >= asked.at_least, scores.change[used], frames.student[used]).mean)

    def refit(self, blocks: tuple[str, ...]) -> Maps:
        """The maps that ship: settings chosen over several rounds of folds, weights from everybody."""
        frames = self.with_blocks(blocks).only(self.counts)
        random = np.random.default_rng(self.options.seed)
        rounds = [folds.folds(frames, model.INNER, self.options.at_least, random) for _ in range(REFIT_ROUNDS)]
        return model.fit(frames, self.options.at_least, rounds)


def _headline(job: _Job, scores: Scores) -> dict[str, Any]:
    """The two figures that count, and what they are of."""
    level = job.level(scores, job.options.at_least)
    return {
        "auc": level["own"]["auc"],
        "auc_95": level["own"]["auc_95"],
        "within": level["change"]["within"],
        "within_95": level["change"]["within_95"],
        "what": "students kept apart; a student's other frames, without labels, are the own baseline",
        "positive": level["positive"],
    }


def _round(value: float) -> float | None:
    return round(value, 4) if np.isfinite(value) else None
