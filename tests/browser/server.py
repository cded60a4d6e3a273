"""``lessonroom serve`` in a process of its own, as an operator would start it, with short settings."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil

from lessonroom.simulate.facts import PLACE
from tests.ports import free_port

KEY = "a-key-for-this-test"
KEYED = {"Authorization": f"Bearer {KEY}"}
START = "from lessonroom.cli import main; main()"
PATIENCE = 60.0
"""How long a server may take to start on a busy machine, in seconds."""
PATIENT: dict[str, Any] = {"timeout": PATIENCE, "verify": False}
"""Of a question; reading the machine's certificates would take longer than most of them."""
SHORT = {
    "admin_keys": hashlib.sha256(KEY.encode()).hexdigest(),
    "ice_loopback": "true",
    "provider_place": PLACE,
    "hint_first_seconds": "0",
    "hint_hold_seconds": "1",
    "strain_learning_seconds": "4",
    "strain_clear_seconds": "2",
    "log_json": "true",
    "overload_seconds": "0",
}
"""A lesson lasts an hour, a test less than a minute; and a machine full of browsers turns nobody away. Everything else
is as it comes."""


@dataclass(frozen=True)
class Links:
    """A room that the platform has made."""

    room: str
    teacher: str
    student: str


class Server:
    """One server, on the same port and folder each time it is started. ``command``: ``serve`` unless given."""

    def __init__(
        self,
        data_dir: Path,
        *command: str,
        code: str = START,
        cwd: Path | None = None,
        **environment: str,
    ) -> None:
        self.data_dir = data_dir
        self.log = data_dir / "log.txt"
        self.port = free_port()
        self.base = f"http://127.0.0.1:{self.port}"
        options = ["--port", str(self.port), "--data-dir", str(data_dir)]
        self._start = [sys.executable, "-c", code, *(command or ("serve",)), *options]
        self._cwd = cwd
        clean = {name: value for name, value in os.environ.items() if not name.startswith("LESSONROOM_")}
        self._environment = {**clean, **{f"LESSONROOM_{k.upper()}": v for k, v in SHORT.items()}, **environment}
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start, and return when rooms can be taken."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(self._start, stdout=log, stderr=log, cwd=self._cwd, env=self._environment)
        until = time.monotonic() + PATIENCE
        while not self._ready():
            if self._process.poll() is not None or time.monotonic() > until:
                raise AssertionError(f"the server did not start:\n{self.log.read_text()[-2000:]}")
            time.sleep(0.05)

    def _ready(self) -> bool:
        try:
            return httpx.get(f"{self.base}/readyz", verify=False).is_success
        except httpx.TransportError:
            return False

    def kill(self) -> None:
        """As a power cut would."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """As an operator would."""
        self._end(signal.SIGTERM)

    def _end(self, how: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(timeout=PATIENCE)
            self._process = None

    def printed(self, name: str) -> str:
        """What the command said after this word at the beginning of a line."""
        lines = (line.split() for line in self.log.read_text().splitlines())
        return next(words[1] for words in lines if words[:1] == [name])

    def room(self, mode_cap: str = "M3", teacher: str = "Maria", student: str = "Anna", age: int = 30) -> Links:
        """Make a room through the admin API; the student has this age."""
        room = str(self._post("rooms", mode_cap=mode_cap, setting="self")["room"])
        links = {
            role: self.member(room, role, name, place=PLACE, age=years)
            for role, name, years in (("teacher", teacher, 40), ("student", student, age))
        }
        return Links(room, **links)

    def member(self, room: str, role: str, name: str, **about: Any) -> str:
        """Make a member of a room; the link that lets them in."""
        return str(self._post(f"rooms/{room}/members", role=role, name=name, **about)["link"])

    def exercise(self, links: Links, event: str, id_: str) -> None:
        """Tell of the student's exercise, as the platform would."""
        member = links.student.partition("#")[0].rsplit("/", 1)[-1]
        path = f"{self.base}/api/admin/rooms/{links.room}/members/{member}/exercise"
        httpx.post(path, json={"event": event, "id": id_}, headers=KEYED, **PATIENT).raise_for_status()

    def operator(self) -> str:
        """A link to the operations page."""
        return str(self._post("operators")["link"])

    def decide_all(self) -> None:
        """Decide on everything that waits, so that the next test begins with nothing."""
        for item in self._get("review?limit=100")["items"]:
            self._post(f"review/{item['id']}/decision", contact=False)

    def wrong_blocks(self) -> tuple[int, int]:
        """Of blocked messages: how many were decided on, and how many of these wrongly."""
        share = self._get("review?limit=0")["wrong_blocks"]
        return int(share["decided"]), int(share["wrong"])

    def audits(self) -> list[dict[str, Any]]:
        """What was recorded."""
        return list(self._get("audit?limit=100"))

    def _post(self, path: str, **ask: str | bool) -> Any:
        return self._asked(httpx.post(f"{self.base}/api/admin/{path}", json=ask, headers=KEYED, **PATIENT))

    def _get(self, path: str) -> Any:
        return self._asked(httpx.get(f"{self.base}/api/admin/{path}", headers=KEYED, **PATIENT))

    @staticmethod
    def _asked(answer: httpx.Response) -> Any:
        answer.raise_for_status()
        return answer.json()

    def children(self) -> list[int]:
        """The processes that the server has started."""
        assert self._process is not None
        return [child.pid for child in psutil.Process(self._process.pid).children()]

    def figure(self, series: str) -> float:
        """The value of one series of ``/metrics``; 0 for one that does not exist yet."""
        for line in httpx.get(f"{self.base}/metrics", **PATIENT).text.splitlines():
            name, _, value = line.rpartition(" ")
            if name == series:
                return float(value)
        return 0.0
