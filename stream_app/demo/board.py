"""What the live view knows: how far each series is, its verdicts, and what just happened. Pure; `view.py` draws it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from stream_app.demo.faults import Fault
from stream_app.demo.scene import Scene, Stretch
from stream_app.demo.summary import Summary, Verdict, belongs, summarise

CELLS = 960  # as finely is a series' time divided for drawing


class News(Enum):
    """What can happen in the eyes of someone who knows the truth; without labels there are only flags."""

    FOUND = "found"
    MISSED = "missed"
    FALSE = "false alarm"
    FLAGGED = "flagged"


@dataclass(frozen=True)
class Event:
    """A line of news: at this reading's time, of this series; the verdict if one brought it, the fault if there is."""

    news: News
    series: str
    time: int
    verdict: Verdict | None = None
    fault: Fault | None = None


@dataclass
class Lane:
    """One series on the board, and its verdicts so far."""

    stretch: Stretch
    faults: tuple[Fault, ...]
    time: int | None = None  # of the newest reading that Kafka holds
    verdicts: list[Verdict] = field(default_factory=list)
    found: set[Fault] = field(default_factory=set)
    missed: set[Fault] = field(default_factory=set)
    last_false: int | None = None  # time of the newest flag that belongs to no fault
    peaks: NDArray[np.float64] = field(default_factory=lambda: np.full(CELLS, -np.inf))  # highest score in each cell

    def cell(self, time: int) -> int:
        """In which of `CELLS` equal parts of the series' time this one falls."""
        span = self.stretch.end + 1 - self.stretch.start
        return min(max((time - self.stretch.start) * CELLS // span, 0), CELLS - 1)

    def add(self, verdict: Verdict) -> None:
        """Keep the verdict on the next window."""
        self.verdicts.append(verdict)
        cell = self.cell(verdict.time)
        self.peaks[cell] = max(self.peaks[cell], verdict.score)

    def fault_at(self, time: int | None) -> Fault | None:
        """The fault that is going on, if any."""
        return next((each for each in self.faults if time is not None and each.start <= time <= each.end), None)

    @property
    def newest(self) -> Verdict | None:
        """The verdict on the newest window."""
        return self.verdicts[-1] if self.verdicts else None


class Board:
    """Takes readings and verdicts as they come off Kafka, and tells the news."""

    def __init__(self, scene: Scene, window: int) -> None:
        """`window` is a window's length in microseconds."""
        self.scene = scene
        self.window = window
        self.lanes = {
            each.series: Lane(each, tuple(fault for fault in scene.faults if fault.series == each.series))
            for each in scene.stretches
        }
        self.readings = 0
        self.events: list[Event] = []

    def read(self, series: str, time: int) -> None:
        """A reading is on its topic."""
        if lane := self.lanes.get(series):
            self.readings += 1
            lane.time = max(time, lane.time or time)

    def judge(self, verdict: Verdict) -> list[Event]:
        """A window was judged. What comes twice, or out of order, is passed over, as at-least-once delivery asks."""
        lane = self.lanes.get(verdict.series)
        if lane is None or (lane.newest and verdict.time <= lane.newest.time):
            return []
        lane.add(verdict)
        news = [*self._missed(lane, verdict.time), *(self._flagged(lane, verdict) if verdict.flagged else [])]
        self.events += news
        return news

    def finish(self) -> list[Event]:
        """Nothing more will come: what was not found by now is missed."""
        news = [event for lane in self.lanes.values() for event in self._missed(lane, None)]
        self.events += news
        return news

    @property
    def windows(self) -> int:
        """How many windows were judged."""
        return sum(len(lane.verdicts) for lane in self.lanes.values())

    @property
    def complete(self) -> bool:
        """Whether the last reading of every series was judged."""
        return all(lane.newest and lane.newest.time >= lane.stretch.end for lane in self.lanes.values())

    def summary(self) -> Summary:
        """The flags so far against the whole truth."""
        verdicts = (verdict for lane in self.lanes.values() for verdict in lane.verdicts)
        return summarise(self.scene.faults, verdicts, self.window, self.scene.series_days)

    def _missed(self, lane: Lane, now: int | None) -> Iterable[Event]:
        """Faults that no window can see any more, and none flagged."""
        for fault in lane.faults:
            over = now is None or now > fault.end + self.window
            if over and fault not in lane.found | lane.missed:
                lane.missed.add(fault)
                yield Event(News.MISSED, fault.series, fault.end, fault=fault)

    def _flagged(self, lane: Lane, verdict: Verdict) -> Iterable[Event]:
        """News only at the first flag of a fault, or of a false alarm."""
        own = [fault for fault in lane.faults if belongs(verdict, fault, self.window)]
        for fault in own:
            if fault not in lane.found:
                lane.found.add(fault)
                yield Event(News.FOUND, verdict.series, verdict.time, verdict, fault)
        if own:
            return
        if lane.last_false is None or verdict.time - lane.last_false > self.window:
            yield Event(News.FALSE if self.scene.labelled else News.FLAGGED, verdict.series, verdict.time, verdict)
        lane.last_false = verdict.time
