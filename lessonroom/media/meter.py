"""What the media line tells its operators: counts and seconds, never anything about a person."""

from __future__ import annotations

from typing import Final, Protocol


class Meter(Protocol):
    """Where figures go; :mod:`lessonroom.metrics` is one. Every verb may be called from any thread."""

    def sample_taken(self) -> None:
        """One frame was chosen for analysis."""

    def sample_unseen(self, reason: str) -> None:
        """A sample showed nothing that counts; ``reason`` is a value of Unseen."""

    def frames_dropped(self, count: int) -> None:
        """So many frames were overwritten by newer ones before anybody looked."""

    def media_lost(self, kind: str, count: int) -> None:
        """``broken``: frames that could not be decoded; ``skipped``: packets and frames thrown away before that."""

    def inference_observed(self, stage: str, seconds: float) -> None:
        """One stage ran: ``receive`` from a frame's last packet to its choice, ``wait`` for a thread, ``convert``
        colours, each model by name, ``look`` from picture on.
        """

    def observation_age(self, seconds: float) -> None:
        """Time from the capture of a frame to its observation."""

    def inference_queue(self, change: int) -> None:
        """One more (+1) or one fewer (-1) look waits or runs."""

    def inference_failed(self, kind: str) -> None:
        """A look gave no answer: ``late``, ``down`` or ``refused``."""

    def server_called(self, outcome: str) -> None:
        """An inference server was asked once; ``outcome`` is a value of lessonroom.media.kserve_engine.Outcome."""

    def server_answered(self, seconds: float) -> None:
        """Time from the first asking to the answer, retries included."""

    def server_tried(self, passed: bool) -> None:
        """Whether an inference server is to be used was tried."""


class Unmetered:
    """A meter for those who do not keep figures."""

    def sample_taken(self) -> None:
        """Not kept."""

    def sample_unseen(self, reason: str) -> None:
        """Not kept."""

    def frames_dropped(self, count: int) -> None:
        """Not kept."""

    def media_lost(self, kind: str, count: int) -> None:
        """Not kept."""

    def inference_observed(self, stage: str, seconds: float) -> None:
        """Not kept."""

    def observation_age(self, seconds: float) -> None:
        """Not kept."""

    def inference_queue(self, change: int) -> None:
        """Not kept."""

    def inference_failed(self, kind: str) -> None:
        """Not kept."""

    def server_called(self, outcome: str) -> None:
        """Not kept."""

    def server_answered(self, seconds: float) -> None:
        """Not kept."""

    def server_tried(self, passed: bool) -> None:
        """Not kept."""


UNMETERED: Final = Unmetered()
