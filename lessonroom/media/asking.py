"""Looks that ask networks, written as if each were alone, and run together: one inference for several of them.

A look is a generator: it yields what it asks a network, gets the answer, and returns what it found. :func:`together`
lets those who ask the same network go together in one batch; those who are at an earlier network go first, so that
the others wait for them. Pure but for the engine handed in.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from lessonroom.media.engine import Arrays, Engine

T = TypeVar("T")
Answer = dict[str, NDArray[Any]]


@dataclass(frozen=True, slots=True)
class Ask:
    """``inputs`` for ``model``, batch first; the answer has as many rows."""

    model: str
    inputs: Arrays


Asking = Generator[Ask, Answer, T]


def alone(engine: Engine, look: Asking[T]) -> T:
    """Run one look to its end. Raises what the look and the engine raise."""
    try:
        ask = next(look)
        while True:
            ask = look.send(engine.infer(ask.model, ask.inputs))
    except StopIteration as done:
        found: T = done.value
        return found


def together(engine: Engine, looks: Sequence[Asking[T]], order: Sequence[str]) -> list[T]:
    """Run looks to their ends and give their results in order. ``order``: the networks, first to last.

    What one look or the engine raises ends all.
    """
    if len(looks) == 1:
        return [alone(engine, looks[0])]
    found: dict[int, T] = {}
    asks: dict[int, Ask] = {}

    def go_on(number: int, answer: Answer | None) -> None:
        look = looks[number]
        try:
            asks[number] = next(look) if answer is None else look.send(answer)
        except StopIteration as done:
            found[number] = done.value

    for number in range(len(looks)):
        go_on(number, None)
    while asks:
        model = min((ask.model for ask in asks.values()), key=order.index)
        chosen = [number for number, ask in asks.items() if ask.model == model]
        answers = _batched(engine, model, [asks.pop(number).inputs for number in chosen])
        for number, answer in zip(chosen, answers, strict=True):
            go_on(number, answer)
    return [found[number] for number in range(len(looks))]


def _batched(engine: Engine, model: str, inputs: list[Arrays]) -> list[Answer]:
    """One inference for all, and each one's rows of the answer."""
    if len(inputs) == 1:
        return [engine.infer(model, inputs[0])]
    answer = engine.infer(model, {name: np.concatenate([each[name] for each in inputs]) for name in inputs[0]})
    ends = np.cumsum([len(next(iter(each.values()))) for each in inputs])
    return [
        {name: rows[end - len(next(iter(each.values()))) : end] for name, rows in answer.items()}
        for each, end in zip(inputs, ends, strict=True)
    ]
