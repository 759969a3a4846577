"""How well a candidate finds anomalies that were put into copies of the test part, one in each.

Every copy begins with the state that its series has at that point of the untouched stream: window, hold, and a
threshold that has adapted as far as it would have. So a copy in which nothing is changed gets the very same flags.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.detector import Detector
from models.packing import copies
from models.stream import StreamDetector
from schemas.evaluation import Injected
from training import injection
from training.injection import LONGEST, Fault, Healthy, faults
from training.judging import Judged, Section, judge
from training.table import SeriesTable, Table
from training.truth import Truth

Float64 = NDArray[np.float64]
Mask = NDArray[np.bool_]

TRIES = 20  # places, each of which meets every kind in every size
LONGEST_REACH = 64  # rows; a longer window does not make longer anomalies


@dataclass(frozen=True, eq=False)
class Place:
    """Where something goes wrong with one feature of one series."""

    row: int  # the first that may change, numbered over the test part
    number: int  # the same row over the whole table
    feature: int
    series: SeriesTable  # its rows from there on
    healthy: Healthy


@dataclass(frozen=True, eq=False)
class Order:
    """A fault that is to happen at a place."""

    place: Place
    fault: Fault

    @cached_property
    def said(self) -> Float64:
        """What the feature says instead, (row,)."""
        return self.fault.inflict(self.place.healthy)

    @property
    def changed(self) -> Mask:
        """Which rows that changes."""
        before = self.place.healthy.values
        changed: Mask = (self.said != before) & ~np.isnan(before)
        return changed

    def copy(self, name: str) -> SeriesTable:
        """The place's rows with the fault in them, as a series of its own."""
        values = self.place.series.values.copy()
        values[:, self.place.feature] = self.said
        return SeriesTable(name, self.place.series.times, values, None)


class Outcome(NamedTuple):
    """How many rows after the first change a fault was found, if it was; whether its rows are flagged without it."""

    delay: int | None
    false_alarm: bool


@dataclass(frozen=True, eq=False)
class Try:
    """What a fault changed and what was flagged with and without it, (row,) each from its place on."""

    fault: Fault
    changed: Mask
    flagged: Mask
    untouched: Mask

    def outcome(self, reach: int) -> Outcome:
        """Found is what is flagged only with the fault, less than `reach` rows after its last change."""
        first, last = np.flatnonzero(self.changed)[[0, -1]]
        watched = slice(first, last + reach)
        hits = np.flatnonzero(self.flagged[watched] & ~self.untouched[watched])
        return Outcome(int(hits[0]) if len(hits) else None, bool(self.untouched[watched].any()))


def reach_of(detector: Detector) -> int:
    """The unit of durations, and for how many rows a change is looked for: a window, if it is not very long."""
    return min(detector.window, LONGEST_REACH)


def rows_of(detector: Detector) -> int:
    """How many rows a place has: for the longest fault, and for the windows that hold the last of it."""
    return (LONGEST + 1) * reach_of(detector) - 1


def choose(detector: Detector, truth: Truth, section: Section, seed: int) -> tuple[Place, ...]:
    """Places in the test part with whole windows before them, no pause and no labelled anomaly.

    They are spread over series and time, and in turn over the features that varied in the train part.
    """
    random = np.random.default_rng(seed)
    times = np.concatenate([series.times for series in section.table.series])
    broken = (np.diff(times) > detector.gap_us) | (np.diff(truth.owners(section.numbers)) != 0)
    free, rows = ~truth.labels[section.numbers], rows_of(detector)
    found = injection.places(free, np.flatnonzero(broken) + 1, detector.window, rows, TRIES, random)
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


def run(
    detector: Detector, table: Table, places: Sequence[Place], states: Mapping[int, bytes], untouched: Judged
) -> list[Injected]:
    """Let every fault happen at every place, each in a copy of its own.

    `states` are snapshots by the places' rows, of the stream that judged the `untouched` windows.
    """
    reach = reach_of(detector)
    possible = faults(reach, len(table.features)) if places else ()
    orders = [Order(place, fault) for place in places for fault in possible]
    flagged = _flagged(detector, table, orders, states)
    tries = [
        Try(order.fault, order.changed, own, _spread(untouched, order.place.number, len(own)))
        for order, own in zip(orders, flagged, strict=True)
        if order.changed.any()
    ]
    each = ([one.outcome(reach) for one in tries if one.fault == fault] for fault in possible)
    return [_tally(fault, outcomes) for fault, outcomes in zip(possible, each, strict=True) if outcomes]


def _flagged(detector: Detector, table: Table, orders: Sequence[Order], states: Mapping[int, bytes]) -> Mask:
    """Stream the copies of all orders side by side: what is flagged of each, (order, row)."""
    flagged = np.zeros((len(orders), rows_of(detector)), bool)
    if orders:
        stream = StreamDetector(detector)
        named = [order.copy(str(number)) for number, order in enumerate(orders)]
        for row, state in states.items():
            mine = [copy.name for order, copy in zip(orders, named, strict=True) if order.place.row == row]
            stream.restore(copies(state, mine))
        judged, _ = judge(stream, Section.whole(replace(table, series=tuple(named))))
        flagged.flat[judged.row] = judged.is_anomaly
    return flagged


def _spread(judged: Judged, first: int, rows: int) -> Mask:
    """What is flagged of so many rows from `first` on; one at which no window ends is not."""
    flags = np.zeros(rows, bool)
    begin, end = np.searchsorted(judged.row, [first, first + rows])
    flags[judged.row[begin:end] - first] = judged.is_anomaly[begin:end]
    return flags


def _tally(fault: Fault, outcomes: Sequence[Outcome]) -> Injected:
    """What became of one fault at all places."""
    delays = [outcome.delay for outcome in outcomes if outcome.delay is not None]
    return Injected(
        kind=fault.kind,
        size=fault.size,
        unit=fault.unit,
        tries=len(outcomes),
        found=len(delays),
        recall=len(delays) / len(outcomes),
        median_delay_rows=float(np.median(delays)) if delays else None,
        false_alarms=sum(outcome.false_alarm for outcome in outcomes),
    )
