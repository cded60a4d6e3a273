"""The pages' own tests, in JavaScript: pure modules under Node's test runner."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

TESTS = sorted(Path(__file__).parent.glob("*.test.mjs"))
NODE = shutil.which("node")


@pytest.mark.skipif(NODE is None, reason="node is not installed; browsers run the same modules in tests/browser")
@pytest.mark.parametrize("path", TESTS, ids=lambda path: path.name)
def test_the_modules_keep_their_promises(path: Path) -> None:
    """Every ``*.test.mjs`` passes; a failure shows Node's own report."""
    assert NODE is not None
    done = subprocess.run([NODE, "--test", str(path)], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
