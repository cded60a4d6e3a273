"""A fitted strain head as a file with its sidecar, and its figures in words."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, TextIO

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from lessonroom import models
from lessonroom.errors import BadInput
from lessonroom.media import strain_head
from lessonroom.media.scoring import folds, scales
from lessonroom.media.scoring.fit import Fitted
from lessonroom.media.strain_head import Head

Floats = NDArray[np.float64]

LEAST_SLOPE = 1e-3
"""A score that ranks no better than chance still gives a head, one that says the same of everybody."""
KNOWN_FAILURES = (
    "it ranks frames a little better than chance: one frame says nearly nothing of a student",
    "labels are what others saw in the frames, not what the students felt",
    "students, cameras and labellers other than those it was fitted on are not covered by its figures",
    "false hints per hour with this head are not part of its figures: the fit knows single frames, no lessons",
)


def head_of(fitted: Fitted, at_least: float) -> Head:
    """The maps as a head that reads raw features, its frame calibrated on students who were left out."""
    maps, frames = fitted.maps, fitted.frames.only(fitted.counts)
    slope, intercept = _calibrated(fitted, fitted.scores.frame, at_least)
    own_slope, own_intercept = _calibrated(fitted, fitted.scores.own, at_least)
    names, fill, frame = _raw(maps.scale, slope * maps.frame)
    change, level, within = (_raw(maps.scale, each)[2] for each in (maps.change, maps.level, maps.within))
    numbers = maps.scale.standard(frames)
    signal = numbers @ maps.change
    unit = strain_head.ORDINARY / (_ordinary(signal, frames.student) or 1.0)
    bias = intercept - slope * float((numbers @ maps.frame).mean()) - float(frame @ fill)
    own_bias = own_intercept - own_slope * float((numbers @ maps.level).mean() + level @ fill)
    used = [place for place, name in enumerate(names) if _block(name) in maps.blocks]
    known = own_slope * np.stack([level, within])
    return Head(
        tuple(names[place] for place in used),
        fill[used],
        frame[used],
        change[used] * unit,
        bias + float(np.delete(frame, used) @ np.delete(fill, used)),
        known[:, used],
        own_bias + float(np.delete(known[0], used) @ np.delete(fill, used)),
    )


def write(fitted: Fitted, at_least: float, out: Path, models_dir: Path | None) -> Path:
    """Write ``strain_head.npz`` and its sidecar into a folder. Raises BadInput where that cannot be."""
    head = head_of(fitted, at_least)
    data = strain_head.packed(head)
    try:
        out.mkdir(parents=True, exist_ok=True)
        (out / f"{strain_head.MODEL}.npz").write_bytes(data)
        card = sidecar(
            head,
            data,
            made_by="lessonroom vision fit-strain",
            fitted_on=f"{fitted.figures['frames']} labelled frames of {fitted.figures['students']} students",
            scores=fitted.figures,
            fed_by=fitted.models or _feeders(models_dir),
        )
        (out / f"{strain_head.MODEL}.json").write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise BadInput(f"--out: expected a folder to write the head to, got: {error.strerror}") from None
    return out / f"{strain_head.MODEL}.npz"


def sidecar(
    head: Head,
    data: bytes,
    *,
    made_by: str,
    fitted_on: str,
    scores: Mapping[str, Any],
    fed_by: Mapping[str, str],
    known_failures: Sequence[str] = KNOWN_FAILURES,
    terms: str = "those of the frames and labels that it was fitted on",
    licence: str = "that of whoever fitted it",
) -> dict[str, Any]:
    """What a server must know before it loads the head."""
    return {
        "name": strain_head.MODEL,
        "file": f"{strain_head.MODEL}.npz",
        "sha256": hashlib.sha256(data).hexdigest(),
        "version": "1",
        "made_by": made_by,
        "libraries": {name: version(name) for name in ("numpy", "scipy", "scikit-learn")},
        "inputs": [{"name": "features", "shape": [len(head.names)], "range": "named in the file; strain_head.py"}],
        "outputs": [
            {"name": "frame", "shape": [1], "range": "logit of strain in one picture"},
            {"name": "change", "shape": [1], "range": f"signal; {strain_head.ORDINARY} is a student's own spread"},
        ],
        "uses": sorted(head.uses),
        "fitted_on": fitted_on,
        "fed_by": dict(fed_by),
        "training_data": fitted_on,
        "terms": terms,
        "scores": dict(scores),
        "known_failures": list(known_failures),
        "licence": licence,
    }


def tell(figures: Mapping[str, Any], out: TextIO) -> None:
    """The figures for people."""
    counts = figures["counts"]
    out.write(
        f"{figures['frames']} labelled frames of {figures['students']} students, {figures['positive']} of them with a "
        f"label of {figures['at_least']:g} or more; {counts.get('unseen', 0)} frames not seen, "
        f"{counts.get('without_label', 0)} without a label, {counts.get('rows_without_score', 0)} without a score\n"
        f"features: {', '.join(figures['features'])}; {figures['what']}\n\n"
        f"AUC {_figure(figures['auc'], figures['auc_95'])}\n"
        f"AUC within students {_figure(figures['within'], figures['within_95'])}\n\n"
    )
    for level, rows in figures["levels"].items():
        out.write(f"label of {level} or more ({rows['positive']} frames)\n")
        for name, said in (
            ("frame", "one frame alone"),
            ("change", "change against own frames"),
            ("own", "frame and change"),
        ):
            out.write(f"  {said:26} {_row(rows[name])}\n")
    early, rest = figures["first_frames_as_baseline"], figures["without_leaving_out"]
    out.write(f"  change against own first frames alone, as in a lesson: {_row(early)}\n")
    out.write(
        f"  frame and change, all faces that were read: AUC {_figure(rest['read']['auc'])}; "
        f"all frames, those without a face at the mean: {_figure(rest['all']['auc'])}\n"
    )
    if "ablation" in figures:
        _tell_comparisons(figures, out)


def _tell_comparisons(figures: Mapping[str, Any], out: TextIO) -> None:
    out.write("\nfeatures                                     frame   own     within   gain of the last block (95 %)\n")
    for row in figures["ablation"]:
        gain = (
            f"own {_range(row['own_gain_95'])}, within {_range(row['within_gain_95'])}" if "own_gain_95" in row else ""
        )
        out.write(
            f"{', '.join(row['features']):44} {_figure(row['frame']):7} {_figure(row['own']):7} "
            f"{_figure(row['within']):8} {gain}\n"
        )
    out.write("\nother models on the same features and students\n")
    for name, row in figures["rivals"].items():
        out.write(f"  {name:26} {_row(row)}\n")
    out.write(f"\nlabels shuffled within students: {_figure(figures['shuffled_within'])} within (0.5 but for chance)\n")


def _row(row: Mapping[str, Any]) -> str:
    within = f"within {_figure(row['within'], row['within_95'])} ({row['within_students']} students)"
    return f"AUC {_figure(row['auc'], row['auc_95'])}, {within}" if "auc" in row else within


def _figure(value: float | None, limits: Sequence[float | None] | None = None) -> str:
    if value is None:
        return "none"
    return f"{value:.3f}" + (f" ({_range(limits)})" if limits is not None else "")


def _range(limits: Sequence[float | None]) -> str:
    return " to ".join("?" if limit is None else f"{limit:.3f}" for limit in limits)


def _calibrated(fitted: Fitted, score: Floats, at_least: float) -> tuple[float, float]:
    """Slope and intercept from a score (N,) of students who were left out to the logit of their labels."""
    used = fitted.counts & np.isfinite(fitted.frames.grade)
    link = LogisticRegression(C=1e6)
    link.fit(score[used, None], fitted.frames.grade[used] >= at_least)
    return max(float(link.coef_[0, 0]), LEAST_SLOPE), float(link.intercept_[0])


def _raw(scale: scales.Scale, weights: Floats) -> tuple[list[str], Floats, Floats]:
    """Names, fillings and factors of raw features, from weights of standardised ones."""
    names = [strain_head.NAMES[place] for place in scale.places]
    plain = len(names)
    factors = weights / scale.spread
    if scale.projection is None:
        return names, scale.middle, factors
    return (
        [*names, *strain_head.embedded(len(scale.embedding))],
        np.r_[scale.middle[:plain], scale.embedding],
        np.r_[factors[:plain], scale.projection @ factors[plain:]],
    )


def _ordinary(signal: Floats, student: NDArray[np.int64]) -> float:
    """The median over students of a signal's spread over the student's own frames."""
    own = folds.against(signal, student)
    spreads = [own[student == number].std() for number in np.unique(student) if (student == number).sum() > 1]
    return float(np.median(spreads)) if spreads else 0.0


def _block(name: str) -> str:
    return next((block for block, names in strain_head.BLOCKS.items() if name in names), "embedding")


def _feeders(models_dir: Path | None) -> dict[str, str]:
    """What is here fed scores that do not name their models, as far as anybody knows."""
    return {name: models.brief(name, models_dir) for name in strain_head.SCORED_BY}
