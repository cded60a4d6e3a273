"""The order of the suite, what gets a second try, and what its servers share."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Final

import pytest

from lessonroom.chat import classifier

FIRST: Final = {"integration", "browser", "bench"}
"""Folders whose files take long, each in one process: begun last, one process would work on them alone at the end."""

REAL: Final = FIRST | {"media", "processes", "server", "simulate", "storage", "workers"}
"""Folders whose tests talk through real sockets, processes, browsers and clocks."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes long; else the order stays. What a machine that stands still for a second can upset is
    tried once more, and the summary names it: twice is a defect, and a name that comes again is one too.
    """
    items.sort(key=lambda item: item.path.parent.name not in FIRST)
    for item in items:
        if item.path.parent.name in REAL:
            item.add_marker(pytest.mark.flaky(reruns=1))


@pytest.fixture(scope="session", autouse=True)
def unpacked_once() -> Iterator[None]:
    """Hundreds of servers in this process load the same chat model: its file is read and checked anew by each, its
    weights, which nobody changes, are unpacked once. Another file, or a damaged one, is unpacked by itself.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(classifier, "from_bytes", lru_cache(maxsize=2)(classifier.from_bytes))
        yield
