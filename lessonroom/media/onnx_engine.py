"""Inference in this process by ONNX Runtime: one shared session per model, for all rooms."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from lessonroom import models
from lessonroom.errors import EngineDown, ModelRefused, NotFound
from lessonroom.media import expression
from lessonroom.media.engine import Arrays
from lessonroom.media.providers import Provider, choose

_ONLY_ERRORS = 3
_INPUTS = {expression.MODEL: expression.INPUT}
"""Inputs that the code draws at one size. Those of the converted networks never change."""


class OnnxEngine:
    """Implements :class:`~lessonroom.media.engine.Engine`.

    ``names``: the models to load, None for all of the folder's ``.onnx`` files. ``threads``: of one inference on the
    CPU. Raises ModelRefused when a file, its sidecar and its network do not agree.
    """

    def __init__(
        self,
        names: Iterable[str] | None = None,
        *,
        models_dir: Path | None = None,
        threads: int = 1,
        providers: Sequence[str] = ("cpu",),
    ) -> None:
        self._choice = choose(providers)
        chosen = list(names) if names is not None else list(_onnx_models(models_dir))
        self._loaded = {name: _Loaded(models.load(name, models_dir), threads, self._choice) for name in chosen}
        self._closed = threading.Event()
        if self._fell_back():
            self._choice = Provider("CPU", f"{self._choice.name} did not start", choose(("cpu",)).chain)

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

    def _fell_back(self) -> bool:
        first = self._choice.chain[0][0]
        return any(loaded.session.get_providers()[0] != first for loaded in self._loaded.values())


class _Loaded:
    """One session with the promises of its sidecar."""

    def __init__(self, model: models.Model, threads: int, choice: Provider) -> None:
        self.card = model.card
        try:
            self.session = onnxruntime.InferenceSession(
                model.read(), _options(threads), providers=[name for name, _ in choice.chain],
                provider_options=[options for _, options in choice.chain],
            )  # fmt: skip
        except Exception as error:  # ONNX Runtime's errors share no base below it
            raise ModelRefused(f"{model.path.name}: expected a network, got {type(error).__name__}") from error
        relied_on = _INPUTS.get(self.card.name)
        if relied_on is not None and self.card.inputs[0].shape != relied_on:
            got = self.card.inputs[0].shape
            raise ModelRefused(f"{self.card.file}: expected an input of shape {relied_on}, got {got}")
        self._compare("inputs", self.card.inputs, self.session.get_inputs())
        self._compare("outputs", self.card.outputs, self.session.get_outputs())
        self._names = [tensor.name for tensor in self.card.outputs]

    def run(self, inputs: Arrays) -> dict[str, NDArray[Any]]:
        """Run and check. ONNX Runtime allows calls from many threads at once."""
        try:
            answers = self.session.run(self._names, dict(inputs))
        except Exception as error:  # its text may quote the input, so only its kind is told
            raise EngineDown(f"{self.card.name}: expected an answer, got {type(error).__name__}") from error
        for tensor, answer in zip(self.card.outputs, answers, strict=True):
            self._check(tensor, answer)
        return dict(zip(self._names, answers, strict=True))

    def _check(self, tensor: models.Tensor, answer: NDArray[Any]) -> None:
        if not _fits(answer.shape, tensor.shape):
            raise EngineDown(f"{self.card.name}.{tensor.name}: expected shape {tensor.shape}, got {answer.shape}")
        if answer.dtype.kind == "f" and not np.isfinite(answer).all():
            raise EngineDown(f"{self.card.name}.{tensor.name}: expected finite numbers, got others")

    def _compare(self, what: str, promised: tuple[models.Tensor, ...], there: Sequence[Any]) -> None:
        expected, got = {tensor.name for tensor in promised}, {each.name for each in there}
        if expected != got:
            raise ModelRefused(f"{self.card.file}: expected {what} {sorted(expected)}, got {sorted(got)}")


def _options(threads: int) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.log_severity_level = _ONLY_ERRORS
    # threads that wait for work must not burn the cores that the lessons need
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.inter_op.allow_spinning", "0")
    # without VNNI instructions, sums of 8-bit products would overflow on x86 unless they are taken the slower way
    options.add_session_config_entry("session.x64quantprecision", "1")
    return options


def _fits(shape: tuple[int, ...], promised: tuple[int | None, ...]) -> bool:
    return len(shape) == len(promised) and all(
        want is None or want == got for want, got in zip(promised, shape, strict=True)
    )


def _onnx_models(models_dir: Path | None) -> Iterable[str]:
    place = models.folder(models_dir)
    return (name for name in models.names(models_dir) if (place / f"{name}.onnx").is_file())
