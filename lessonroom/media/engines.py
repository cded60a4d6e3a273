"""Which engine the settings ask for, opened with its models loaded."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Callable, Sequence
from typing import Final

from lessonroom import logs
from lessonroom.config import Settings
from lessonroom.errors import BadSetting
from lessonroom.media.engine import Engine
from lessonroom.media.meter import UNMETERED, Meter
from lessonroom.media.onnx_engine import OnnxEngine

log = logs.get(__name__)

Changed = Callable[[str, str], None]
_HERE: Final = re.compile(r"grpc://(127\.[0-9.]+|localhost|\[::1\]):\d+")


class Changes:
    """Tells one listener, who may come later, that models run elsewhere now. Called on any thread."""

    def __init__(self) -> None:
        self.listener: Callable[[], object] | None = None

    def __call__(self, provider: str, reason: str) -> None:
        """Hand it on; whoever listens asks the engine where."""
        if self.listener is not None:
            self.listener()


def check(settings: Settings) -> None:
    """Raise BadSetting when the settings ask for a server that cannot be asked from here."""
    if settings.inference_server and importlib.util.find_spec("grpc") is None:
        raise BadSetting("inference_server: expected the package grpcio, got none: pip install 'lessonroom[kserve]'")


def open_engine(
    settings: Settings, names: Sequence[str], *, on_changed: Changed | None = None, meter: Meter = UNMETERED
) -> Engine:
    """Models run here; where ``inference_server`` names one, it is asked first.

    ``on_changed``: told of provider and reason, on any thread, whenever a server comes or goes.
    Takes a second or more. Raises ModelRefused and BadSetting.
    """
    check(settings)
    local = OnnxEngine(
        names,
        models_dir=settings.models_dir,
        threads=settings.inference_threads,
        providers=settings.inference_providers,
        cache=settings.data_dir / "engines",
    )
    return _with_server(settings, local, on_changed, meter) if settings.inference_server else local


def _with_server(settings: Settings, local: OnnxEngine, on_changed: Changed | None, meter: Meter) -> Engine:
    from lessonroom.media.kserve_engine import KserveEngine  # noqa: PLC0415  gRPC is an extra
    from lessonroom.media.kserve_fallback import FallbackEngine  # noqa: PLC0415

    if settings.inference_server.startswith("grpc:") and not _HERE.fullmatch(settings.inference_server):
        log.warning("pictures of students go to the inference server unencrypted; grpcs:// would encrypt them")
    try:
        remote = KserveEngine(
            settings.inference_server,
            local.models,
            models_dir=settings.models_dir,
            deadline=settings.inference_server_deadline,
            ca=settings.inference_server_ca,
            meter=meter,
        )
    except BaseException:
        local.close()
        raise
    return FallbackEngine(remote, local, meter=meter, **({"on_changed": on_changed} if on_changed else {}))
