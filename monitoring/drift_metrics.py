"""The drift of each dataset as Prometheus reads it, reference beside live.

Written out here, since the client's way takes nine times as long for each sample, and there are thousands. A live
figure that too few readings stand behind is left out; what adds up over workers is always there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from schemas.drift import Float64, Index, Report
from schemas.reference import ERROR_EDGES

Figure = float | Float64 | Index


@dataclass(frozen=True)
class Told:
    """A gauge: what it says, and where a report has it, for the dataset, each feature or each bin."""

    help: str
    of: Callable[[Report], Figure]


OF_FEATURES = {
    "feature_mean_ref": Told("Mean of the feature in training.", lambda r: r.baseline.mean),
    "feature_mean_live": Told("Mean of the feature within the horizon.", lambda r: r.live.mean),
    "feature_std_ref": Told("Standard deviation of the feature in training.", lambda r: r.baseline.std),
    "feature_std_live": Told("Standard deviation of the feature within the horizon.", lambda r: r.live.std),
    "feature_missing_share_ref": Told(
        "Share of readings in training without a value of the feature.", lambda r: r.baseline.missing_share
    ),
    "feature_missing_share_live": Told(
        "Share of readings within the horizon without a value of the feature.", lambda r: r.live.missing_share
    ),
    "feature_psi_live": Told(
        "Population stability index of the feature: within the horizon against training.", lambda r: r.live.psi
    ),
    "feature_ks_live": Told(
        "Kolmogorov-Smirnov distance of the feature: within the horizon against training.", lambda r: r.live.ks
    ),
    "tidewatch_drift_values": Told(
        "Readings within the horizon that have a value of the feature.", lambda r: r.totals.values
    ),
    "tidewatch_drift_deviation": Told(
        "Sum over the horizon of the feature's distances from its mean in training.", lambda r: r.totals.deviation
    ),
    "tidewatch_drift_squared_deviation": Told(
        "Sum over the horizon of the squares of the feature's distances from its mean in training.",
        lambda r: r.totals.squared_deviation,
    ),
}

OF_BINS = {
    "tidewatch_drift_bin_values": Told("Values within the horizon in a bin of the feature.", lambda r: r.totals.bins),
    "tidewatch_drift_bin_share_ref": Told(
        "Share of the feature's values in training in the bin, with half a value added to each bin.",
        lambda r: r.baseline.shares,
    ),
}

OF_DATASETS = {
    "feature_global_mean_ref": Told("Mean over features of their means in training.", lambda r: r.baseline.mean.mean()),
    "feature_global_mean_live": Told(
        "Mean over features of their means within the horizon; of one with too few values, in training.",
        lambda r: r.live.global_mean,
    ),
    "error_median_ref": Told("Median of the windows' errors in calibration.", lambda r: r.baseline.error_median),
    "error_median_live": Told("Median of the windows' errors within the horizon.", lambda r: r.live.error_median),
    "error_p95_ref": Told("95th percentile of the windows' errors in calibration.", lambda r: r.baseline.error_p95),
    "error_p95_live": Told("95th percentile of the windows' errors within the horizon.", lambda r: r.live.error_p95),
    "anomaly_rate_ref": Told(
        "Share of windows in calibration over the release's own threshold.", lambda r: r.baseline.anomaly_rate
    ),
    "anomaly_rate_live": Told(
        "Share of windows within the horizon over the release's own threshold.", lambda r: r.live.anomaly_rate
    ),
    "flag_rate_live": Told(
        "Share of windows within the horizon that were flagged, by the threshold that adapts.",
        lambda r: r.live.flag_rate,
    ),
    "tidewatch_drift_readings": Told("Readings within the horizon.", lambda r: r.totals.readings),
    "tidewatch_drift_windows": Told("Windows scored within the horizon.", lambda r: r.totals.windows),
    "tidewatch_drift_anomalous_windows": Told(
        "Windows within the horizon over the release's own threshold.", lambda r: r.totals.anomalous
    ),
    "tidewatch_drift_flagged_windows": Told(
        "Windows within the horizon that were flagged.", lambda r: r.totals.flagged
    ),
}

ERROR = "tidewatch_drift_error"
ERROR_HELP = "Windows by mean squared error, within the horizon: it falls too, so take it as it is, without a rate."

SETTINGS = {
    "tidewatch_drift_horizon_seconds": "How far the horizon reaches back (drift.horizon_seconds).",
    "tidewatch_drift_min_readings": "So many readings must be behind a live figure (drift.min_readings).",
}


def exposition(reports: Sequence[Report], horizon_seconds: float, min_readings: int, binned_features_cap: int) -> bytes:
    """The text of all of them. Of a dataset with more features than that the bins are left out."""
    binned = [report for report in reports if len(report.baseline.features) <= binned_features_cap]
    lines: list[str] = []
    for name, value in zip(SETTINGS, (horizon_seconds, min_readings), strict=True):
        lines += [*_head(name, SETTINGS[name]), f"{name} {value}"]
    lines += _gauges(OF_DATASETS, _dataset, reports)
    lines += _gauges(OF_FEATURES, _features, reports)
    lines += _gauges(OF_BINS, _bins, binned)
    lines += _head(ERROR, ERROR_HELP, "histogram")
    for report in reports:
        lines += _histogram(report)
    return ("\n".join(lines) + "\n").encode()


def _gauges(
    gauges: Mapping[str, Told], labels: Callable[[Report], Iterable[str]], reports: Sequence[Report]
) -> Iterator[str]:
    for name, gauge in gauges.items():
        yield from _head(name, gauge.help)
        for report in reports:
            yield from _samples(name, labels(report), gauge.of(report))


def _head(name: str, text: str, kind: str = "gauge") -> list[str]:
    return [f"# HELP {name} {text}", f"# TYPE {name} {kind}"]


def _samples(name: str, labels: Iterable[str], figures: Figure) -> Iterator[str]:
    """A line for each figure that is known."""
    for label, figure in zip(labels, np.atleast_1d(figures).tolist(), strict=True):
        if figure == figure:  # else there are too few readings
            yield f"{name}{{{label}}} {figure}"


def _histogram(report: Report) -> Iterator[str]:
    (label,), totals = _dataset(report), report.totals
    for bound, count in zip((*ERROR_EDGES, "+Inf"), np.cumsum(totals.errors).tolist(), strict=True):
        yield f'{ERROR}_bucket{{{label},le="{bound}"}} {count}'
    yield f"{ERROR}_count{{{label}}} {totals.windows}"
    yield f"{ERROR}_sum{{{label}}} {totals.error_sum}"


def _dataset(report: Report) -> tuple[str]:
    return (_whole(report.dataset, report.release),)


def _features(report: Report) -> tuple[str, ...]:
    return _each(report.dataset, report.release, report.baseline.features)


def _bins(report: Report) -> Iterator[str]:
    baseline = report.baseline
    sizes = np.diff(baseline.starts, append=len(baseline.shares)).tolist()
    for feature, size in zip(_features(report), sizes, strict=True):
        for number in range(1, size + 1):
            yield f'{feature},bin="{number}"'


def _whole(dataset: str, release: str) -> str:
    return f'dataset="{_escaped(dataset)}",release="{_escaped(release)}"'


@lru_cache(maxsize=128)
def _each(dataset: str, release: str, features: tuple[str, ...]) -> tuple[str, ...]:
    whole = _whole(dataset, release)
    return tuple(f'{whole},feature="{_escaped(feature)}"' for feature in features)


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
