"""What the server's own processes are given of it."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import psutil
import pytest

from lessonroom.bench.serving import serving


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="needs Linux's /proc")
async def test_no_setting_of_the_server_stands_in_the_environment_of_its_processes(tmp_path: Path) -> None:
    """Keys and secrets come by the environment, and a process of ours needs none of them."""
    async with serving(tmp_path, os.environ, turn_secret="one-that-nobody-guesses", log_level="warning") as server:
        async with asyncio.timeout(30):
            while not (children := server.process.children()):
                await asyncio.sleep(0.05)
        for child in children:
            assert psutil.pid_exists(child.pid)
            assert b"LESSONROOM_" not in Path(f"/proc/{child.pid}/environ").read_bytes()
