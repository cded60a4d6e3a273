"""Inference in this process by ONNX Runtime: one shared session per model, for all rooms."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

from numpy.typing import NDArray

from lessonroom import logs, models
from lessonroom.errors import EngineDown, ModelRefused, NotFound
from lessonroom.media import expression, promises
from lessonroom.media.bound import Bound, rows
from lessonroom.media.device import CudaMemory, Memory
from lessonroom.media.engine import Arrays
from lessonroom.media.providers import Provider, choose, runtime_library
from lessonroom.media.sessions import start
from lessonroom.models import Sidecar, Tensor

log = logs.get(__name__)

_INPUTS = {expression.MODEL: expression.INPUT}
"""Inputs that the code draws at one size. Those of the converted networks never change."""


class OnnxEngine:
    """Implements :class:`~lessonroom.media.engine.Engine`.

    ``names``: the models to load, None for all of the folder's ``.onnx`` files. ``threads``: of one inference on the
    CPU. ``choice``: where to run, else the first of ``providers`` that starts. ``cache``: where TensorRT keeps what it
    compiled. ``memory``: of the device, bound to each call; by default the GPU's where there is one, False for none.
    Raises ModelRefused when a file, its sidecar and its network do not agree.
    """

    def __init__(
        self,
        names: Iterable[str] | None = None,
        *,
        models_dir: Path | None = None,
        threads: int = 1,
        providers: Sequence[str] = ("cpu",),
        choice: Provider | None = None,
        cache: Path | None = None,
        memory: Memory | Literal[False] | None = None,
    ) -> None:
        names = list(names) if names is not None else list(models.networks(models_dir))
        chosen = [models.load(name, models_dir) for name in names]
        self._closed = threading.Event()
        self._choice, sessions = start(chosen, choice or choose(providers), threads, cache)
        if memory is None:
            memory = _gpu_memory() if self._choice.on_gpu else False
        self._loaded = {
            model.card.name: _Loaded(model.card, session, memory)
            for model, session in zip(chosen, sessions, strict=True)
        }

    @property
    def provider(self) -> str:
        """Where inference runs: ``"TensorRT"``, ``"CUDA"`` or ``"CPU"``."""
        return self._choice.name

    @property
    def reason(self) -> str:
        """Why there, in one line."""
        return self._choice.reason

    @property
    def models(self) -> tuple[str, ...]:
        """Names of the loaded models, sorted."""
        return tuple(sorted(self._loaded))

    @property
    def cards(self) -> tuple[Sidecar, ...]:
        """Sidecars of the loaded models, sorted by name."""
        return tuple(loaded.card for _, loaded in sorted(self._loaded.items()))

    def infer(self, model: str, inputs: Arrays) -> dict[str, NDArray[Any]]:
        """Run one model; see :meth:`lessonroom.media.engine.Engine.infer`."""
        if self._closed.is_set():
            raise EngineDown("expected an open engine, got a closed one")
        loaded = self._loaded.get(model)
        if loaded is None:
            raise NotFound(f"expected one of the loaded models ({', '.join(self.models)}), got another name")
        return loaded.run(inputs)

    def close(self) -> None:
        """Refuse what comes from now on and let go of the sessions; runs that are under way end by themselves."""
        self._closed.set()
        self._loaded = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class _Loaded:
    """One session with the promises of its sidecar."""

    def __init__(self, card: Sidecar, session: Any, memory: Memory | Literal[False]) -> None:
        self.card = card
        relied_on = _INPUTS.get(card.name)
        if relied_on is not None and card.inputs[0].shape != relied_on:
            raise ModelRefused(f"{card.file}: expected an input of shape {relied_on}, got {card.inputs[0].shape}")
        self._compare("inputs", card.inputs, session.get_inputs())
        self._compare("outputs", card.outputs, session.get_outputs())
        self._session = session
        self._names = [tensor.name for tensor in card.outputs]
        found = rows(card, session) if memory else None
        self._bound = Bound(session, *found, memory) if memory and found else None

    def run(self, inputs: Arrays) -> dict[str, NDArray[Any]]:
        """Run and check. ONNX Runtime allows calls from many threads at once."""
        try:
            if self._bound is not None:
                answers = self._bound.run(promises.keep_inputs(self.card, inputs))
            else:
                answers = self._session.run(self._names, dict(inputs))
        except EngineDown:
            raise
        except Exception as error:  # its text may quote the input, so only its kind is told
            raise EngineDown(f"{self.card.name}: expected an answer, got {type(error).__name__}") from error
        return promises.keep_outputs(self.card, answers)

    def _compare(self, what: str, promised: tuple[Tensor, ...], there: Sequence[Any]) -> None:
        expected, got = {tensor.name for tensor in promised}, {each.name for each in there}
        if expected != got:
            raise ModelRefused(f"{self.card.file}: expected {what} {sorted(expected)}, got {sorted(got)}")


def _gpu_memory() -> Memory | Literal[False]:
    try:
        return CudaMemory(runtime_library())
    except EngineDown as error:  # the provider found its own, so inference works, with copies of its own
        log.warning("no memory is bound for the GPU", reason=str(error))
        return False
