"""Fleets of workers as Prometheus would scrape them, for promtool: what is normal, and what each alert is for."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import inf

N = 1000  # readings and windows within the horizon
Series = dict[str, str]  # a series and its values, in promtool's notation
Windows = dict[float, int]  # how many by the upper edge of their error

USUAL: Windows = {0.1: 400, 0.5: 550, 1.0: 50}  # the median is 0.17, the 95th percentile 0.5


@dataclass(frozen=True)
class Feature:
    """One feature at one worker: what training saw, and what is live."""

    mean: float = 0.0
    std: float = 1.0
    mean_ref: float = 0.0
    std_ref: float = 1.0
    readings: int = N
    values: int | None = None  # all readings have one
    bins: tuple[int, ...] = (500, 500)  # of which training had half each
    name: str = "temp"
    dataset: str = "pumps"
    release: str = "r1"

    def series(self, instance: str) -> Series:
        """As it is on that worker's /metrics, all the time."""
        values = self.readings if self.values is None else self.values
        away = self.mean - self.mean_ref
        labels = f'dataset="{self.dataset}",release="{self.release}",feature="{self.name}",instance="{instance}"'
        figures = {
            "feature_mean_ref": self.mean_ref,
            "feature_std_ref": self.std_ref,
            "feature_missing_share_ref": 0.0,
            "tidewatch_drift_values": values,
            "tidewatch_drift_deviation": values * away,
            "tidewatch_drift_squared_deviation": values * (self.std**2 + away**2),
        }
        bins = {
            f'tidewatch_drift_bin_{what}{{{labels},bin="{number}"}}': value
            for number, count in enumerate(self.bins, 1)
            for what, value in (("values", count), ("share_ref", 0.5))
        }
        return constant({f"{name}{{{labels}}}": value for name, value in figures.items()} | bins)


@dataclass(frozen=True)
class Dataset:
    """One dataset at one worker: its windows, and how they scored."""

    errors: Mapping[float, int] = field(default_factory=lambda: USUAL)
    median_ref: float = 0.2
    p95_ref: float = 0.5
    anomalous: int = 10
    rate_ref: float = 0.01
    readings: int = N
    per_minute: float = 60.0
    name: str = "pumps"
    release: str = "r1"

    def series(self, instance: str) -> Series:
        """As it is on that worker's /metrics, all the time."""
        labels = f'dataset="{self.name}",release="{self.release}",instance="{instance}"'
        edges = [0.01, 0.1, 0.5, 1.0, 5.0, inf]
        buckets = {
            f'tidewatch_drift_error_bucket{{{labels},le="{"+Inf" if edge == inf else edge}"}}': sum(
                count for error, count in self.errors.items() if error <= edge
            )
            for edge in edges
        }
        figures = {
            "tidewatch_drift_readings": self.readings,
            "tidewatch_drift_windows": sum(self.errors.values()),
            "tidewatch_drift_anomalous_windows": self.anomalous,
            "error_median_ref": self.median_ref,
            "error_p95_ref": self.p95_ref,
            "anomaly_rate_ref": self.rate_ref,
        }
        counted = {f'tidewatch_readings_total{{dataset="{self.name}",instance="{instance}"}}': counter(self.per_minute)}
        return constant({f"{name}{{{labels}}}": value for name, value in figures.items()} | buckets) | counted


def worker(instance: str = "w1", **other: str) -> Series:
    """A worker that is well; `other` says otherwise, by the metric's name."""
    labels = f'instance="{instance}",job="tidewatch"'
    usual = {
        "up": "1",
        "tidewatch_ready": "1",
        "tidewatch_last_commit_age_seconds": "2",
        "tidewatch_drift_min_readings": "100",
    }
    of_topic = {"tidewatch_records_total": counter(60), "tidewatch_commit_lag_records": "20"}
    named = {f"{name}{{{labels}}}": always(other.get(name, value)) for name, value in usual.items()}
    topical = {
        f'{name}{{{labels},topic="readings"}}': other.get(name, always(value)) for name, value in of_topic.items()
    }
    return named | topical


def fleet(*parts: Feature | Dataset, instance: str = "w1", **other: str) -> Series:
    """One worker with what it has; a usual dataset with a usual feature where nothing is said."""
    given = {type(part) for part in parts}
    whole = [*parts, *(kind() for kind in (Feature, Dataset) if kind not in given)]
    series = worker(instance, **other)
    for part in whole:
        series |= part.series(instance)
    return series


def counter(per_minute: float) -> str:
    """A counter that rises."""
    return f"0+{per_minute:g}x2000"


def always(value: str) -> str:
    """One value, all the time; a value that changes is left as it is."""
    return value if "x" in value or " " in value else f"{value}+0x2000"


def constant(figures: Mapping[str, float]) -> Series:
    """One value each, all the time."""
    return {name: f"{value!r}+0x2000" for name, value in figures.items()}


def after(minutes: int, usual: float, then: float) -> str:
    """A value, and from some minute on another."""
    return f"{usual!r}+0x{minutes - 1} {then!r}+0x2000"


def first(series: Series, matching: Callable[[str], bool], values: str) -> Series:
    """The same fleet with other values in some of its series."""
    return {name: values if matching(name) else value for name, value in series.items()}


def missed(series: Series, minute: int) -> Series:
    """The same, but that a scrape fails: nothing that stood still is known then."""
    return {
        name: re.sub(r"^(\S+)\+0x2000$", rf"\1+0x{minute - 1} stale \1+0x2000", values)
        for name, values in series.items()
    }


def together(*fleets: Series) -> Series:
    """Several workers."""
    return {name: value for one in fleets for name, value in one.items()}
