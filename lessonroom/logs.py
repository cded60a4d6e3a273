"""Structured logs without a word of a user's content.

Only keys that stand in :data:`KNOWN` are written, and of an exception only its class and where it was raised: texts of
foreign exceptions may quote what a user said. Events are fixed sentences in the code (a test looks). Foreign libraries
are heard from ``warning`` on, through the same processors, without their arguments.
"""

from __future__ import annotations

import logging
import sys
import traceback
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

ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None]


def setup(*, level: str = "info", as_json: bool = False, stream: TextIO | None = None) -> None:
    """Send all logs of the process to ``stream`` (stderr). ``level``: of our own logs."""
    out = stream or sys.stderr
    shared: list[Processor] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        only_class_of_exception,
        only_known_keys,
    ]
    last: Processor = (
        structlog.processors.JSONRenderer() if as_json else structlog.dev.ConsoleRenderer(colors=out.isatty())
    )
    structlog.configure(
        processors=[*shared, last],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(out),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[foreign_without_arguments, *shared],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, last],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)


def get(name: str) -> Any:
    """A logger for a module. Say a fixed sentence and known keys: ``log.info("room loaded", room=id)``."""
    return structlog.get_logger(module=name)


def only_known_keys(logger: object, name: str, event: EventDict) -> EventDict:
    """Drop every key that is not known; ``_record`` and its like belong to structlog."""
    return {key: value for key, value in event.items() if key in KNOWN or key.startswith("_")}


def only_class_of_exception(logger: object, name: str, event: EventDict) -> EventDict:
    """Replace an exception by its class and the lines of code that it passed."""
    info = event.pop("exc_info", None)
    found = _info(info)
    if found is not None:
        event["error"] = found[0].__name__
        event["where"] = _where(found[2])
    return event


def foreign_without_arguments(logger: object, name: str, event: EventDict) -> EventDict:
    """Say what a foreign library said without what it filled in, which may be anybody's words."""
    record = event.get("_record")
    if isinstance(record, logging.LogRecord):
        event["event"] = str(record.msg) if record.args or "%" in str(record.msg) else "a library reports"
        event["module"] = record.name
        if record.exc_info:
            event["exc_info"] = record.exc_info
    return event


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
