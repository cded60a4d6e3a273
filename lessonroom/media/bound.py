"""Runs a network on memory of a device that is bound before: one copy in, one copy out, and none that nobody asked for.

ONNX Runtime, handed arrays of the host, takes memory of the device for each call and copies through the driver's own
buffer. Here each call borrows a slot: buffers on both sides for a whole batch, kept from call to call. A network has as
many slots as calls ran at the same time. Not yet run on a GPU; tested on memory of the host.
"""

from __future__ import annotations

import queue
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lessonroom.media.device import Block, Memory, seen
from lessonroom.media.tensorrt import MOST_BATCH
from lessonroom.models import Sidecar


@dataclass(frozen=True, slots=True)
class Row:
    """One tensor without its batch: its name, type and shape."""

    name: str
    dtype: np.dtype[Any]
    shape: tuple[int, ...]

    @property
    def size(self) -> int:
        """Bytes of one row."""
        return int(np.prod(self.shape, dtype=np.int64)) * self.dtype.itemsize


@dataclass(frozen=True, slots=True)
class Buffer:
    """A tensor's place on both sides."""

    row: Row
    host: Block
    device: Block


@dataclass(frozen=True, slots=True)
class Slot:
    """What one call needs: the places of all tensors for ``batch`` rows, and ONNX Runtime's binding."""

    batch: int
    inputs: tuple[Buffer, ...]
    outputs: tuple[Buffer, ...]
    binding: Any


def rows(card: Sidecar, session: Any) -> tuple[list[Row], list[Row]] | None:
    """Inputs and outputs of a network in the sidecar's order; None when one has another free side than its batch."""
    there = {each.name: each.shape for each in (*session.get_inputs(), *session.get_outputs())}
    found = [
        [Row(tensor.name, np.dtype(tensor.dtype), tuple(there[tensor.name][1:])) for tensor in tensors]
        for tensors in (card.inputs, card.outputs)
    ]
    fixed = all(isinstance(side, int) for side in (side for each in (*found[0], *found[1]) for side in each.shape))
    return (found[0], found[1]) if fixed else None


class Bound:
    """One network with its slots. For any threads."""

    def __init__(self, session: Any, inputs: Sequence[Row], outputs: Sequence[Row], memory: Memory) -> None:
        self._session = session
        self._inputs = tuple(inputs)
        self._outputs = tuple(outputs)
        self._memory = memory
        self._free: queue.LifoQueue[Slot] = queue.LifoQueue()

    def run(self, arrays: Sequence[NDArray[Any]]) -> list[NDArray[Any]]:
        """Answers for inputs of any batch, which fit their rows and lie in one piece each. They own their memory.

        Raises EngineDown for memory, and whatever ONNX Runtime raises.
        """
        batch = len(arrays[0])
        starts = range(0, max(1, batch), MOST_BATCH)
        parts = [self._part([array[start : start + MOST_BATCH] for array in arrays]) for start in starts]
        if len(parts) == 1:
            return parts[0]
        return [np.concatenate(each) for each in zip(*parts, strict=True)]

    def _part(self, arrays: Sequence[NDArray[Any]]) -> list[NDArray[Any]]:
        batch = len(arrays[0])
        slot = self._borrow(batch)
        try:
            for buffer, array in zip(slot.inputs, arrays, strict=True):
                np.copyto(seen(buffer.host, buffer.row.dtype, array.shape), array)
                self._memory.to_device(buffer.device, buffer.host, array.nbytes)
            self._bind(slot, batch)
            self._session.run_with_iobinding(slot.binding)
            slot.binding.synchronize_outputs()
            return [self._fetched(buffer, batch) for buffer in slot.outputs]
        finally:
            self._free.put(slot)

    def _fetched(self, buffer: Buffer, batch: int) -> NDArray[Any]:
        self._memory.to_host(buffer.host, buffer.device, batch * buffer.row.size)
        return seen(buffer.host, buffer.row.dtype, (batch, *buffer.row.shape)).copy()

    def _bind(self, slot: Slot, batch: int) -> None:
        device = self._memory.device
        for bind, buffers in ((slot.binding.bind_input, slot.inputs), (slot.binding.bind_output, slot.outputs)):
            for buffer in buffers:
                row = buffer.row
                bind(row.name, device, 0, row.dtype.type, (batch, *row.shape), buffer.device.address)

    def _borrow(self, batch: int) -> Slot:
        """A slot that is large enough: one that is free, or a new one in place of one that is too small."""
        try:
            slot = self._free.get_nowait()
        except queue.Empty:
            return self._made(batch)
        return slot if slot.batch >= batch else self._made(batch)

    def _made(self, batch: int) -> Slot:
        batch = 1 << max(0, batch - 1).bit_length()  # powers of two: few sizes, and few times of making room
        inputs, outputs = (tuple(self._buffer(row, batch) for row in each) for each in (self._inputs, self._outputs))
        return Slot(batch, inputs, outputs, self._session.io_binding())

    def _buffer(self, row: Row, batch: int) -> Buffer:
        size = max(1, batch * row.size)
        return Buffer(row, self._memory.on_host(size), self._memory.on_device(size))
