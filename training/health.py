"""The health of a data set: how regular its readings are, what is missing, what never changes, what is labelled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add

import numpy as np

from models.scaling import Moments
from training.table import SeriesTable, pieces

STEADY = 0.1  # a step is the usual one if it is off by no more than this share of it
PAUSE = 10  # intervals; the usual gap.factor: what is longer restarts a window


@dataclass(frozen=True)
class Pause:
    """A silence of one series; times are microseconds UTC, of the readings before and after it."""

    series: str
    start: int
    end: int


@dataclass(frozen=True)
class FeatureHealth:
    """All values of one feature in raw units; the figures are None if it has none."""

    missing_share: float
    low: float | None
    mean: float | None
    high: float | None

    @property
    def constant(self) -> bool:
        """Whether it never changes."""
        return self.low == self.high


@dataclass(frozen=True)
class Labels:
    """The rows of series that have labels."""

    rows: int
    anomalous: int
    events: int  # unbroken runs of anomalous rows


@dataclass(frozen=True)
class Health:
    """What there is to know before training; steps are times between readings of a series, in microseconds."""

    rows_by_series: tuple[int, int, int]  # least, median, most
    start: int
    end: int
    interval_us: int
    unsteady_share: float  # of steps that are off the interval by more than a tenth
    shortest_us: int
    longest_us: int
    pauses: int  # steps longer than ten intervals
    longest_pause: Pause | None
    missing_share: float
    features: dict[str, FeatureHealth]
    labels: Labels | None  # if any series has some


def examine(series: Sequence[SeriesTable], features: Sequence[str], interval_us: int) -> Health:
    """Look at all of it once, a piece at a time."""
    rows = [len(one.times) for one in series]
    steps = [np.diff(one.times) for one in series]
    unsteady = sum(int((np.abs(each - interval_us) > STEADY * interval_us).sum()) for each in steps)
    found = [each for each in steps if len(each)]
    moments = reduce(add, (Moments.of(piece.taken.values) for piece in pieces(series)))
    return Health(
        rows_by_series=(min(rows), round(float(np.median(rows))), max(rows)),
        start=min(int(one.times[0]) for one in series),
        end=max(int(one.times[-1]) for one in series),
        interval_us=interval_us,
        unsteady_share=unsteady / max(sum(map(len, steps)), 1),
        shortest_us=min((int(each.min()) for each in found), default=0),
        longest_us=max((int(each.max()) for each in found), default=0),
        pauses=sum(int((each > PAUSE * interval_us).sum()) for each in steps),
        longest_pause=_longest_pause(series, interval_us),
        missing_share=float(1 - moments.known.sum() / (moments.rows * len(features))),
        features={name: _feature(moments, place) for place, name in enumerate(features)},
        labels=_labels(series),
    )


def _longest_pause(series: Sequence[SeriesTable], interval_us: int) -> Pause | None:
    longest, pause = PAUSE * interval_us, None
    for one in series:
        steps = np.diff(one.times)
        if len(steps) and int(steps.max()) > longest:
            at, longest = int(steps.argmax()), int(steps.max())
            pause = Pause(one.name, int(one.times[at]), int(one.times[at + 1]))
    return pause


def _feature(moments: Moments, place: int) -> FeatureHealth:
    known = int(moments.known[place])
    figures = (moments.low, moments.mean, moments.high)
    low, mean, high = (float(figure[place]) if known else None for figure in figures)
    return FeatureHealth(1 - known / moments.rows, low, mean, high)


def _labels(series: Sequence[SeriesTable]) -> Labels | None:
    known = [one.labels for one in series if one.labels is not None]
    if not known:
        return None
    begins = sum(int((np.diff(labels, prepend=False) & labels).sum()) for labels in known)
    return Labels(sum(map(len, known)), sum(int(labels.sum()) for labels in known), begins)
