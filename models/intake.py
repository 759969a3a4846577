"""From readings to windows: which readings count, what stands in for a missing value, where a window ends."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.series import LONG, SeriesTable
from models.windows import Float32, Index, rounds

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
class Ended:
    """The m windows that ended within a batch, in the order of the rows that ended them."""

    rows: Index  # (m,) the place in the batch of each window's last row
    slots: Index  # (m,)
    first: Mask  # (m,) the series' first window after a restart
    windows: Float32  # (m, time, feature) scaled
    moments: Index  # (m, time) when each row was
    imputed: Mask  # (m, feature) whether anything in the window was missing


@dataclass(frozen=True, eq=False)
class Marks:
    """What became of each reading of a batch, (n,) each."""

    late: Mask
    duplicate: Mask
    gap: Mask  # it restarted its series' window
    warm_up: Mask  # it is its series' first row: of all, or after a restart
    stale: Mask  # with it, its series has sent nothing new for long

    @classmethod
    def blank(cls, n: int) -> Marks:
        """Nothing yet."""
        return cls(*np.zeros((5, n), np.bool_))

    @property
    def accepted(self) -> Mask:
        """Neither late nor duplicate, (n,)."""
        return ~(self.late | self.duplicate)


class Intake:
    """One batch on its way into a table of series."""

    def __init__(self, table: SeriesTable, rules: Rules, times: Index, rows: Float32) -> None:
        """`times` (n,) in microseconds and scaled `rows` (n, feature), NaN missing."""
        self.table = table
        self.rules = rules
        self.times = times
        self.rows = rows
        self.missing = np.isnan(rows)
        self.marks = Marks.blank(len(times))

    def take(self, slots: Index, gather: bool) -> Ended:
        """Put each reading (n,) into its series; the windows that end with them, or none if not to be gathered."""
        parts = [self._round(index, slots[index], gather) for index in rounds(slots) or [slots]]
        ended = [part for part in parts if len(part.rows)] or parts[:1]
        return ended[0] if len(ended) == 1 else _in_row_order(ended)

    def _round(self, index: Index, slots: Index, gather: bool) -> Ended:
        """Readings `index` of different series."""
        index, slots = self._admit(index, slots)
        self.table.rings.push(slots, self._impute(index, slots), self.times[index])
        return self._end(index, slots) if gather else self._end(index[:0], slots[:0])

    def _admit(self, index: Index, slots: Index) -> tuple[Index, Index]:
        """Drop what is late or duplicate; after a gap, restart."""
        records, rings, marks = self.table.records, self.table.rings, self.marks
        pause = self.times[index] - records["newest"][slots]
        fresh = pause > 0
        dropped = np.where(fresh, 0, np.minimum(records["dropped"][slots], STALE_AFTER) + 1)
        records["dropped"][slots] = dropped
        if not fresh.all():
            marks.late[index], marks.duplicate[index] = pause < 0, pause == 0
            marks.stale[index] = dropped == STALE_AFTER
            index, slots, pause = index[fresh], slots[fresh], pause[fresh]
        records["newest"][slots] = self.times[index]
        gap = (pause > self.rules.gap) & (rings.count[slots] > 0)
        if gap.any():
            marks.gap[index] = gap
            self._restart(slots[gap])
        marks.warm_up[index] = rings.count[slots] == 0
        return index, slots

    def _restart(self, slots: Index) -> None:
        self.table.rings.restart(slots)
        self.table.records["age"][slots] = LONG
        self.table.records["since"][slots] = LONG

    def _impute(self, index: Index, slots: Index) -> Float32:
        """The rows with every missing value held or, when it is too old, at the training mean."""
        records, missing, rows = self.table.records, self.missing[index], self.rows[index]
        age = np.where(missing, np.minimum(records["age"][slots], LONG - 1) + 1, 0)
        records["age"][slots] = age
        records["since"][slots] = np.where(missing, 0, np.minimum(records["since"][slots], LONG - 1) + 1)
        if not missing.any():
            return rows
        # The newest row still has the value that is held: it was held there too.
        held = np.where(age <= self.rules.hold_limit, self.table.rings.newest(slots), np.float32(0))
        return np.where(missing, held, rows)

    def _end(self, index: Index, slots: Index) -> Ended:
        """The windows that end with the rows just pushed."""
        rings, window = self.table.rings, self.rules.window
        count = rings.count[slots]
        ends = (count >= window) & ((count - window) % self.rules.stride == 0)
        index, slots, count = index[ends], slots[ends], count[ends]
        imputed = self.table.records["since"][slots] < window
        return Ended(index, slots, count == window, rings.gather(slots), rings.moments(slots), imputed)


def _in_row_order(parts: list[Ended]) -> Ended:
    order = np.argsort(np.concatenate([part.rows for part in parts]))

    def joined(name: str) -> NDArray[Any]:
        return np.concatenate([getattr(part, name) for part in parts])[order]

    return Ended(*(joined(field.name) for field in fields(Ended)))
