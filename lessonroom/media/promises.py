"""What a sidecar promises of a model's inputs and outputs, and whether arrays keep to it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from lessonroom.errors import EngineDown, NoNumbers
from lessonroom.media.engine import Arrays
from lessonroom.models import Sidecar, Tensor

_PROBED: Final = 2


def keep_outputs(card: Sidecar, answers: Sequence[NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """The answers by name, in the sidecar's order. Raises EngineDown for another shape, NoNumbers for NaN."""
    for tensor, answer in zip(card.outputs, answers, strict=True):
        if not fits(answer.shape, tensor.shape):
            raise EngineDown(f"{card.name}.{tensor.name}: expected shape {tensor.shape}, got {answer.shape}")
        if answer.dtype.kind == "f" and not np.isfinite(answer).all():
            raise NoNumbers(f"{card.name}.{tensor.name}: expected finite numbers, got others")
    return {tensor.name: answer for tensor, answer in zip(card.outputs, answers, strict=True)}


def keep_inputs(card: Sidecar, inputs: Arrays) -> list[NDArray[Any]]:
    """The inputs in the sidecar's order, each in one piece of memory. Raises EngineDown for what does not fit."""
    if set(inputs) != {tensor.name for tensor in card.inputs}:
        names = sorted(tensor.name for tensor in card.inputs)
        raise EngineDown(f"{card.name}: expected inputs {names}, got {len(inputs)} others")
    return [_kept(card, tensor, inputs[tensor.name]) for tensor in card.inputs]


def fits(shape: tuple[int, ...], promised: tuple[int | None, ...]) -> bool:
    """Whether a shape is the promised one, where None is any length."""
    return len(shape) == len(promised) and all(
        want is None or want == got for want, got in zip(promised, shape, strict=True)
    )


def _kept(card: Sidecar, tensor: Tensor, array: NDArray[Any]) -> NDArray[Any]:
    if not fits(array.shape, tensor.shape) or array.dtype != np.dtype(tensor.dtype):
        raise EngineDown(
            f"{card.name}.{tensor.name}: expected {tensor.dtype} {tensor.shape}, got {array.dtype} {array.shape}"
        )
    return np.ascontiguousarray(array)


def probe(card: Sidecar) -> Arrays:
    """The same numbers between 0 and 1 every time, for each input of a model, as a batch of two."""
    numbers = np.random.default_rng(1)
    return {
        tensor.name: numbers.random([_PROBED, *(side or 1 for side in tensor.shape[1:])]).astype(tensor.dtype)
        for tensor in card.inputs
    }


def difference(one: NDArray[Any], other: NDArray[Any]) -> float:
    """Largest difference of two arrays of one shape, as a part of the largest magnitude in ``other`` (at least 1)."""
    scale = max(1.0, float(np.abs(other).max(initial=0.0)))
    return float(np.abs(one.astype(np.float64) - other).max(initial=0.0)) / scale
