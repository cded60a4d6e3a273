"""What inference looks like to the rest of the media line: named models in, arrays out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from numpy.typing import NDArray

Arrays = Mapping[str, NDArray[Any]]


class Engine(Protocol):
    """Runs the models of ``models/``. One engine serves all rooms; every method may be called from any thread.

    Implementations are held to ``tests/contracts/engine.py``.
    """

    @property
    def provider(self) -> str:
        """Where inference runs, for people: ``"TensorRT"``, ``"CUDA"``, ``"CPU"``."""
        ...

    @property
    def reason(self) -> str:
        """Why this provider was chosen, in one line for the log."""
        ...

    def infer(self, model: str, inputs: Arrays) -> dict[str, NDArray[Any]]:
        """Run ``model`` (the stem of its file) on ``inputs`` (name to array, batch first) and return its outputs.

        Raises :class:`~lessonroom.errors.EngineDown` when the model does not answer, answers NaN or answers shapes
        other than its sidecar's, and :class:`~lessonroom.errors.NotFound` for an unknown model.
        Blocks; callers on an event loop go through an executor.
        """
        ...

    def close(self) -> None:
        """Give back threads and memory. Later calls of :meth:`infer` raise EngineDown."""
        ...
