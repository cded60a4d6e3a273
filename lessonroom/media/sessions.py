"""ONNX Runtime's sessions: one per network, all on the same provider, the next one where the first does not start."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import onnxruntime

from lessonroom.errors import ModelRefused
from lessonroom.media import tensorrt
from lessonroom.media.providers import Provider
from lessonroom.models import Model

_ONLY_ERRORS = 3
_CPUINFO = Path("/proc/cpuinfo")
_VNNI = {"avx_vnni", "avx512_vnni"}
_TENSORRT = "TensorrtExecutionProvider"


def start(models: Sequence[Model], choice: Provider, threads: int, cache: Path | None) -> tuple[Provider, list[Any]]:
    """Sessions of all models on one provider: the choice, or the first of its chain on which every one starts.

    ``threads``: of one inference on the CPU. ``cache``: see :func:`lessonroom.media.tensorrt.options`.
    Raises ModelRefused for what is no network.
    """
    while choice.on_gpu:
        sessions = _on_gpu(models, choice, threads, cache)
        if sessions is not None:
            return choice, sessions
        choice = choice.weaker()
    return choice, [session(model, choice, options(threads), cache) for model in models]


def _on_gpu(models: Sequence[Model], choice: Provider, threads: int, cache: Path | None) -> list[Any] | None:
    """None when one of them does not start, or starts elsewhere: ONNX Runtime falls back without raising."""
    sessions = []
    for model in models:
        try:
            sessions.append(session(model, choice, options(threads), cache))
        except ModelRefused:
            return None
        if sessions[-1].get_providers()[0] != choice.chain[0][0]:
            return None
    return sessions


def session(model: Model, choice: Provider, given: Any, cache: Path | None) -> Any:
    """One session with the options ``given``; it may start on a later provider of the chain. Raises ModelRefused."""
    network = model.read()
    chain = [
        (name, ours | tensorrt.options(model.card, network, choice.gpu, cache) if name == _TENSORRT else ours)
        for name, ours in choice.chain
    ]
    try:
        return onnxruntime.InferenceSession(
            network, given, providers=[name for name, _ in chain],
            provider_options=[ours for _, ours in chain],
        )  # fmt: skip
    except Exception as error:  # ONNX Runtime's errors share no base below it
        raise ModelRefused(f"{model.path.name}: expected a network, got {type(error).__name__}") from error


def options(threads: int) -> Any:
    """Of a session that shares its cores with others."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.log_severity_level = _ONLY_ERRORS
    # threads that wait for work must not burn the cores that the lessons need
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.inter_op.allow_spinning", "0")
    if not _sums_eight_bits():  # sums of 8-bit products would overflow unless they are taken the slower way
        options.add_session_config_entry("session.x64quantprecision", "1")
    return options


@cache
def _sums_eight_bits() -> bool:
    """Whether every core has VNNI, which sums 8-bit products in 32 bits at once; no where nobody says so.

    ONNX Runtime takes the slower way wherever it is asked to: 1.2 ms instead of 0.5 for the expression network here.
    """
    try:
        lines = _CPUINFO.read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return False
    flags = [set(line.partition(":")[2].split()) for line in lines if line.startswith("flags")]
    return bool(flags) and all(each & _VNNI for each in flags)
