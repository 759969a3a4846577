"""From readings to windows: which readings count, what stands in for a missing value, where a window ends.

All of a batch at once: its readings are put in order of series, and what runs along a series is counted from the last
place where something happened to it (`_since`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.series import LONG, SeriesTable
from models.windows import Float32, Index, begin_of_each, last_of_each

Mask = NDArray[np.bool_]

STALE_AFTER = 10  # late or duplicate readings in a row before a series is reported


@dataclass(frozen=True)
class Rules:
    """What a release says of windows; times in microseconds."""

    window: int
    stride: int
    hold_limit: int
    gap: int


@dataclass(frozen=True, eq=False)
class Marks:
    """What became of each reading of a batch, (n,) each."""

    late: Mask
    duplicate: Mask
    stale: Mask  # with it, its series has sent nothing new for long
    gap: Mask  # it restarted its series' window
    warm_up: Mask  # it is its series' first row: of all, or after a restart

    @property
    def dropped(self) -> Mask:
        """It changed no window."""
        return self.late | self.duplicate


@dataclass(frozen=True, eq=False)
class Ended:
    """The m windows that ended within a batch, in the order of the readings that ended them."""

    rows: Index  # (m,) the place in the batch of each window's last reading
    slots: Index  # (m,)
    first: Mask  # (m,) the series' first window after a restart
    windows: Float32  # (m, time, feature) scaled
    moments: Index  # (m, time) when each row was
    imputed: Mask  # (m, feature) whether anything in the window was missing


def take(
    table: SeriesTable, rules: Rules, slots: Index, times: Index, rows: Float32, gather: bool
) -> tuple[Marks, Ended]:
    """Put readings into their series: `slots` (n,), `times` (n,), scaled `rows` (n, feature), NaN missing.

    Without `gather` the series change alike, but no window comes out.
    """
    marks = Marks(*np.zeros((5, len(slots)), np.bool_))
    order = np.argsort(slots, kind="stable")
    fresh, before = _admit(table, slots[order], times[order], marks, order)
    order, before = order[fresh], before[fresh]
    slots, times, rows = slots[order], times[order], rows[order]
    begin, count = _count(table, rules, slots, times - before, marks, order)
    rows, imputed = _impute(table, rules, slots, rows, begin, count)
    ends = _ends(rules, count, order, gather)
    windows, moments = table.histories.extend(slots, rows, times, ends)
    first = count[ends] == rules.window
    return marks, Ended(order[ends], slots[ends], first, windows, moments, imputed[ends])


def _admit(table: SeriesTable, slots: Index, times: Index, marks: Marks, order: Index) -> tuple[Mask, Index]:
    """Which readings are newer than all before of their series, (n,), and how new those before were, (n,)."""
    records, begin, last = table.records, begin_of_each(slots), last_of_each(slots)
    newest = np.maximum(times, records["newest"][slots])
    values, rank = np.unique(newest, return_inverse=True)
    floor = begin * len(slots)  # lifts each series above the one before it, so that one maximum runs along all
    newest = values[np.maximum.accumulate(rank + floor) - floor]
    before = np.where(begin == np.arange(len(slots)), records["newest"][slots], np.roll(newest, 1))
    fresh = times > before
    dropped = np.minimum(_since(fresh, begin, records["dropped"][slots]), STALE_AFTER + 1)
    marks.late[order], marks.duplicate[order] = times < before, times == before
    marks.stale[order] = dropped == STALE_AFTER
    records["newest"][slots[last]], records["dropped"][slots[last]] = newest[last], dropped[last]
    return fresh, before


def _count(
    table: SeriesTable, rules: Rules, slots: Index, pause: Index, marks: Marks, order: Index
) -> tuple[Index, Index]:
    """For each row the place in the batch's order where its window was restarted or its series begins, and its count.

    The count (n,) is of rows since the restart, this one included.
    """
    counts, last, places = table.histories.count, last_of_each(slots), np.arange(len(slots))
    begin = begin_of_each(slots)
    gap = (pause > rules.gap) & ((places > begin) | (counts[slots] > 0))
    begin = np.maximum.accumulate(np.where(gap, places, begin))
    count = places - begin + 1 + np.where(gap[begin], 0, counts[slots])
    marks.gap[order], marks.warm_up[order] = gap, count == 1
    counts[slots[last]] = count[last]
    return begin, count


def _impute(
    table: SeriesTable, rules: Rules, slots: Index, rows: Float32, begin: Index, count: Index
) -> tuple[Float32, Mask]:
    """Rows with each missing value held or, where it is too old, at the training mean; and `imputed` (n, feature)."""
    records, last, missing = table.records, last_of_each(slots), np.isnan(rows)
    carried = (count - 1 > np.arange(len(slots)) - begin)[:, None]  # the window goes back to before this batch
    age = _since(~missing, begin[:, None], np.where(carried, records["age"][slots], LONG))
    since = _since(missing, begin[:, None], np.where(carried, records["since"][slots], LONG))
    records["age"][slots[last]] = np.minimum(age[last], LONG)
    records["since"][slots[last]] = np.minimum(since[last], LONG)
    if missing.any():
        places = np.arange(len(slots))[:, None] - age  # of the value to hold; before `begin`, the newest row has it
        inside = np.take_along_axis(rows, np.maximum(places, 0), axis=0)
        held = np.where(places >= begin[:, None], inside, table.histories.rows[slots, -1])
        rows = np.where(missing, np.where(age <= rules.hold_limit, held, np.float32(0)), rows)
    return rows, since < rules.window


def _ends(rules: Rules, count: Index, order: Index, gather: bool) -> Index:
    """The rows at which a window ends, in the order in which their readings came."""
    ends = np.flatnonzero((count >= rules.window) & ((count - rules.window) % rules.stride == 0) & gather)
    return ends[np.argsort(order[ends])]


def _since(events: Mask, begin: Index, carried: NDArray[np.integer]) -> Index:
    """Rows since the last event, 0 at the event itself, (n, ...); `carried` on where none came since `begin`."""
    places = np.arange(len(events)).reshape(-1, *[1] * (events.ndim - 1))
    none: Index = places - begin + 1 + carried
    if not events.any() or events.all():  # nothing is missing, mostly
        return none * ~events
    last = np.maximum.accumulate(np.where(events, places, -1), axis=0)
    return np.where(last >= begin, places - last, none)
