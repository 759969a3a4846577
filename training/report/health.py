"""The data's health: what was read, and which of it may mislead."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from schemas.reference import FeatureReference, Histogram
from training.report.findings import Findings
from training.report.words import count, duration, listed, number, percent

MUCH_MISSING = 0.05


@dataclass(frozen=True)
class Feature:
    """One feature over the train part."""

    name: str
    mean: str
    std: str
    missing: str
    remark: str
    bars: list[float]  # the histogram's counts over the highest


def facts(findings: Findings) -> list[tuple[str, str]]:
    """What was read, as pairs of a name and a figure."""
    about, window = findings.ingestion, findings.window
    parts = ", ".join(f"{part} {number(windows)}" for part, windows in window["windows"].items())
    return [
        ("readings", number(about["rows"])),
        ("series", _series(about)),
        ("features", number(len(about["features"]))),
        ("time", f"{about['time_range'][0]} to {about['time_range'][1]} ({about['time_form'] or _column(about)})"),
        ("interval", f"{duration(window['interval_us'])} in the middle of the train part"),
        ("windows", f"of {window['size']} readings: {parts}"),
        ("labels", _labels(about)),
    ]


def features(findings: Findings) -> list[Feature]:
    """Every feature, those with a remark first."""
    rows = [_feature(name, each) for name, each in findings.meta.reference.features.items()]
    return sorted(rows, key=lambda row: not row.remark)


def remarks(findings: Findings) -> Iterator[str]:
    """What a reader should know of the data before anything else."""
    yield from findings.ingestion["notes"]
    reference = findings.meta.reference.features
    constant = [name for name, each in reference.items() if each.std == 0]
    sparse = [name for name, each in reference.items() if each.missing_share > MUCH_MISSING]
    if constant:
        yield f"Constant in the train part, so that any change there will stand out: {listed(constant)}."
    if sparse:
        yield f"More than {percent(MUCH_MISSING)} missing in the train part: {listed(sparse)}."


def _feature(name: str, each: FeatureReference) -> Feature:
    remark = "constant" if each.std == 0 else "much missing" if each.missing_share > MUCH_MISSING else ""
    return Feature(
        name, number(each.mean), number(each.std), percent(each.missing_share), remark, _bars(each.histogram)
    )


def _bars(histogram: Histogram) -> list[float]:
    highest = max([*histogram.counts, 1])
    return [amount / highest for amount in histogram.counts]


def _series(about: dict[str, Any]) -> str:
    names = about["series"]
    return f"{len(names):,}: {listed(names)}"


def _column(about: dict[str, Any]) -> str:
    return f"column '{about['time_column']}'" if about["time_column"] else "row numbers"


def _labels(about: dict[str, Any]) -> str:
    if not about["label_column"]:
        return "none"
    return f"column '{about['label_column']}', in {count(sum(about['labelled']), 'series', 'series')}"
