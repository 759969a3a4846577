"""Logging of the processes that run on: one line an event, as text or JSON, and no storms while a broker is away."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from time import monotonic
from typing import Any

QUIET = ("aiohttp", "aiokafka", "asyncio", "faust", "kafka", "mode")  # libraries: their warnings, and not one by one
REPEAT_SECONDS = 30.0
RETRIED = "Group Coordinator Request failed"  # aiokafka tries again at once; a fresh broker has none for a moment
PATIENCE_SECONDS = 5.0  # after which that is news
SELDOM_SECONDS = 60.0
MOST_EVENTS = 1000  # that are remembered

Event = tuple[str, int, str]  # logger, level, message without its arguments


class TextLines(logging.Formatter):
    """`time level message`, for people; an exception is its last line and place."""

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        time = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").removesuffix("+00:00")
        return f"{time}Z {record.levelname.lower():<8} {_message(record)}{_exception(record)}"


class JsonLines(logging.Formatter):
    """One JSON object a line, for machines; an exception comes with its whole traceback."""

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        entry = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": _message(record),
        }
        if record.exc_info:
            entry["exception"] = self.formatException(record.exc_info)
        return json.dumps(entry, ensure_ascii=False)


class NoStorms(logging.Filter):
    """Lets a library's message through once in half a minute, and says then how often it came.

    What is tried again at once, and usually goes well then, has to go on for some seconds to be heard at all.
    """

    def __init__(self) -> None:
        super().__init__()
        self._last: dict[Event, float] = {}
        self._held: dict[Event, int] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """False for a repetition."""
        if record.name.split(".")[0] not in QUIET:
            return True
        event, now = (record.name, record.levelno, str(record.msg)[:80]), monotonic()
        if event not in self._last and event[2].startswith(RETRIED):
            self._last[event] = now - REPEAT_SECONDS + PATIENCE_SECONDS
        if now - self._last.get(event, -REPEAT_SECONDS) < REPEAT_SECONDS:
            self._held[event] = self._held.get(event, 0) + 1
            return False
        self._last[event] = now
        if len(self._last) > MOST_EVENTS:
            self._forget(now)
        if held := self._held.pop(event, 0):
            record.msg, record.args = f"{record.getMessage()} (and {held} times more before)", ()
        return True

    def _forget(self, now: float) -> None:
        """Forget what would pass by now; if all is new, all: rather a repetition than a leak."""
        self._last = {event: at for event, at in self._last.items() if now - at < REPEAT_SECONDS}
        if len(self._last) > MOST_EVENTS:
            self._last.clear()
        self._held = {event: held for event, held in self._held.items() if event in self._last}


class Seldom:
    """Says a thing of its own at most once a minute, with how often it came."""

    def __init__(self) -> None:
        self._said = -SELDOM_SECONDS
        self._count = 0

    def due(self, count: int = 1) -> int:
        """The number since it was last said, if it is to be said now; else 0."""
        self._count += count
        if monotonic() - self._said < SELDOM_SECONDS:
            return 0
        self._said, count, self._count = monotonic(), self._count, 0
        return count


def configuration(form: str, level: str) -> Mapping[str, Any]:
    """For `logging.config.dictConfig`: to standard error, `form` is "text" or "json"."""
    libraries = {name: {"level": "DEBUG" if level == "debug" else "WARNING"} for name in QUIET}
    formatter = {"text": TextLines, "json": JsonLines}[form]
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"lines": {"()": formatter}},
        "filters": {"no_storms": {"()": NoStorms}},
        "handlers": {
            "stderr": {"class": "logging.StreamHandler", "formatter": "lines", "filters": ["no_storms"]},
        },
        "loggers": libraries,
        "root": {"level": level.upper(), "handlers": ["stderr"]},
    }


def _message(record: logging.LogRecord) -> str:
    return " ".join(record.getMessage().split())


def _exception(record: logging.LogRecord) -> str:
    if not record.exc_info or record.exc_info[1] is None:
        return ""
    error, trace = record.exc_info[1], record.exc_info[2]
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = "" if trace is None else f" at {trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}"
    return f" [{type(error).__name__}: {' '.join(str(error).split())}{place}]"
