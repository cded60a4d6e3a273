"""All figures of docs/performance.md in one run: measures, keeps them as data of the package, writes the page's tables.

``make figures`` on a machine that does nothing else; about ten minutes on two cores. ``PY_SPY=/path/to/py-spy`` adds
the profile. ``--page`` only writes the tables anew from the figures that are there.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))  # for its neighbours, which are no part of the package

from lessonroom.bench import machine  # noqa: E402
from tools import figures_page, profile  # noqa: E402

FIGURES: Final = ROOT / "lessonroom" / "bench" / "figures.json"
PAGE: Final = ROOT / "docs" / "performance.md"
BENCHES: Final = (
    "chat --seconds 5",
    "video --rounds 300",
    "receive --seconds 15",
    "rooms --rooms 64 --beside 8 --seconds 45 --every 15",
    "rooms --rooms 64 --workers 2 --seconds 45 --every 15",
    "rooms --rooms 64 --seconds 30 --every 2",
    "rooms --rooms 500 --rate 500 --seconds 45",
    "rooms --cycles 100",
    "gpu",
)
NOT_HERE: Final = 3
"""Exit code of a bench whose hardware is not there: no figures, and no failure."""
QUIET: Final = 0.5
"""Load average above which a run begins with a warning."""


def main() -> int:
    """0: all is there. 1: a bench gave no figures; what the others gave is kept."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--page", action="store_true", help="only write the tables anew")
    parser.add_argument("--out", type=Path, default=FIGURES, help="where the figures go")
    parser.add_argument("--only", default="", help="only benches whose words begin like this; the others stay")
    asked = parser.parse_args()
    failed = [] if asked.page else measure(asked.out, asked.only)
    if asked.out == FIGURES:
        PAGE.write_text(figures_page.filled(PAGE.read_text(), json.loads(FIGURES.read_text())["runs"]))
    for words in failed:
        print(f"no figures from: {words}", file=sys.stderr)
    return 1 if failed else 0


def measure(out: Path, only: str) -> list[str]:
    """Take all figures, one after the other; returns what gave none."""
    if machine.load() > QUIET:
        print(f"load average {machine.load()}: figures of a busy machine", file=sys.stderr)
    began, failed = time.monotonic(), []
    runs = json.loads(out.read_text())["runs"] if only and out.exists() else []
    for words in (*BENCHES, "profile"):
        if not words.startswith(only):
            continue
        print(f"{time.monotonic() - began:5.0f} s  {words}", file=sys.stderr)
        code, run = (0, _profile()) if words == "profile" else _bench(words)
        if run is not None:
            runs = [each for each in runs if not _alike(each, run)] + [run]
        elif code not in {0, NOT_HERE}:
            failed.append(words)
    out.write_text(json.dumps({"runs": runs}, ensure_ascii=False, indent=1) + "\n")
    print(f"{time.monotonic() - began:5.0f} s  {out}", file=sys.stderr)
    return failed


def _alike(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return all(one.get(key) == other.get(key) for key in ("bench", "asked"))


def _bench(words: str) -> tuple[int, dict[str, Any] | None]:
    """Exit code and figures of one bench; figures also of one that ends with 1, for it says why in them."""
    command = [sys.executable, "-m", "lessonroom.cli", "bench", *words.split(), "--json"]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
    try:
        return done.returncode, json.loads(done.stdout)
    except ValueError:
        return done.returncode or 1, None


def _profile() -> dict[str, Any] | None:
    """None where py-spy is not there: the page then says that there is no profile."""
    py_spy = os.environ.get("PY_SPY", "")
    if not py_spy:
        print("no PY_SPY: no profile", file=sys.stderr)
        return None
    return profile.run(py_spy, dict(os.environ))


if __name__ == "__main__":
    sys.exit(main())
