"""A PostgreSQL server of our own for tests: made in a temporary folder, reached by a socket in it, gone afterwards."""

from __future__ import annotations

import getpass
import importlib.util
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


def why_not() -> str | None:
    """Why no server can be started here; None when one can."""
    if _folder() is None:
        return "expected PostgreSQL's initdb and pg_ctl in /usr/lib/postgresql/*/bin or on the path; found none"
    if importlib.util.find_spec("psycopg") is None:
        return "expected psycopg to be installed (pip install 'lessonroom[postgresql]')"
    if os.geteuid() == 0 and shutil.which("runuser") is None:
        return "PostgreSQL does not run as root, and there is no runuser"
    return None


@dataclass(frozen=True)
class Server:
    """A server and the address of a database in it. Without fsync: these tests don't cut the power."""

    home: Path

    @property
    def url(self) -> str:
        return f"postgresql://lessonroom@/postgres?host={self.home}"

    @property
    def data(self) -> Path:
        return self.home / "data"

    def start(self) -> None:
        """Start and wait until it answers."""
        options = f"-c listen_addresses= -c unix_socket_directories={self.home} -c fsync=off"
        _run("pg_ctl", "start", "--wait", "--pgdata", self.data, "--log", self.home / "log", "--options", options)

    def stop(self) -> None:
        """Stop, cutting off those who are connected."""
        _run("pg_ctl", "stop", "--wait", "--pgdata", self.data, "--mode", "immediate")


@contextmanager
def server() -> Iterator[Server]:
    """Make and run a server for as long as the block lasts."""
    with tempfile.TemporaryDirectory(prefix="lessonroom-pg-") as name:
        made = Server(Path(name))
        if os.geteuid() == 0:
            shutil.chown(made.home, _user())
        as_user = ("--username", "lessonroom", "--auth", "trust", "--encoding", "UTF8")
        _run("initdb", "--pgdata", made.data, *as_user, "--no-sync")
        made.start()
        try:
            yield made
        finally:
            made.stop()


def _folder() -> Path | None:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    on_path = shutil.which("initdb")
    return found[-1].parent if found else Path(on_path).parent if on_path else None


def _user() -> str:
    return "postgres" if os.geteuid() == 0 else getpass.getuser()


def _run(program: str, *arguments: object) -> None:
    folder = _folder()
    assert folder is not None
    command = [str(folder / program), *map(str, arguments)]
    if os.geteuid() == 0:
        command = ["runuser", "-u", _user(), "--", *command]
    # not captured by a pipe: the server inherits it and would keep it open for ever
    with tempfile.TemporaryFile("w+") as output:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd="/", check=False)
        output.seek(0)
        assert done.returncode == 0, output.read()
