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
from training.injection import Fault, faults
from training.judging import Judged, Section, judge
from training.places import Place, reach_of, rows_of
from training.table import SeriesTable, Table

Float64 = NDArray[np.float64]
Mask = NDArray[np.bool_]


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

    def outcome(self, reach: int) -> Outcome | None:
        """Found is what is flagged only with the fault, less than `reach` rows after its last change.

        None if it changed nothing.
        """
        changed = np.flatnonzero(self.changed)
        if not len(changed):
            return None
        watched = slice(changed[0], changed[-1] + reach)
        hits = np.flatnonzero(self.flagged[watched] & ~self.untouched[watched])
        return Outcome(int(hits[0]) if len(hits) else None, bool(self.untouched[watched].any()))


def run(
    detector: Detector, table: Table, places: Sequence[Place], states: Mapping[int, bytes], untouched: Judged
) -> list[Injected]:
    """Let every fault happen at every place, each in a copy of its own.

    `states` are snapshots by the places' rows, of the stream that judged the `untouched` windows.
    """
    reach = reach_of(detector)
    possible = faults(reach, len(table.features)) if places else ()
    tries: list[Try] = []
    for place in places:
        orders = [Order(place, fault) for fault in possible]
        flagged = _flagged(detector, table, orders, states[place.row])
        usual = _spread(untouched, place.number, rows_of(detector))
        tries += [Try(order.fault, order.changed, own, usual) for order, own in zip(orders, flagged, strict=True)]
    outcomes = {fault: [one.outcome(reach) for one in tries if one.fault == fault] for fault in possible}
    return [_tally(fault, known) for fault, each in outcomes.items() if (known := [one for one in each if one])]


def _flagged(detector: Detector, table: Table, orders: Sequence[Order], state: bytes) -> Mask:
    """Stream the copies of one place side by side: what is flagged of each, (order, row)."""
    flagged = np.zeros((len(orders), rows_of(detector)), bool)
    named = [order.copy(str(number)) for number, order in enumerate(orders)]
    stream = StreamDetector(detector)
    stream.restore(copies(state, [copy.name for copy in named]))
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
