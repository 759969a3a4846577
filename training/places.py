"""Where anomalies are injected: places in the test part, and all that chance has a say in there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.detector import Detector
from training import injection
from training.injection import LONGEST, Healthy
from training.judging import Section
from training.table import SeriesTable
from training.truth import Truth

MOST, FEWEST = 20, 4  # places, each of which meets every kind in every size
ENOUGH_ROWS = 64  # the longest window for which there are as many places as there can be
LONGEST_REACH = 32  # rows; a longer window does not make longer anomalies


@dataclass(frozen=True, eq=False)
class Place:
    """Where something goes wrong with one feature of one series."""

    row: int  # the first that may change, numbered over the test part
    number: int  # the same row over the whole table
    feature: int
    series: SeriesTable  # its rows from there on
    healthy: Healthy


def reach_of(detector: Detector) -> int:
    """The unit of durations, and for how many rows a change is looked for: a window, if it is not very long."""
    return min(detector.window, LONGEST_REACH)


def rows_of(detector: Detector) -> int:
    """How many rows a place has: for the longest fault, and for the windows that hold the last of it."""
    return (LONGEST + 1) * reach_of(detector) - 1


def _count(detector: Detector) -> int:
    """How many places; fewer where windows are long, for their scores take longer."""
    return min(max(MOST * ENOUGH_ROWS // detector.window, FEWEST), MOST)


def choose(detector: Detector, truth: Truth, section: Section, seed: int) -> tuple[Place, ...]:
    """Places in the test part with whole windows before them, no pause and no labelled anomaly.

    They are spread over series and time, and in turn over the features that varied before the test part.
    """
    random = np.random.default_rng(seed)
    times = np.concatenate([series.times for series in section.table.series])
    broken = (np.diff(times) > detector.gap_us) | (np.diff(truth.owners(section.numbers)) != 0)
    free, rows = ~truth.labels[section.numbers], rows_of(detector)
    found = injection.places(free, np.flatnonzero(broken) + 1, detector.window, rows, _count(detector), random)
    known = detector.reference.features
    varied = [place for place, name in enumerate(truth.table.features) if known[name].std > 0]
    features = np.resize(random.permutation(varied).astype(int), len(found) if varied else 0)
    steps = [known[name].std for name in truth.table.features]
    return tuple(
        _place(truth, row, int(section.numbers[row]), feature, steps[feature], rows, random)
        for row, feature in zip(found.tolist(), features.tolist(), strict=False)
    )


def _place(
    truth: Truth, row: int, number: int, feature: int, step: float, rows: int, random: np.random.Generator
) -> Place:
    owner = int(truth.owners(np.array([number]))[0])
    whole, first = truth.table.series[owner], number - int(truth.bounds[owner])
    series = SeriesTable(whole.name, whole.times[first : first + rows], whole.values[first : first + rows], None)
    earlier = int(random.integers(0, max(first - rows, 0), endpoint=True))
    healthy = Healthy(
        values=series.values[:, feature],
        replay=whole.values[earlier : earlier + rows, feature],
        noise=random.standard_normal(rows),
        step=step * random.choice([-1, 1]),
    )
    return Place(row, number, feature, series, healthy)
