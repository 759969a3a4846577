"""What the admin tells Prometheus: of the readings that it scores what a worker tells, and how predictions fare."""

from __future__ import annotations

from collections.abc import Mapping

from monitoring import metrics
from monitoring.metrics import CollectorRegistry, Described, Metrics

COUNTERS: Described = {
    "predictions": ("Predictions that were answered with scores.", ()),
    **{name: metrics.COUNTERS[name] for name in metrics.SHARED},
}
GAUGES: Described = {"release_info": metrics.GAUGES["release_info"]}
HISTOGRAMS: Mapping[str, str] = {"prediction_seconds": "Time from a prediction's last byte until its answer is there."}


class AdminMetrics(Metrics):
    """The admin's."""

    def __init__(self, registry: CollectorRegistry) -> None:
        super().__init__(registry, COUNTERS, GAUGES, HISTOGRAMS)

    def observe_prediction(self, seconds: float) -> None:
        """A prediction was answered after so long."""
        self._add("predictions", 1)
        self._histograms["prediction_seconds"].observe(seconds)

    def exposition(self, releases: Mapping[str, str]) -> bytes:
        """The text of /metrics; `releases` are those in service by dataset."""
        return self._text(releases)
