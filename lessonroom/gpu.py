"""What NVIDIA's management library tells of each GPU. Where there is none, that is said in words and nothing breaks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pynvml

NONE = "no GPU, running on CPU"


@dataclass(frozen=True, slots=True)
class Reading:
    """One GPU now: ``utilization`` 0 to 1, memory in bytes, ``temperature`` in degrees Celsius."""

    index: int
    name: str
    utilization: float
    memory_used: int
    memory: int
    temperature: float


class Gpus:
    """The GPUs of this machine. ``note`` says in one line what there is, and why when there is nothing."""

    def __init__(self) -> None:
        self._handles: list[Any] = []
        self.note = NONE
        try:
            pynvml.nvmlInit()
        except pynvml.NVMLError as error:
            self.reason = _why(error)
            return
        self.reason = ""
        self._handles = [pynvml.nvmlDeviceGetHandleByIndex(index) for index in range(pynvml.nvmlDeviceGetCount())]
        if self._handles:
            self.note = ", ".join(_name(handle) for handle in self._handles)

    def read(self) -> list[Reading]:
        """A reading of each GPU that answers. Takes about a millisecond."""
        readings = []
        for index, handle in enumerate(self._handles):
            try:
                readings.append(_read(index, handle))
            except pynvml.NVMLError as error:
                # a card that fell off the bus: the others are still worth showing
                self.reason = _why(error)
        return readings

    def close(self) -> None:
        """Let go of the library."""
        if self._handles:
            self._handles = []
            pynvml.nvmlShutdown()


def _read(index: int, handle: Any) -> Reading:
    memory = pynvml.nvmlDeviceGetMemoryInfo(handle)
    return Reading(
        index=index,
        name=_name(handle),
        utilization=pynvml.nvmlDeviceGetUtilizationRates(handle).gpu / 100,
        memory_used=int(memory.used),
        memory=int(memory.total),
        temperature=float(pynvml.nvmlDeviceGetTemperature(handle, pynvml.NVML_TEMPERATURE_GPU)),
    )


def _name(handle: Any) -> str:
    name = pynvml.nvmlDeviceGetName(handle)
    return name.decode() if isinstance(name, bytes) else str(name)


def _why(error: Exception) -> str:
    return f"NVML: {error}"
