"""Where a worker's time goes: laps by stage, and the networks' own time out of a score."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, fields, replace
from time import perf_counter

from models.detector import Detector
from models.ensemble import Ensemble, Float32, Float64


class Stopwatch:
    """Seconds by stage."""

    def __init__(self) -> None:
        self.laps: defaultdict[str, float] = defaultdict(float)
        self._since = perf_counter()

    def lap(self, stage: str) -> None:
        """Put the time since the last lap down to a stage."""
        now = perf_counter()
        self.laps[stage] += now - self._since
        self._since = now

    def shift(self, source: str, stage: str, seconds: float) -> None:
        """Put part of a stage's time down to another one."""
        self.laps[source] -= seconds
        self.laps[stage] += seconds


class ModelClock:
    """The seconds that networks have taken, of all detectors that are timed by it."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def time(self, detector: Detector) -> Detector:
        """The same detector, with its networks timed."""
        parts = {part.name: getattr(detector.ensemble, part.name) for part in fields(detector.ensemble)}
        return replace(detector, ensemble=_Timed(**parts, clock=self))


@dataclass(frozen=True, eq=False)
class _Timed(Ensemble):
    clock: ModelClock

    def examine(self, windows: Float32) -> tuple[Float32, Float64]:
        """As every ensemble does."""
        started = perf_counter()
        examined = super().examine(windows)
        self.clock.seconds += perf_counter() - started
        return examined
