"""Drift as a worker keeps it: it hears of a chunk when that is confirmed, counts in the scoring thread, and tells."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from time import thread_time, time
from typing import TYPE_CHECKING, Protocol

from models.detector import Detector
from monitoring import drift_metrics
from monitoring.drift import Drift
from monitoring.horizon import Span
from monitoring.metrics import Metrics
from schemas.drift import Sample

if TYPE_CHECKING:
    from config.settings import DriftSettings


class Loaded(Protocol):
    """The detectors in service."""

    @property
    def detectors(self) -> Sequence[Detector]:
        """Those that are loaded."""


class DriftWatch:
    """What is not confirmed is not counted: its readings are read again, here or elsewhere."""

    def __init__(self, settings: DriftSettings, cap: int, loaded: Loaded, metrics: Metrics) -> None:
        """At most `cap` datasets are watched."""
        pane_us = max(1, round(settings.horizon_seconds * 1e6 / settings.panes))
        self._settings = settings
        self._drift = Drift(Span(pane_us, settings.panes), settings.min_readings, cap)
        self._loaded = loaded
        self._metrics = metrics
        self._confirmed: deque[tuple[Detector, Sample]] = deque()

    def confirmed(self, seen: Iterable[tuple[Detector, Sample]]) -> None:
        """All flags of these readings are on the topic; from any thread."""
        self._confirmed.extend(seen)

    # -- in the scoring thread

    def take_in(self) -> None:
        """Count what was confirmed."""
        started, now = thread_time(), int(time() * 1e6)
        while self._confirmed:
            self._drift.observe(*self._confirmed.popleft(), now)
        self._metrics.observe_drift(thread_time() - started)

    def exposition(self) -> bytes:
        """The part of /metrics that is about drift."""
        self.take_in()
        settings, reports = self._settings, self._drift.reports(self._loaded.detectors, int(time() * 1e6))
        return drift_metrics.exposition(
            reports, settings.horizon_seconds, settings.min_readings, settings.binned_features_cap
        )
