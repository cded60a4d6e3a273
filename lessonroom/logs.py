"""Structured logs without a word of a user's content.

Only keys that stand in :data:`KNOWN` are written, and of an exception only its class and where it was raised: texts of
foreign exceptions may quote what a user said. Events are fixed sentences in the code (a test looks). Every logger of
:func:`get` has this filter in itself, so it also holds where Lessonroom is mounted and nobody called :func:`setup`;
its lines then go to the host's :mod:`logging`, under the module's name.

After :func:`setup`, foreign libraries are heard from ``warning`` on, through the same filter, without their arguments,
and each thing once in a while: strangers can make some of them speak as often as they like.
"""

from __future__ import annotations

import logging
import sys
import time
import traceback
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final, TextIO

import structlog
from structlog.types import EventDict, Processor

KNOWN: Final = frozenset(
    {
        "event", "level", "module", "timestamp",
        "room", "member", "role", "purpose", "socket", "session", "origin",
        "code", "kind", "reason", "error", "where", "count", "seconds", "mode", "state",
        "address", "provider", "model", "gpu", "version", "cores",
    }
)  # fmt: skip
"""Keys that may be written. Ids are random words; ``reason`` and ``code`` come from closed lists."""

AGAIN_SECONDS: Final = 10.0
"""How long a foreign library that says the same again is not heard; ``count`` then tells how often it has said it."""
MOST_SAID: Final = 1000
"""Things that are remembered as said."""

ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None]


_PLAIN: Final[Processor] = structlog.dev.ConsoleRenderer(colors=False)


@dataclass(slots=True)
class _Output:
    """Where lines go and how they look. ``stream`` None: to the host's logging, which knows levels of its own."""

    stream: TextIO | None = None
    level: int = logging.INFO
    renderer: Processor = _PLAIN


_output = _Output()


def setup(*, level: str = "info", as_json: bool = False, stream: TextIO | None = None) -> None:
    """Send all logs of the process to ``stream`` (stderr). ``level``: of our own logs."""
    out = stream or sys.stderr
    _output.stream = out
    _output.level = logging.getLevelNamesMapping()[level.upper()]
    _output.renderer = (
        structlog.processors.JSONRenderer() if as_json else structlog.dev.ConsoleRenderer(colors=out.isatty())
    )
    handler = logging.StreamHandler(out)
    handler.addFilter(_Seldom())
    handler.setFormatter(_Foreign())
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)


def get(name: str) -> Any:
    """A logger for a module. Say a fixed sentence and known keys: ``log.info("room loaded", room=id)``."""
    return structlog.wrap_logger(
        _Sink(name),
        processors=[_only_wanted, *_FILTER, _render],
        wrapper_class=structlog.make_filtering_bound_logger(logging.NOTSET),
        context_class=dict,
        cache_logger_on_first_use=False,
        module=name,
    )


class _Sink:
    """Takes the finished lines of one module."""

    def __init__(self, name: str) -> None:
        self._host = logging.getLogger(name)

    def wants(self, level: int) -> bool:
        """Whether a line of this level is written at all."""
        return self._host.isEnabledFor(level) if _output.stream is None else level >= _output.level

    def _write(self, level: int, line: str) -> None:
        if _output.stream is None:
            self._host.log(level, "%s", line)
        else:
            _output.stream.write(line + "\n")
            _output.stream.flush()

    def debug(self, line: str) -> None:
        self._write(logging.DEBUG, line)

    def info(self, line: str) -> None:
        self._write(logging.INFO, line)

    def warning(self, line: str) -> None:
        self._write(logging.WARNING, line)

    def error(self, line: str) -> None:
        self._write(logging.ERROR, line)

    def critical(self, line: str) -> None:
        self._write(logging.CRITICAL, line)


class _Seldom(logging.Filter):
    """Lets pass the same thing, from the same place in the code, once in AGAIN_SECONDS."""

    def __init__(self) -> None:
        super().__init__()
        self._said: dict[tuple[str, ...], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether it is time to say this; the record learns how often it was said since."""
        info, now = _info(record.exc_info), time.monotonic()
        broke = (info[0].__name__, _where(info[2])) if info else ()
        key = (record.name, record.pathname, str(record.lineno), record.levelname, *broke)
        until, left_out = self._said.get(key, (now, 0))
        if now < until:
            self._said[key] = until, left_out + 1
            return False
        if len(self._said) >= MOST_SAID:
            self._said.clear()
        self._said[key] = now + AGAIN_SECONDS, 0
        record.__dict__[_COUNT] = left_out + 1
        return True


_COUNT: Final = "lessonroom_count"


class _Foreign(logging.Formatter):
    """Says of a foreign library's record its template, and nothing that the library filled in."""

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        event: EventDict = {"event": template_of(record), "module": record.name, "exc_info": record.exc_info}
        if record.__dict__.get(_COUNT, 1) > 1:
            event["count"] = record.__dict__[_COUNT]
        for step in _FILTER:
            event = dict(step(None, record.levelname.lower(), event))  # type: ignore[arg-type]
        return str(_output.renderer(None, record.levelname.lower(), event))


def template_of(record: logging.LogRecord) -> str:
    """The fixed part of a foreign message, before anything was filled in.

    One without arguments may have been put together by the library out of anybody's words, so it is not said at all.
    """
    return str(record.msg) if record.args and isinstance(record.msg, str) else "a library reports"


def _only_wanted(logger: _Sink, name: str, event: EventDict) -> EventDict:
    if not logger.wants(logging.getLevelNamesMapping()[name.upper()]):
        raise structlog.DropEvent
    return event


def _render(logger: object, name: str, event: EventDict) -> str:
    return str(_output.renderer(logger, name, event))


def only_known_keys(logger: object, name: str, event: EventDict) -> EventDict:
    """Drop every key that is not known."""
    return {key: value for key, value in event.items() if key in KNOWN}


def only_class_of_exception(logger: object, name: str, event: EventDict) -> EventDict:
    """Replace an exception by its class and the lines of code that it passed."""
    info = event.pop("exc_info", None)
    found = _info(info)
    if found is not None:
        event["error"] = found[0].__name__
        event["where"] = _where(found[2])
    return event


_FILTER: Final[tuple[Processor, ...]] = (
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    only_class_of_exception,
    only_known_keys,
)


def _info(info: object) -> ExcInfo | None:
    if info is True:
        info = sys.exc_info()
    if isinstance(info, BaseException):
        return type(info), info, info.__traceback__
    if isinstance(info, tuple) and len(info) == 3 and isinstance(info[1], BaseException):
        return type(info[1]), info[1], info[2]
    return None


def _where(trace: TracebackType | None) -> str:
    """The last lines of code that an exception passed, innermost last."""
    frames = traceback.extract_tb(trace)[-6:]
    return " > ".join(f"{frame.filename.rpartition('/')[2]}:{frame.lineno} {frame.name}" for frame in frames)
