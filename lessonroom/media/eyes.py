"""An engine and the eyes that look with it, opened and closed together: by a server, or by a media worker."""

from __future__ import annotations

from dataclasses import dataclass

from lessonroom import models
from lessonroom.config import Settings
from lessonroom.media import engines, strain_reader
from lessonroom.media.engine import Engine
from lessonroom.media.engines import Changed, open_engine
from lessonroom.media.meter import Meter
from lessonroom.media.vision import MODELS, Vision, see


@dataclass(frozen=True, slots=True)
class Eyes:
    """What looks at samples in one process. ``engine`` says where and why there."""

    engine: Engine
    vision: Vision

    def close(self) -> None:
        """Look no more."""
        self.vision.close()
        self.engine.close()


def open_eyes(settings: Settings, meter: Meter, *, on_changed: Changed | None = None) -> Eyes:
    """Load the models of the settings. Takes a second or more. Raises ModelRefused and leaves nothing open.

    ``on_changed``: told of provider and reason, on any thread, whenever an inference server comes or goes.
    """
    engine = open_engine(settings, MODELS, on_changed=on_changed, meter=meter)
    try:
        return Eyes(engine, see(engine, settings, meter=meter))
    except BaseException:  # a strain head that is refused, for example: nobody else knows of the engine
        engine.close()
        raise


def check(settings: Settings) -> None:
    """Whether the files are there and are what their sidecars promise; loads no engine.

    Raises ModelRefused and BadSetting.
    """
    engines.check(settings)
    for name in MODELS:
        models.load(name, settings.models_dir)
    strain_reader.of(settings)
