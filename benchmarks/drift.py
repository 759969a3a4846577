"""What live statistics cost: microseconds a reading, and milliseconds a look at them: `python -m benchmarks.drift`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import thread_time
from typing import Any, NamedTuple

import numpy as np

from benchmarks.worker import machine
from models.calibration import describe_errors, describe_features
from monitoring import drift_metrics
from monitoring.drift import Drift
from monitoring.horizon import Span
from schemas.drift import Sample
from schemas.reference import Reference

RESULTS = Path(__file__).parent / "results" / "drift.json"
SPAN = Span(60_000_000, 30)
NOW = 1_700_000_000_000_000  # microseconds UTC
READINGS, TURNS = 100_000, 7
CHUNKS, FEATURES = (50, 500, 4000), (1, 8, 40, 200)
RATE_US = 1000  # between readings


class Served(NamedTuple):
    """A release in service."""

    dataset: str
    release: str
    reference: Reference


def served(features: int, generator: np.random.Generator) -> Served:
    """A release trained on noise."""
    names = tuple(f"sensor_{number}" for number in range(features))
    columns = generator.normal(size=(features, 5000))
    return Served("pumps", "r1", Reference(describe_features(columns, names), describe_errors(np.ones(1)), 0.01))


def samples(features: int, chunk: int, generator: np.random.Generator) -> list[Sample]:
    """Chunks of readings, a window with each, one value of a thousand missing."""
    made = []
    for begin in range(0, READINGS, chunk):
        values = generator.normal(size=(chunk, features))
        values[generator.random(values.shape) < 0.001] = np.nan
        times = NOW + np.arange(begin, begin + chunk) * RATE_US
        anomalous, flagged = generator.random((2, chunk)) < 0.01
        made.append(Sample(values, times, generator.lognormal(size=chunk), anomalous, flagged, times))
    return made


def seconds(work: Callable[[], Any]) -> float:
    """CPU time of one call."""
    started = thread_time()
    work()
    return thread_time() - started


def observe(release: Served, seen: list[Sample]) -> Drift:
    """Count all of it, up to the last that waits."""
    drift, now = Drift(SPAN, 100, 1), NOW + READINGS * RATE_US
    for sample in seen:
        drift.observe(release, sample, now)
    drift.reports([release], now)
    return drift


def compare(features: int) -> dict[str, float]:
    """Medians of some turns."""
    generator = np.random.default_rng(0)
    release, told = served(features, generator), {}
    for chunk in CHUNKS:
        seen = samples(features, chunk, generator)
        spent = median(seconds(lambda seen=seen: observe(release, seen)) for _ in range(TURNS))  # type: ignore[misc]
        told[f"us_per_reading_in_chunks_of_{chunk}"] = round(spent / READINGS * 1e6, 3)
    drift = observe(release, seen)
    spent = median(seconds(lambda: look(drift, release)) for _ in range(TURNS))
    return {**told, "ms_per_scrape": round(spent * 1e3, 2), "lines_per_scrape": look(drift, release).count(b"\n")}


def look(drift: Drift, release: Served) -> bytes:
    """What a scrape asks for."""
    return drift_metrics.exposition(drift.reports([release], NOW), 1800, 100, 200)


def main() -> None:
    """Print the figures, and keep them."""
    figures = {"machine": machine(), "by_features": {str(features): compare(features) for features in FEATURES}}
    RESULTS.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
