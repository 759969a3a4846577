"""What the page shows of a dataset: its standing in a word, and its drift by feature."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from monitoring.signs import signs
from schemas.admin import Dataset
from schemas.drift import Report
from stream_app.admin.drifting import Drifting
from stream_app.drift_view import BAR_FULL, MUCH, SOME, by_drift, distances


@dataclass(frozen=True)
class FeatureDrift:
    """A feature, live beside its training; None where too few readings say nothing."""

    name: str
    usual: float
    live: float | None
    stds: float | None  # how far the mean has moved; None too if it never changed in training
    level: str  # none, some, much, or unknown
    bar: float  # the same, 0 to 1
    spread: float | None  # times that of training
    missing: float | None


@dataclass(frozen=True)
class DriftSeen:
    """How the readings of a dataset stand against the release that serves it."""

    readings: int
    windows: int
    flag_rate: float | None
    error_median: tuple[float | None, float]  # live and usual
    features: Sequence[FeatureDrift]
    signs: Sequence[str]

    @property
    def known(self) -> bool:
        """Whether there are enough readings to say anything."""
        return self.flag_rate is not None


def drift_seen(dataset: Dataset, drifting: Drifting) -> DriftSeen | None:
    """A dataset's drift; None if nobody has scored anything by the release in service."""
    report = drifting.reports.get((dataset.name, dataset.champion or ""))
    if report is None:
        return None
    return DriftSeen(
        readings=report.totals.readings,
        windows=report.totals.windows,
        flag_rate=_known(report.live.flag_rate),
        error_median=(_known(report.live.error_median), report.baseline.error_median),
        features=_features(report),
        signs=signs(report),
    )


def standing(dataset: Dataset) -> tuple[str, str]:
    """Where a dataset stands, as a kind (for its colour) and in words."""
    job = dataset.newest_job
    if job is not None and job.state == "running":
        return "busy", f"training, {job.progress:.0%}"
    if job is not None and job.state == "queued":
        return "busy", "training waits"
    if job is not None and job.state == "failed":
        return "bad", "last training failed"
    if dataset.problem:
        return "bad", "can not serve"
    return ("good", "in service") if dataset.champion else ("none", "nothing in service")


def _features(report: Report) -> list[FeatureDrift]:
    base, live, far = report.baseline, report.live, distances(report)
    return [
        FeatureDrift(
            name=base.features[f],
            usual=float(base.mean[f]),
            live=_known(live.mean[f]),
            stds=_known((live.mean[f] - base.mean[f]) / base.std[f]) if base.std[f] else None,
            level=_level(far[f]),
            bar=0.0 if math.isnan(far[f]) else min(float(far[f]) / BAR_FULL, 1.0),
            spread=_known(live.std[f] / base.std[f]) if base.std[f] else None,
            missing=_known(live.missing_share[f]),
        )
        for f in by_drift(report)
    ]


def _level(distance: float) -> str:
    if math.isnan(distance):
        return "unknown"
    return "none" if distance < SOME else "some" if distance < MUCH else "much"


def _known(figure: float) -> float | None:
    return None if math.isnan(figure) else float(figure)
