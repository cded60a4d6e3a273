"""A GPU's memory and page-locked memory of the host, by CUDA's own runtime: what arrays travel between.

From page-locked memory a GPU copies by itself, without the driver's detour over a buffer of its own.
Not yet run on a GPU.
"""

from __future__ import annotations

import ctypes
import weakref
from collections.abc import Callable
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from lessonroom.errors import EngineDown

_TO_DEVICE: Final = 1
_TO_HOST: Final = 2
"""cudaMemcpyHostToDevice and cudaMemcpyDeviceToHost."""


class Block:
    """Memory that is given back when nobody holds it. ``address``: of its first byte."""

    def __init__(self, address: int, size: int, free: Callable[[int], object]) -> None:
        self.address = address
        self.size = size
        weakref.finalize(self, free, address)


class Memory(Protocol):
    """What :class:`~lessonroom.media.bound.Bound` needs of a device. For any threads."""

    @property
    def device(self) -> str:
        """ONNX Runtime's word for the device."""
        ...

    def on_device(self, size: int) -> Block:
        """``size`` bytes of the device. Raises EngineDown when there are none."""
        ...

    def on_host(self, size: int) -> Block:
        """``size`` bytes of the host that the device can reach by itself. Raises EngineDown."""
        ...

    def to_device(self, device: Block, host: Block, size: int) -> None:
        """Copy the first bytes; done on return."""
        ...

    def to_host(self, host: Block, device: Block, size: int) -> None:
        """Copy the first bytes; done on return."""
        ...


class CudaMemory:
    """The first GPU's. ``library``: CUDA's runtime. Raises EngineDown when it does not load."""

    device = "cuda"

    def __init__(self, library: str) -> None:
        try:
            self._runtime: Any = ctypes.CDLL(library)
        except OSError:
            raise EngineDown(f"expected to load {library}, could not") from None
        for name in ("cudaFree", "cudaFreeHost"):
            getattr(self._runtime, name).argtypes = [ctypes.c_void_p]
        self._runtime.cudaMalloc.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
        self._runtime.cudaHostAlloc.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_uint]
        self._runtime.cudaMemcpy.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]

    def on_device(self, size: int) -> Block:
        """See :class:`Memory`."""
        address = ctypes.c_void_p()
        self._expect(self._runtime.cudaMalloc(ctypes.byref(address), size), f"{size} bytes of GPU memory")
        return Block(address.value or 0, size, self._runtime.cudaFree)

    def on_host(self, size: int) -> Block:
        """See :class:`Memory`."""
        address = ctypes.c_void_p()
        self._expect(self._runtime.cudaHostAlloc(ctypes.byref(address), size, 0), f"{size} bytes of page-locked memory")
        return Block(address.value or 0, size, self._runtime.cudaFreeHost)

    def to_device(self, device: Block, host: Block, size: int) -> None:
        """See :class:`Memory`."""
        self._expect(self._runtime.cudaMemcpy(device.address, host.address, size, _TO_DEVICE), "a copy to the GPU")

    def to_host(self, host: Block, device: Block, size: int) -> None:
        """See :class:`Memory`."""
        self._expect(self._runtime.cudaMemcpy(host.address, device.address, size, _TO_HOST), "a copy from the GPU")

    @staticmethod
    def _expect(error: int, what: str) -> None:
        if error:
            raise EngineDown(f"expected {what}, got CUDA's error {error}")


def seen(block: Block, dtype: np.dtype[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    """The first bytes of a block of the host as an array. Whoever keeps it keeps the block, too."""
    count = int(np.prod(shape, dtype=np.int64))
    raw = (ctypes.c_uint8 * (count * dtype.itemsize)).from_address(block.address)
    return np.ctypeslib.as_array(raw).view(dtype).reshape(shape)
