"""References and samples for the tests of drift."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from models.calibration import describe_errors, describe_features
from schemas.drift import Sample
from schemas.reference import Reference

PANE_US = 60_000_000
NOW = 1_700_000_000_000_000 // PANE_US * PANE_US  # microseconds UTC, where a pane begins


class Served(NamedTuple):
    """A release in service."""

    dataset: str
    release: str
    reference: Reference


def reference(*columns: Any, names: tuple[str, ...] = ()) -> Reference:
    """What training saw; without columns, 2,000 readings of two features near 50 and 1,000,000."""
    generator = np.random.default_rng(1)
    given = [np.asarray(column, np.float64) for column in columns] or [
        generator.normal(50, 2, 2000),
        generator.normal(1e6, 0.01, 2000),
    ]
    features = names or tuple(f"f{number}" for number in range(len(given)))
    return Reference(describe_features(given, features), describe_errors(generator.lognormal(0, 1, 1000)), 0.02)


def sample(values: Any, times: Any = NOW, *, windows: bool = True, seed: int = 0) -> Sample:
    """Readings (n, feature), with a window at each, or none; `times` may be one for all."""
    generator, rows = np.random.default_rng(seed), np.asarray(values, np.float64)
    at = np.broadcast_to(np.asarray(times, np.int64), len(rows)).copy()
    m = len(rows) if windows else 0
    return Sample(
        rows, at, generator.lognormal(0, 1, m), generator.random(m) < 0.2, generator.random(m) < 0.1, at[:m].copy()
    )


def part(whole: Sample, places: Any) -> Sample:
    """Some readings of a sample with a window at each."""
    return Sample(*(column[places] for column in vars(whole).values()))


def drawn(count: int, *, shift: float = 0, missing: float = 0.1, seed: int = 2) -> Any:
    """Readings like those of the usual reference, the first feature shifted by so many standard deviations."""
    generator = np.random.default_rng(seed)
    rows = np.stack([generator.normal(50 + 2 * shift, 2, count), generator.normal(1e6, 0.01, count)], axis=1)
    rows[generator.random(rows.shape) < missing] = np.nan
    return rows
