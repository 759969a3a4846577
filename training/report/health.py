"""The data's health: what was read, and which of it may mislead."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from schemas.reference import FeatureReference, Histogram
from training.health import PAUSE, Health
from training.report.findings import Findings
from training.report.words import count, duration, listed, moment, number, percent

MUCH_MISSING = 0.05


@dataclass(frozen=True)
class Feature:
    """One feature: its extremes over all readings, the rest over those before the test part."""

    name: str
    low: float | None
    mean: float
    high: float | None
    std: float
    missing_share: float
    remark: str
    bars: list[float]  # the histogram's counts over the highest


def facts(findings: Findings) -> Iterator[tuple[str, str]]:
    """What was read, as pairs of a name and a figure."""
    about, health, window = findings.ingestion, findings.health, findings.window
    missing = percent(health.missing_share) if health.missing_share else "none"
    yield "readings", f"{number(about['rows'])}, {missing} of their values are missing"
    yield "series", _series(about, health)
    yield "time", _time(about, health)
    yield "interval", _interval(health)
    if health.longest_pause is not None:
        pause = health.longest_pause
        yield (
            "pauses",
            f"{number(health.pauses)} longer than {PAUSE} intervals; the longest, {duration(pause.end - pause.start)}, "
            f"in series {pause.series} from {moment(pause.start)}",
        )
    parts = ", ".join(f"{part} {number(windows)}" for part, windows in window["windows"].items())
    yield "windows", f"of {window['size']} readings: {parts}"
    yield "labels", _labels(about, health)


def features(findings: Findings) -> list[Feature]:
    """Every feature, those with a remark first."""
    rows = [_feature(name, each, findings.health) for name, each in findings.meta.reference.features.items()]
    return sorted(rows, key=lambda row: not row.remark)


def remarks(findings: Findings) -> Iterator[str]:
    """What a reader should know of the data before anything else."""
    yield from findings.ingestion["notes"]
    reference = findings.meta.reference.features
    constant = [name for name, each in reference.items() if each.std == 0]
    sparse = [name for name, each in reference.items() if each.missing_share > MUCH_MISSING]
    if constant:
        yield f"Constant before the test part, so that any change there will stand out: {listed(constant)}."
    if sparse:
        yield f"More than {percent(MUCH_MISSING)} missing before the test part: {listed(sparse)}."


def _feature(name: str, each: FeatureReference, health: Health) -> Feature:
    remark = "constant" if each.std == 0 else "much missing" if each.missing_share > MUCH_MISSING else ""
    whole = health.features[name]
    bars = _bars(each.histogram)
    return Feature(name, whole.low, each.mean, whole.high, each.std, each.missing_share, remark, bars)


def _bars(histogram: Histogram) -> list[float]:
    highest = max([*histogram.counts, 1])
    return [amount / highest for amount in histogram.counts]


def _series(about: dict[str, Any], health: Health) -> str:
    least, median, most = health.rows_by_series
    spread = "" if least == most else f" ({least:,} to {most:,} readings each, {median:,} in the middle)"
    return f"{len(about['series']):,}: {listed(about['series'])}{spread}"


def _time(about: dict[str, Any], health: Health) -> str:
    if about["time_column"] is None:
        return f"rows {moment(health.start, True)} to {moment(health.end, True)}: there is no column of times"
    form = f", {about['time_form']}" if about["time_form"] else ""
    return f"{moment(health.start)} to {moment(health.end)} UTC, from column '{about['time_column']}'{form}"


def _interval(health: Health) -> str:
    if not health.unsteady_share:
        return f"{duration(health.interval_us)}, regular"
    return (
        f"{duration(health.interval_us)}; {percent(health.unsteady_share)} of steps are off that by more than a tenth "
        f"({duration(health.shortest_us)} to {duration(health.longest_us)})"
    )


def _labels(about: dict[str, Any], health: Health) -> str:
    labels = health.labels
    if labels is None:
        return "none"
    return (
        f"column '{about['label_column']}': {number(labels.anomalous)} of {count(labels.rows, 'reading')} are "
        f"anomalous, in {count(labels.events, 'event')}"
    )
