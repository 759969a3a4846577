"""The last stretch of a stream, as a ring of panes: what was counted of each, the oldest forgotten for new ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from monitoring.yardstick import Yardstick
from schemas.drift import Index, Mask, Sample, Totals

MOST_ROWS = 4096  # readings that wait to be counted together, at a fraction of the time
MOST_VALUES = 1 << 20  # likewise: 8 MB


@dataclass(frozen=True)
class Span:
    """How far a horizon reaches back."""

    pane_us: int
    panes: int

    @property
    def us(self) -> int:
        """All of it, microseconds."""
        return self.pane_us * self.panes


class Horizon:
    """Totals of the newest panes by the records' own time: of the pane that is being filled, and of those before it.

    A record dated ahead of the worker's clock counts as of now, so that one sender's wrong clock does not push out what
    the others sent; one dated before the horizon is not counted. A pane is forgotten too when nothing was added to it
    for a horizon by the worker's clock: so what is over ends, when a stream stops or its partitions move.
    """

    def __init__(self, span: Span, yardstick: Yardstick) -> None:
        self._span = span
        self._yardstick = yardstick
        self._waiting: list[Sample] = []  # to be counted; their times are right
        self._rows = 0  # among them
        self._panes: dict[int, Totals] = {}
        self._added_to: dict[int, int] = {}  # when, by the worker's clock
        self._now = 0

    def observe(self, sample: Sample, now: int) -> None:
        """Take in what was seen by `now`, the worker's clock in microseconds UTC."""
        self._now = now
        times, ends = _not_ahead(sample.times, now), _not_ahead(sample.ends, now)
        self._waiting.append(Sample(sample.values, times, sample.errors, sample.anomalous, sample.flagged, ends))
        self._rows += len(times)
        if self._rows >= MOST_ROWS or self._rows * sample.values.shape[1] >= MOST_VALUES:
            self._count()

    def totals(self, now: int) -> Totals:
        """What was counted within the horizon."""
        self._count()
        self._forget(now)
        baseline = self._yardstick.baseline
        return sum(self._panes.values(), Totals.none(len(baseline.features), len(baseline.shares)))

    def _count(self) -> None:
        """Count what waits, pane by pane."""
        if not self._waiting:
            return
        sample, self._waiting, self._rows = together(self._waiting), [], 0
        times, ends = sample.times // self._span.pane_us, sample.ends // self._span.pane_us
        panes = _distinct(times)
        newest = max([*self._panes, *panes[-1:]], default=0)
        for pane in panes:
            if pane > newest - self._span.panes:
                part = sample if len(panes) == 1 else picked(sample, times == pane, ends == pane)
                self._add(pane, self._yardstick.tally(part))
        self._forget(self._now)

    def _add(self, pane: int, totals: Totals) -> None:
        self._panes[pane] = self._panes[pane] + totals if pane in self._panes else totals
        self._added_to[pane] = self._now

    def _forget(self, now: int) -> None:
        newest = max(self._panes, default=0)
        for pane in list(self._panes):
            if pane <= newest - self._span.panes or self._added_to[pane] <= now - self._span.us:
                del self._panes[pane], self._added_to[pane]


def together(samples: Sequence[Sample]) -> Sample:
    """All of them as one."""
    columns = zip(*(vars(each).values() for each in samples), strict=True)
    return Sample(*map(np.concatenate, columns))


def picked(sample: Sample, readings: Mask, windows: Mask) -> Sample:
    """Some of its readings (n,) and windows (m,) alone."""
    return Sample(
        sample.values[readings],
        sample.times[readings],
        sample.errors[windows],
        sample.anomalous[windows],
        sample.flagged[windows],
        sample.ends[windows],
    )


def _not_ahead(times: Index, now: int) -> Index:
    """No later than now; a negative one, which as an unsigned number is a large one, is now too."""
    return np.minimum(times.view(np.uint64), np.uint64(now)).view(np.int64)


def _distinct(panes: Index) -> list[int]:
    """Ascending; mostly there is one."""
    different: list[int] = (panes[:1] if (panes == panes[:1]).all() else np.unique(panes)).tolist()
    return different
