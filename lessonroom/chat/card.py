"""Writes a trained model: the npz and the sidecar that says what it is."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Sequence
from importlib.metadata import version as version_of
from pathlib import Path
from typing import Any, Final

from lessonroom.chat.classifier import CLASSES, NAME, to_bytes
from lessonroom.chat.dataset import FOREIGN
from lessonroom.chat.features import BUCKETS, GROUPS, NAMES
from lessonroom.chat.policy import ChatPolicy
from lessonroom.chat.train import FOLDS, Trained
from lessonroom.models import Sidecar

_TERMS: Final = (
    "corpus: written for this project, Apache-2.0; cima_tutoring_en CC BY 2.5; koziev_dialogues_ru CC0 1.0; "
    "ua_gec_uk CC BY 4.0; "
    "sms_ham_en CC BY 4.0; presidio_research_en MIT. The foreign texts are not distributed with the project."
)
_FAILURES: Final = (
    "contacts that only a person understands: riddles, photographs of numbers, meanings agreed before",
    "names of applications that the lexicon does not know, described by colour or picture",
    "bare user names without any word of a channel, below the threshold on purpose",
    "languages other than Russian, Ukrainian and English, apart from number and sign words",
)


def write(trained: Trained, out_dir: Path, version: str, sources: Sequence[str]) -> Path:
    """Write ``contact_filter.npz`` and ``contact_filter.json``; the path of the first."""
    data = to_bytes(trained.arrays)
    path = out_dir / f"{NAME}.npz"
    path.write_bytes(data)
    card = describe(trained, hashlib.sha256(data).hexdigest(), version, sources)
    Sidecar.model_validate(card)
    (out_dir / f"{NAME}.json").write_text(json.dumps(card, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


def describe(trained: Trained, sha256: str, version: str, sources: Sequence[str]) -> dict[str, Any]:
    """The sidecar's content."""
    counts = trained.counts
    data = f"{counts['written']} messages composed line by line by a language model, "
    data += f"{counts['made_up']} made up from templates"
    if sources:
        data += f", {counts['others']} of other people: " + ", ".join(name.removeprefix(FOREIGN) for name in sources)
    return {
        "name": NAME,
        "file": f"{NAME}.npz",
        "sha256": sha256,
        "version": version,
        "made_by": "lessonroom chat train",
        "libraries": {
            "python": sys.version.split()[0],
            **{lib: version_of(lib) for lib in ("numpy", "scikit-learn", "scipy")},
        },
        "inputs": [
            {"name": "dense", "shape": [len(NAMES)], "range": "evidence, see lessonroom.chat.features"},
            *({"name": name, "shape": [None], "dtype": "int64", "range": f"0 to {BUCKETS - 1}"} for name in GROUPS),
        ],
        "outputs": [
            {"name": "probability", "shape": [1], "range": "0 to 1, calibrated"},
            {"name": "kind", "shape": [1], "range": "the likeliest kind of contact"},
        ],
        "labels": list(CLASSES),
        "thresholds": {"block_from": round(ChatPolicy().block_from(), 6), "cost_ratio": ChatPolicy().cost_ratio},
        "training_data": data,
        "terms": _TERMS,
        "scores": {
            "how": f"{FOLDS} folds: lines of ours by family, each judged by a model that never saw its family; other "
            "people's lines dealt out one by one, and under sources once more as whole sources",
            **trained.figures,
        },
        "known_failures": list(_FAILURES),
        "licence": "Apache-2.0",
    }
