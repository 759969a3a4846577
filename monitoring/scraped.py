"""From the /metrics of workers back to how each dataset stands: what they counted is added up."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from monitoring.drift_metrics import ERROR
from monitoring.figures import figures
from monitoring.metrics import samples
from schemas.drift import Baseline, Float64, Report, Totals

Lines = defaultdict[str, list[tuple[Mapping[str, str], float]]]  # by metric, in the page's order: labels and value


@dataclass(frozen=True)
class Fleet:
    """What workers say together."""

    horizon_seconds: float
    min_readings: int
    reports: Sequence[Report]  # by dataset and release


def add_up(pages: Iterable[str]) -> Fleet:
    """What these pages, of which there is one at least, say together; ValueError if one is no worker's /metrics."""
    alone: dict[str, float] = {}
    parts: defaultdict[tuple[str, str], list[Lines]] = defaultdict(list)
    for page in pages:
        for key, lines in _by_release(page, alone).items():
            parts[key].append(lines)
    min_readings = int(alone["tidewatch_drift_min_readings"])
    reports = [_together(*key, parts[key], min_readings) for key in sorted(parts)]
    return Fleet(alone["tidewatch_drift_horizon_seconds"], min_readings, reports)


def _by_release(page: str, alone: dict[str, float]) -> Mapping[tuple[str, str], Lines]:
    """A page's samples by dataset and release; what has no labels goes to `alone`."""
    parts: defaultdict[tuple[str, str], Lines] = defaultdict(lambda: defaultdict(list))
    for name, labels, value in samples(page):
        if not labels:
            alone[name] = value
        elif "release" in labels and name != "tidewatch_release_info":
            parts[labels["dataset"], labels["release"]][name].append((labels, value))
    if "tidewatch_drift_min_readings" not in alone:
        raise ValueError("it has no tidewatch_drift_min_readings")
    return parts


def _together(dataset: str, release: str, parts: Sequence[Lines], min_readings: int) -> Report:
    baseline = _baseline(parts[0])
    first, *others = (_totals(lines) for lines in parts)
    totals = sum(others, first)
    live = figures(baseline, totals, min_readings)
    if not parts[0]["tidewatch_drift_bin_values"]:  # too many to be told: the whole hardly drifts more than its parts
        live = replace(
            live, psi=_largest("feature_psi_live", baseline, parts), ks=_largest("feature_ks_live", baseline, parts)
        )
    return Report(dataset, release, baseline, totals, live)


def _baseline(lines: Lines) -> Baseline:
    features = tuple(labels["feature"] for labels, _ in lines["feature_mean_ref"])
    first = [labels["bin"] == "1" for labels, _ in lines["tidewatch_drift_bin_share_ref"]]
    return Baseline(
        features,
        mean=_column(lines, "feature_mean_ref"),
        std=_column(lines, "feature_std_ref"),
        missing_share=_column(lines, "feature_missing_share_ref"),
        shares=_column(lines, "tidewatch_drift_bin_share_ref") if first else np.ones(len(features)),
        starts=np.flatnonzero(first) if first else np.arange(len(features)),
        error_median=_column(lines, "error_median_ref").item(),
        error_p95=_column(lines, "error_p95_ref").item(),
        anomaly_rate=_column(lines, "anomaly_rate_ref").item(),
    )


def _totals(lines: Lines) -> Totals:
    values = _column(lines, "tidewatch_drift_values").astype(np.int64)
    bins = _column(lines, "tidewatch_drift_bin_values").astype(np.int64)
    return Totals(
        readings=int(_column(lines, "tidewatch_drift_readings").item()),
        values=values,
        deviation=_column(lines, "tidewatch_drift_deviation"),
        squared_deviation=_column(lines, "tidewatch_drift_squared_deviation"),
        bins=bins if len(bins) else values,
        windows=int(_column(lines, "tidewatch_drift_windows").item()),
        anomalous=int(_column(lines, "tidewatch_drift_anomalous_windows").item()),
        flagged=int(_column(lines, "tidewatch_drift_flagged_windows").item()),
        errors=np.diff(_column(lines, f"{ERROR}_bucket"), prepend=0).astype(np.int64),
        error_sum=_column(lines, f"{ERROR}_sum").item(),
    )


def _column(lines: Lines, name: str) -> Float64:
    return np.array([value for _, value in lines[name]])


def _largest(name: str, baseline: Baseline, parts: Sequence[Lines]) -> Float64:
    """The largest of what the workers have of each feature; NaN where none has anything."""
    found = dict.fromkeys(baseline.features, float("nan"))
    for lines in parts:
        for labels, value in lines[name]:
            found[labels["feature"]] = np.fmax(found[labels["feature"]], value)
    return np.array(list(found.values()))
