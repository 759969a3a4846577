"""Times, faults and news as a person would say them."""

from __future__ import annotations

from datetime import UTC, datetime

from stream_app.demo.board import Event, News
from stream_app.demo.faults import Fault
from stream_app.demo.summary import Verdict

SECOND = 1_000_000  # microseconds
UNITS = (("d", 86_400, 2), ("h", 3600, 2), ("min", 60, 1))  # seconds in each, and the least it is used for


def clock(time: int) -> str:
    """The plant's time of day, with seconds only where there are some."""
    moment = datetime.fromtimestamp(time // SECOND, UTC)
    return moment.strftime("%a %H:%M:%S" if moment.second else "%a %H:%M")


def spoken(microseconds: float) -> str:
    """How long after: a span of the plant's time in its best unit, to a person's precision."""
    if not microseconds:
        return "at once"
    seconds = microseconds / SECOND
    unit, size = next(((unit, size) for unit, size, least in UNITS if seconds >= least * size), ("s", 1))
    amount = seconds / size
    return f"after {amount:.0f} {unit}" if amount >= 10 or amount == round(amount) else f"after {amount:.1f} {unit}"


def called(fault: Fault) -> str:
    """A fault by its kind, and the sensor where that is known."""
    return f"{fault.kind}: {fault.feature}" if fault.feature else fault.kind


def told(event: Event) -> str:
    """One line of news, without its kind: when, where, what."""
    return f"{clock(event.time)}  {event.series}  {what(event)}"


def what(event: Event) -> str:
    """What happened."""
    match event:
        case Event(News.FOUND, fault=Fault() as fault, verdict=Verdict() as verdict):
            soon = spoken(verdict.time - fault.start)
            return f"{called(fault)}, {soon}{blame(verdict)}"
        case Event(News.MISSED, fault=Fault() as fault):
            return f"{called(fault)}, since {clock(fault.start)}"
        case Event(News.FALSE, verdict=Verdict() as verdict):
            return f"nothing was wrong{blame(verdict)}"
        case Event(verdict=Verdict() as verdict):
            return f"{verdict.score:.1f} times the threshold{blame(verdict)}"
    return ""


def blame(verdict: Verdict) -> str:
    """The sensor that a flag blames most."""
    return f"; blames {verdict.blamed[0]}" if verdict.blamed else ""
