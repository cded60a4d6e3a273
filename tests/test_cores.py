"""How many cores a process may use, read from made-up control groups."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lessonroom import cores


@pytest.fixture(autouse=True)
def large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(64)), raising=False)


def system(root: Path, groups: str, **files: str) -> Path:
    """``files``: text by path below ``/sys/fs/cgroup``, with ``__`` for a slash."""
    for path, text in {"proc/self/cgroup": groups, **{f"sys/fs/cgroup/{k}": v for k, v in files.items()}}.items():
        place = root / path.replace("__", "/")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
    return root


def test_without_quotas_all_cores_that_the_process_is_bound_to_count(tmp_path: Path) -> None:
    assert cores.allowed(tmp_path) == 64
    assert cores.allowed(system(tmp_path, "0::/\n", **{"cpu.max": "max 100000\n"})) == 64


def test_a_container_gets_its_quota_and_not_the_machine(tmp_path: Path) -> None:
    """Threads for 64 cores in a container of two are stopped for most of the time."""
    root = system(tmp_path, "0::/\n", **{"cpu.max": "200000 100000\n"})
    assert (cores.allowed(root), cores.whole(root)) == (2.0, 2)


@pytest.mark.parametrize(("inner", "outer", "expected"), [("max", "300000", 3.0), ("150000", "300000", 1.5)])
def test_the_quotas_of_the_groups_around_count_too(tmp_path: Path, inner: str, outer: str, expected: float) -> None:
    files = {"system.slice__cpu.max": f"{outer} 100000", "system.slice__room.service__cpu.max": f"{inner} 100000"}
    assert cores.allowed(system(tmp_path, "0::/system.slice/room.service\n", **files)) == expected


def test_a_group_whose_name_is_that_of_the_host_is_found_at_the_top(tmp_path: Path) -> None:
    """A container without a namespace of its own for control groups."""
    assert cores.allowed(system(tmp_path, "0::/docker/abc\n", **{"cpu.max": "100000 100000"})) == 1.0


def test_a_group_may_have_any_name(tmp_path: Path) -> None:
    """A name is bytes to the kernel; one that is no ASCII must not keep the server from starting."""
    root = system(tmp_path, "0::/\n", **{"класс__cpu.max": "100000 100000", "cpu.max": "300000 100000"})
    (root / "proc/self/cgroup").write_bytes("0::/класс\n".encode() + b"3:x:/\xff\n")
    assert cores.allowed(root) == 1.0


@pytest.mark.parametrize(("quota", "expected"), [("-1", 64.0), ("50000", 0.5)])
def test_version_one_has_two_files(tmp_path: Path, quota: str, expected: float) -> None:
    name = "cpu,cpuacct__docker__abc__cpu.cfs_"
    files = {f"{name}quota_us": quota, f"{name}period_us": "100000"}
    root = system(tmp_path, "5:memory:/x\n4:cpu,cpuacct:/docker/abc\n0::/\n", **files)
    assert cores.allowed(root) == expected


def test_a_part_of_a_core_is_a_thread_nevertheless(tmp_path: Path) -> None:
    assert cores.whole(system(tmp_path, "0::/\n", **{"cpu.max": "50000 100000"})) == 1


def test_this_machine_allows_something() -> None:
    assert 0 < cores.allowed() <= 64
