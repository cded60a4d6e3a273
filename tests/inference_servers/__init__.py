"""Real servers that speak the Open Inference Protocol, started on loopback with the networks of a folder."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from lessonroom import models
from lessonroom.errors import EngineDown
from lessonroom.media.kserve_engine import KserveEngine
from tests.ports import free_port

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
STARTS_WITHIN = 60.0


@dataclass(frozen=True)
class Served:
    """A running server. ``models_dir``: the networks with the sidecars that it answers for."""

    url: str
    models_dir: Path
    process: subprocess.Popen[bytes]

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(30)


def installed(kind: str) -> Path:
    """The server's environment; without one the test is skipped, and says how it could run."""
    venv = ROOT / f".venv-{kind}"
    if not (venv / ".installed").is_file():
        pytest.skip(f"{kind} is not installed: tests/inference_servers/install {kind}")
    return venv


@contextmanager
def serving(kind: str, models_dir: Path, folder: Path, port: int | None = None) -> Iterator[Served]:
    """``mlserver`` or ``triton`` with all networks of ``models_dir``; ``folder`` is its own."""
    command = {"mlserver": _mlserver, "triton": _triton}[kind]
    port = port or free_port()
    home = tempfile.mkdtemp(prefix="lr")  # PyTriton's sockets lie in it, and their paths may not be long
    environment = os.environ | {"PYTHONPATH": str(HERE), "HOME": home}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            command(installed(kind), models_dir, folder, port),
            stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd=folder, env=environment,
        )  # fmt: skip
    served = Served(f"grpc://127.0.0.1:{port}", models_dir, process)
    try:
        _wait_until_ready(served, folder / "log")
        yield served
    finally:
        served.stop()
        shutil.rmtree(home, ignore_errors=True)


def until(true: Callable[[], bool], seconds: float = STARTS_WITHIN) -> bool:
    """Wait for another process or thread, which has no event for us."""
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def _mlserver(venv: Path, models_dir: Path, folder: Path, port: int) -> list[str]:
    settings = {
        "host": "127.0.0.1", "grpc_port": port, "http_port": free_port(), "metrics_port": free_port(),
        "parallel_workers": 0, "grpc_max_message_length": 256 * 2**20,
    }  # fmt: skip
    (folder / "settings.json").write_text(json.dumps(settings))
    for name in models.networks(models_dir):
        place = folder / "repository" / name
        place.mkdir(parents=True, exist_ok=True)
        uri = str(models.folder(models_dir) / f"{name}.onnx")
        described = {"name": name, "implementation": "mlserver_runtime.Network", "parameters": {"uri": uri}}
        (place / "model-settings.json").write_text(json.dumps(described))
    return [str(venv / "bin" / "mlserver"), "start", str(folder)]


def _triton(venv: Path, models_dir: Path, folder: Path, port: int) -> list[str]:
    ports = [str(each) for each in (port, free_port(), free_port())]
    return [str(venv / "bin" / "python"), str(HERE / "triton_server.py"), str(models.folder(models_dir)), *ports]


def _wait_until_ready(served: Served, log: Path) -> None:
    engine = KserveEngine(served.url, models_dir=served.models_dir, deadline=5.0)

    def ready() -> bool:
        if served.process.poll() is not None:
            raise AssertionError(f"the server ended: {log.read_text()[-2000:]}")
        try:
            engine.ready()
        except EngineDown:
            return False
        return True

    try:
        assert until(ready), f"the server did not get ready: {log.read_text()[-2000:]}"
    finally:
        engine.close()
