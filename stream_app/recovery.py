"""Loading a checkpoint: from the records of a state partition to the plan by which a new owner starts reading.

Every slab is a true statement about the readings (see `slabs`), so a half-written, stale or late checkpoint only moves
the start back. What can not be read, or is gone from the log, is said in the plan's `warnings`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from stream_app.slabs import Marker, Record, Slab


class SeriesState(Protocol):
    """What a partition keeps of its series, of all datasets; the worker has it over one StreamDetector a dataset."""

    def names(self) -> Mapping[str, Mapping[str, object] | set[str]]:
        """The series kept now, per dataset."""

    def snapshot(self, dataset: str, series: list[str]) -> bytes:
        """A copy of these series' state, packed; all of them are among `names()`."""

    def restore(self, dataset: str, data: bytes) -> None:
        """Add what `snapshot` packed; raises ValueError, and adds nothing, if it can not be read."""


@dataclass(frozen=True)
class Positions:
    """Where the readings partition and the group stand when an owner begins."""

    earliest: int  # the first offset that the log still has
    end: int  # one past the last offset; fetched after the state was loaded
    committed: int | None  # the group's offset, None if it has none
    opening: int  # where to begin when nothing is known: `earliest` or `end`


@dataclass(frozen=True)
class Stored:
    """A slab and its offset in the state topic."""

    offset: int
    slab: Slab


@dataclass(frozen=True)
class Plan:
    """How a new owner starts: what to restore, where to read from, what to skip, and from where to publish."""

    slabs: int
    floors: tuple[int, ...]  # (slabs,) a reading below its slab's floor is in the state already: skip it
    stored: Mapping[int, Stored]  # by slab number, what to restore; the others start empty
    publish_from: int  # flags of readings below are published already: apply, and publish nothing
    state_end: int  # one past the last state offset seen
    stale: frozenset[int] = frozenset()  # slabs whose record is lost or too old: to be written anew
    opening: Record | None = None  # to be sent and confirmed before the first reading is read
    warnings: tuple[str, ...] = ()

    @property
    def start(self) -> int:
        """The offset to seek to. It is no committed offset: commit nothing below `publish_from`."""
        return min(self.floors)

    @property
    def settled(self) -> int:
        """From here on every reading is new to the state and to the anomalies topic."""
        return max(self.publish_from, *self.floors)

    def restore(self, state: SeriesState) -> Plan:
        """Fill an empty `state`; the plan returned starts lower where a slab turned out to be unreadable."""
        raise NotImplementedError


@dataclass
class Recovery:
    """Folds the records of one state partition, in any order and from any start, into a `Plan`.

        at = end                                               # of the state partition
        while (lower := recovery.back_to(at, beginning)) is not None:
            for record in read(lower, at): recovery.add(record.offset, record.key, record.value)
            at = lower
        plan = recovery.plan(positions).restore(state)
    """

    slabs: int  # how many slabs to begin with; a checkpoint that exists says its own number
    _marker: tuple[int, Marker] | None = None
    _stored: dict[tuple[int, int], Stored] = field(default_factory=dict)
    _end: int = 0
    _warnings: list[str] = field(default_factory=list)

    def add(self, offset: int, key: bytes | None, value: bytes | None) -> None:
        """Take one record of the state partition; one that can not be read is kept as a warning."""
        raise NotImplementedError

    def back_to(self, at: int, beginning: int) -> int | None:
        """The offset from which to read up to `at` next, None when what was read from `at` on is enough."""
        raise NotImplementedError

    def plan(self, positions: Positions) -> Plan:
        """What a new owner has to do, by what was read."""
        raise NotImplementedError
