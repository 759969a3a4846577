"""Whether the world still looks like the training data: each dataset's newest readings against its release's reference.

The state is lost with the worker, on purpose: it is a horizon long, and what a new owner replays was counted already.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from monitoring.figures import figures
from monitoring.horizon import Horizon, Span
from monitoring.yardstick import Yardstick, yardstick
from schemas.drift import Report, Sample
from schemas.reference import Reference


class Served(Protocol):
    """A release in service."""

    @property
    def dataset(self) -> str:
        """The dataset that it serves."""

    @property
    def release(self) -> str:
        """Its name."""

    @property
    def reference(self) -> Reference:
        """What its training data looked like."""


@dataclass(frozen=True, eq=False)
class Watched:
    """A dataset under one release."""

    release: str
    yardstick: Yardstick
    horizon: Horizon


class Drift:
    """The horizons of all datasets; with another release a dataset's begins anew."""

    def __init__(self, span: Span, min_readings: int, cap: int) -> None:
        """At most `cap` datasets are watched: the longest without readings goes."""
        self._span = span
        self._min_readings = min_readings
        self._cap = cap
        self._watched: OrderedDict[str, Watched] = OrderedDict()

    def observe(self, served: Served, sample: Sample, now: int) -> None:
        """Take in what this release saw by `now`, microseconds UTC."""
        self._watch(served).horizon.observe(sample, now)
        self._watched.move_to_end(served.dataset)
        while len(self._watched) > self._cap:
            self._watched.popitem(last=False)

    def reports(self, serving: Iterable[Served], now: int) -> list[Report]:
        """How each release in service stands; the horizons of what is not in service any more are forgotten."""
        releases = {served.dataset: served for served in serving}
        self._keep(releases)
        return [self._report(served, now) for served in releases.values()]

    def _report(self, served: Served, now: int) -> Report:
        watched = self._watch(served)
        baseline, totals = watched.yardstick.baseline, watched.horizon.totals(now)
        live = figures(baseline, totals, self._min_readings)
        return Report(served.dataset, served.release, baseline, totals, live)

    def _watch(self, served: Served) -> Watched:
        watched = self._watched.get(served.dataset)
        if watched is None or watched.release != served.release:
            measured = yardstick(served.reference)
            watched = Watched(served.release, measured, Horizon(self._span, measured))
            self._watched[served.dataset] = watched
        return watched

    def _keep(self, releases: Mapping[str, Served]) -> None:
        for dataset in self._watched.keys() - releases.keys():
            del self._watched[dataset]
