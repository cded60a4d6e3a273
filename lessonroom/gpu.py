"""What NVIDIA's management library tells of each GPU. Where there is none, that is said in words and nothing breaks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pynvml

NONE = "no GPU, running on CPU"
NO_DRIVER = (pynvml.NVMLError_LibraryNotFound, pynvml.NVMLError_DriverNotLoaded)
"""What NVML says where there is no GPU; all else is a GPU that cannot be read."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One GPU now: ``utilization`` 0 to 1, memory in bytes, ``temperature`` in degrees Celsius, ``power`` in watts.

    None: this card does not tell, as one that is shared out in slices (MIG) does not tell its utilization.
    """

    index: int
    name: str
    utilization: float | None
    memory_used: int
    memory: int
    temperature: float | None
    power: float | None = None


class Gpus:
    """The GPUs of this machine. ``reason``: the latest reason why one, or all, could not be read; empty without one."""

    def __init__(self) -> None:
        self._open = False
        self._handles: dict[int, Any] = {}
        self._names: dict[int, str] = {}
        self._missing = False
        self.reason = ""
        try:
            pynvml.nvmlInit()
            self._open = True
            for index in range(pynvml.nvmlDeviceGetCount()):
                self._find(index)
        except pynvml.NVMLError as error:
            self._missing = not isinstance(error, NO_DRIVER)
            self.reason = _why(error)

    @property
    def note(self) -> str:
        """In one line: what there is, and what of it cannot be read."""
        found = list(self._names.values())
        if self._missing:
            found.append(f"a GPU that cannot be read ({self.reason})")
        return ", ".join(found) or NONE

    def read(self) -> list[Reading]:
        """A reading of each GPU that answers. Takes about a millisecond."""
        readings = []
        for index, handle in self._handles.items():
            try:
                readings.append(_read(index, handle))
                self._names[index] = readings[-1].name
            except pynvml.NVMLError as error:
                # a card that fell off the bus: the others are still worth showing
                self._names[index] = f"GPU {index} that cannot be read ({_why(error)})"
                self.reason = _why(error)
        return readings

    def close(self) -> None:
        """Let go of the library."""
        self._handles = {}
        if self._open:
            self._open = False
            try:
                pynvml.nvmlShutdown()
            except pynvml.NVMLError as error:
                self.reason = _why(error)  # it is let go of either way

    def _find(self, index: int) -> None:
        try:
            self._handles[index] = pynvml.nvmlDeviceGetHandleByIndex(index)
            self._names[index] = _name(self._handles[index])
        except pynvml.NVMLError as error:
            self._names[index] = f"GPU {index} that cannot be read ({_why(error)})"
            self.reason = _why(error)


def _read(index: int, handle: Any) -> Reading:
    memory = pynvml.nvmlDeviceGetMemoryInfo(handle)
    return Reading(
        index=index,
        name=_name(handle),
        utilization=_if_told(lambda: pynvml.nvmlDeviceGetUtilizationRates(handle).gpu / 100),
        memory_used=int(memory.used),
        memory=int(memory.total),
        temperature=_if_told(lambda: pynvml.nvmlDeviceGetTemperature(handle, pynvml.NVML_TEMPERATURE_GPU)),
        power=_if_told(lambda: pynvml.nvmlDeviceGetPowerUsage(handle) / 1000),  # NVML speaks of milliwatts
    )


def _if_told(ask: Callable[[], float]) -> float | None:
    try:
        return float(ask())
    except pynvml.NVMLError_NotSupported:
        return None


def _name(handle: Any) -> str:
    name = pynvml.nvmlDeviceGetName(handle)
    return name.decode() if isinstance(name, bytes) else str(name)


def _why(error: Exception) -> str:
    return f"NVML: {error}"
