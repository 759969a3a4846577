"""Logs: one line an event, and no storms."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest

from stream_app.logs import JsonLines, NoStorms, TextLines, configuration


def record(message: str, *arguments: object, name: str = "stream_app.lane", error: Exception | None = None) -> Any:
    """A log record at level error."""
    trace = (type(error), error, error.__traceback__) if error else None
    made = logging.LogRecord(name, logging.ERROR, __file__, 1, message, arguments, trace)
    made.created = 1_700_000_000.25
    return made


def raised() -> Exception:
    """An error with a traceback and two lines of text."""
    try:
        raise ValueError("first line\nsecond line")
    except ValueError as error:
        return error


def test_text_is_one_line():
    """Whatever the message and the exception hold."""
    line = TextLines().format(record("two\nlines of %s", "text", error=raised()))
    assert line.startswith(
        "2023-11-14T22:13:20.250Z error    two lines of text [ValueError: first line second line at "
    )
    assert "\n" not in line


def test_json_is_one_object_a_line():
    """With the whole traceback inside."""
    line = JsonLines().format(record("wait %d s", 3, error=raised()))
    assert "\n" not in line
    entry = json.loads(line)
    assert (entry["time"], entry["level"], entry["logger"], entry["message"]) == (
        "2023-11-14T22:13:20.250+00:00",
        "error",
        "stream_app.lane",
        "wait 3 s",
    )
    assert "Traceback" in entry["exception"]


def test_a_library_that_repeats_itself_is_heard_once(monkeypatch: pytest.MonkeyPatch):
    """Then silence for half a minute, and then the number of times; what we say ourselves always passes."""
    clock = [0.0]
    monkeypatch.setattr("stream_app.logs.monotonic", lambda: clock[0])
    storms = NoStorms()
    passed = []
    for second in range(0, 61, 10):
        clock[0] = second
        one = record("no node %d", second, name="aiokafka.client")
        if storms.filter(one):
            passed.append((second, one.getMessage()))
        assert storms.filter(record("ours"))
    assert passed == [
        (0, "no node 0"),
        (30, "no node 30 (and 2 times more before)"),
        (60, "no node 60 (and 2 times more before)"),
    ]


def test_what_is_tried_again_at_once_is_heard_if_it_goes_on(monkeypatch: pytest.MonkeyPatch):
    """A fresh broker has no group coordinator for a moment: no news, unless it has none for five seconds."""
    clock = [100.0]
    monkeypatch.setattr("stream_app.logs.monotonic", lambda: clock[0])
    storms = NoStorms()
    passed = []
    for second in range(12):
        clock[0] = 100.0 + second
        one = record("Group Coordinator Request failed: %s", "error 15", name="aiokafka.consumer.group_coordinator")
        if storms.filter(one):
            passed.append((second, one.getMessage()))
    assert passed == [(5, "Group Coordinator Request failed: error 15 (and 5 times more before)")]


def test_what_is_remembered_of_libraries_is_bounded(monkeypatch: pytest.MonkeyPatch):
    """Messages that are all different would fill the memory otherwise."""
    monkeypatch.setattr("stream_app.logs.MOST_EVENTS", 10)
    storms = NoStorms()
    for number in range(100):
        for _ in range(2):
            storms.filter(record(f"no node {number}", name="aiokafka.client"))
    assert len(storms._last) <= 10
    assert len(storms._held) <= 10


def test_libraries_are_quiet_unless_debugging():
    """Their news are not the worker's."""
    assert configuration("text", "info")["loggers"]["aiokafka"]["level"] == "WARNING"
    assert configuration("json", "debug")["loggers"]["faust"]["level"] == "DEBUG"
    assert configuration("json", "warning")["root"]["level"] == "WARNING"
