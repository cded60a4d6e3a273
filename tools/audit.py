"""Ask the advisory service about every package of the lock: ``make audit``.

Exit code 0: asked, and nothing is known; 1: something is known, it is printed; 3: the service could not be asked about
some of them or any, which says nothing about those. pip-audit lives in a virtual environment of its own.
"""

from __future__ import annotations

import json
import subprocess
import sys
import venv
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
PLACE = ROOT / ".venv-audit"
PIP_AUDIT = "pip-audit==2.10.1"
NOT_ASKED = 3
PATIENCE = 600.0
"""Seconds for all packages together."""


def main() -> int:
    """Ask, and print what came."""
    audit = _installed()
    if audit is None:
        return _not_asked("the package registry did not give pip-audit")
    lock = ROOT / "requirements.lock"
    asked = [
        str(audit),
        "--requirement",
        str(lock),
        "--disable-pip",
        "--require-hashes",
        "--format",
        "json",
        "--timeout",
    ]
    try:
        done = subprocess.run([*asked, "15"], capture_output=True, text=True, timeout=PATIENCE, check=False)
    except subprocess.TimeoutExpired:
        return _not_asked(f"no answer within {PATIENCE:.0f} s")
    return verdict(done.stdout, done.stderr)


def verdict(out: str, errors: str) -> int:
    """What pip-audit's answer means, printed. ``out``: its JSON, or nothing when it could not ask."""
    try:
        packages: list[dict[str, Any]] = json.loads(out)["dependencies"]
    except (ValueError, KeyError, TypeError):
        return _not_asked((errors.strip().splitlines() or ["no answer"])[-1])
    skipped = [package for package in packages if "skip_reason" in package]
    if len(skipped) == len(packages):
        return _not_asked(f"it answered for none of {len(packages)} packages")
    found = [(package, known) for package in packages for known in package.get("vulns", [])]
    for package, known in found:
        better = ", ".join(known["fix_versions"]) or "no version yet"
        print(f"{package['name']} {package['version']}: {known['id']}, mended in {better}")
    for package in skipped:
        print(f"{package['name']}: not asked about: {package['skip_reason']}")
    print(f"{len(packages) - len(skipped)} packages asked about, {len(found)} advisories")
    return 1 if found else NOT_ASKED if skipped else 0


def _installed() -> Path | None:
    """The command in its own environment, made when it is not there yet; None when it could not be had."""
    audit = PLACE / "bin" / "pip-audit"
    if not audit.exists():
        venv.create(PLACE, with_pip=True, clear=True)
        pip = [str(PLACE / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check", PIP_AUDIT]
        done = subprocess.run(pip, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            return None
    return audit


def _not_asked(why: str) -> int:
    print(
        f"audit: could not ask the advisory service, so nothing is known about these packages: {why}", file=sys.stderr
    )
    return NOT_ASKED


if __name__ == "__main__":
    sys.exit(main())
