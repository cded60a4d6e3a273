"""Write the strain head that ships while there are no real labels: a prior from the literature, fitted to nothing.

    python tools/make_strain_prior.py models

Brows that are lowered and drawn together go with confusion and frustration (Craig et al. 2008, Grafsgaard et al. 2013);
anger, disgust and contempt are what networks call such faces. Sadness and fear stand for distress. The weights are
round numbers: what the literature supports is their signs.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np

from lessonroom.media import strain_head
from lessonroom.media.scoring import release
from lessonroom.media.strain_head import NAMES, Head

FRAME = {
    "log.anger": 0.30, "log.sadness": 0.30, "log.disgust": 0.15, "log.fear": 0.15, "log.contempt": 0.10,
    "log.happiness": -0.20, "shape.brow": -1.0, "shape.brow_gap": -1.0,
}  # fmt: skip
CHANGE = {"expression.anger": 1.0, "expression.disgust": 1.0, "expression.contempt": 0.5}
"""The signal of the cue `frowning`, as lessonroom.media.strain has it."""
CALM_FACE = {"anger": 0.02, "sadness": 0.06, "disgust": 0.005, "fear": 0.01, "contempt": 0.01, "happiness": 0.03}
CALM_CHANCE = 0.15
"""What a calm face gets: about the share of frames that people call frustrated at all."""


def main() -> None:
    out = Path(sys.argv[1])
    head = prior()
    data = strain_head.packed(head)
    (out / f"{strain_head.MODEL}.npz").write_bytes(data)
    card = release.sidecar(
        head,
        data,
        made_by="tools/make_strain_prior.py",
        fitted_on="nothing: a prior from the literature (Craig et al. 2008; Grafsgaard et al. 2013)",
        scores={},
        fed_by={},
        known_failures=(
            "it was fitted to no labels: how often it is right about students is not known",
            "people scowl when they concentrate: a single frame is no sign of strain",
        ),
        terms="none: no data",
        licence="Apache-2.0",
    )
    (out / f"{strain_head.MODEL}.json").write_text(json.dumps(card, indent=2) + "\n")


def prior() -> Head:
    names = tuple(name for name in NAMES if name in FRAME or name in CHANGE)
    fill = np.array([_calm(name) for name in names])
    frame = np.array([FRAME.get(name, 0.0) for name in names])
    bias = float(np.log(CALM_CHANCE / (1 - CALM_CHANCE)) - frame @ fill)
    return Head(names, fill, frame, np.array([CHANGE.get(name, 0.0) for name in names]), bias)


def _calm(name: str) -> float:
    kind, _, label = name.partition(".")
    if kind == "shape":
        return 0.0
    return float(np.log(CALM_FACE[label])) if kind == "log" else CALM_FACE[label]


if __name__ == "__main__":
    main()
