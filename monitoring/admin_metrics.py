"""What the admin tells Prometheus: of the readings that it scores what a worker tells, and how predictions fare."""

from __future__ import annotations

from collections.abc import Mapping

from monitoring import metrics
from monitoring.metrics import CollectorRegistry, Described, Metrics

COUNTERS: Described = {
    "predictions": ("Predictions that were answered with scores.", ()),
    "predictions_refused": ("Predictions refused with 429, since too many waited or their bodies were too large.", ()),
    **{name: metrics.COUNTERS[name] for name in metrics.SHARED},
}
GAUGES: Described = {
    "predictions_waiting": ("Predictions that come, wait, or are worked on.", ()),
    "predictions_waiting_bytes": ("Bytes of their bodies.", ()),
    "release_info": metrics.GAUGES["release_info"],
}
HISTOGRAMS: Mapping[str, str] = {"prediction_seconds": "Time from a prediction's last byte until its answer is there."}


class AdminMetrics(Metrics):
    """The admin's."""

    def __init__(self, registry: CollectorRegistry) -> None:
        super().__init__(registry, COUNTERS, GAUGES, HISTOGRAMS)

    def observe_prediction(self, seconds: float) -> None:
        """A prediction was answered after so long."""
        self._add("predictions", 1)
        self._histograms["prediction_seconds"].observe(seconds)

    def observe_refused_prediction(self) -> None:
        """A prediction was refused for want of room."""
        self._add("predictions_refused", 1)

    def exposition(self, releases: Mapping[str, str], predictions: int, size: int) -> bytes:
        """The text of /metrics: releases in service by dataset, predictions of now, and the size of their bodies."""
        self._gauges["predictions_waiting"].set(predictions)
        self._gauges["predictions_waiting_bytes"].set(size)
        return self._text(releases)
