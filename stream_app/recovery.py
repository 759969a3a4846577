"""Loading a checkpoint: from the records of a state partition to the plan by which a new owner starts.

Every slab is a true statement about the readings (see `slabs`), so a half-written, stale or late checkpoint only moves
the start back. What can not be read, or is gone from the log, is said in the plan's `warnings`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Protocol

from stream_app.slabs import MARKER_KEY, Marker, Record, Slab, UnreadableError, decode, encode

FIRST_STEP = 64  # records read from the end of a state partition to find its marker; doubled until it is found


class SeriesState(Protocol):
    """What a partition keeps of its series, of all datasets; the worker has it over one StreamDetector a dataset."""

    def names(self) -> Mapping[str, Collection[str]]:
        """The series kept now, per dataset."""

    def snapshot(self, dataset: str, series: list[str]) -> bytes:
        """A copy of these series' state, packed; all of them are among `names()`."""

    def restore(self, dataset: str, data: bytes) -> None:
        """Add what `snapshot` packed; raises ValueError if it can not be read."""

    def clear(self) -> None:
        """Forget all series."""


@dataclass(frozen=True)
class Positions:
    """Where the readings partition and the group stand when an owner begins."""

    earliest: int  # the first offset that the log still has
    end: int  # one past the last offset; to be fetched after the state partition was read
    committed: int | None  # the group's offset, None if it has none
    opening: int  # where to begin when nothing is known: `earliest` or `end`


@dataclass(frozen=True)
class Stored:
    """A slab as it stands in the state topic at `offset`."""

    offset: int
    checkpoint: int
    cover: int
    states: list[tuple[str, bytes]]  # dataset, packed series; empty once restored


@dataclass(frozen=True)
class Plan:
    """How a new owner starts: what to restore, where to read from, what to skip, and from where to publish."""

    slabs: int
    floors: tuple[int, ...]  # (slabs,) a reading below its slab's floor is in the state already: skip it
    stored: Mapping[int, Stored]  # by slab number, what to restore; all other slabs start empty
    publish_from: int  # flags of readings below are on the topic already: apply, and publish nothing
    earliest: int
    state_end: int  # one past the last state offset seen
    checkpoint: int = 0  # how many checkpoints there were, by the highest count seen
    stale: frozenset[int] = frozenset()  # slabs whose record is missing or of no use: to be written anew
    hole: tuple[int, int] | None = None  # readings [from, to) are needed and gone: the slabs they concern start empty
    opening: Record | None = None  # to be sent and confirmed before the first reading is read
    recommit: bool = (
        False  # the group's offset is of another log: commit `publish_from` before the first reading is read
    )
    warnings: tuple[str, ...] = ()

    @cached_property
    def start(self) -> int:
        """The offset to seek to. It is no committed offset: that is `publish_from`."""
        return min(self.floors)

    @cached_property
    def settled(self) -> int:
        """From here on every reading is new, to the state and to the anomalies topic."""
        return max(self.publish_from, *self.floors)

    def restore(self, state: SeriesState) -> Plan:
        """Fill `state`; the plan returned holds no data, and starts lower where a slab turned out to be unreadable."""
        state.clear()
        for number, stored in self.stored.items():
            try:
                for dataset, data in stored.states:
                    state.restore(dataset, data)
            except ValueError as error:
                return self._without(number, str(error)).restore(state)
        return replace(self, stored={n: replace(stored, states=[]) for n, stored in self.stored.items()})

    def _without(self, number: int, reason: str) -> Plan:
        warning = f"slab {number} can not be restored ({reason}): reading again from offset {self.earliest}"
        return replace(
            self,
            floors=tuple(self.earliest if n == number else floor for n, floor in enumerate(self.floors)),
            stored={n: stored for n, stored in self.stored.items() if n != number},
            stale=self.stale | {number},
            hole=(0, self.earliest) if self.earliest else self.hole,
            warnings=(*self.warnings, warning),
        )


@dataclass
class Recovery:
    """Folds the records of one state partition, in any order and from any start, into a `Plan`.

    Driven so, where `read`, `end` and `beginning` are the state partition's:

        at = end
        while (lower := recovery.back_to(at, beginning)) is not None:
            for record in read(lower, at):
                recovery.add(record.offset, record.key, record.value)
            at = lower
        plan = recovery.plan(positions).restore(state)
    """

    slabs: int  # how many slabs to begin with; a checkpoint that exists says its own number
    _newest: dict[bytes, tuple[int, Slab | Marker]] = field(default_factory=dict)
    _end: int = 0
    _step: int = FIRST_STEP
    _unreadable: list[str] = field(default_factory=list)

    def add(self, offset: int, key: bytes | None, value: bytes | None) -> None:
        """Take one record of the state partition; one that can not be read becomes a warning."""
        self._end = max(self._end, offset + 1)
        try:
            content = decode(key, value)
        except UnreadableError as error:
            self._unreadable.append(f"offset {offset}: {error}")
            return
        if content.key not in self._newest or self._newest[content.key][0] < offset:
            self._newest[content.key] = (offset, content)

    def back_to(self, at: int, beginning: int) -> int | None:
        """The offset from which to read up to `at` next; None when what was read from `at` on is enough."""
        marker = self._marker
        lower = at - self._step if marker is None else marker.base
        self._step *= 2
        lower = max(lower, beginning)
        return lower if lower < at else None

    def plan(self, positions: Positions) -> Plan:
        """What a new owner has to do, by what was read and where the log stands."""
        if max(self._claims(), default=0) > positions.end or (positions.committed or 0) > positions.end:
            return self._of_another_log(positions)
        if not self._newest:
            return self._opening(positions)
        return self._continuing(positions)

    def _continuing(self, positions: Positions) -> Plan:
        """Each slab from where it is good to; one of which the log has lost readings is of no use."""
        marker, stored = self._marker, self._slabs_of_checkpoint()
        reach = [self._reach(stored.get(number), number, marker) for number in range(self._count)]
        lost = {number for number, until in enumerate(reach) if until < positions.earliest}
        hole = (min(reach), positions.earliest) if lost else None
        useless = set(stored) & lost | set(marker.covers if marker else ()) - set(stored)
        start = marker.start if marker else positions.earliest
        return Plan(
            slabs=self._count,
            floors=tuple(max(until, positions.earliest) for until in reach),
            stored={number: slab for number, slab in stored.items() if number not in lost},
            publish_from=start if positions.committed is None else positions.committed,
            earliest=positions.earliest,
            state_end=self._end,
            checkpoint=max(content.checkpoint for _, content in self._newest.values()),
            stale=frozenset(useless),
            hole=hole,
            warnings=(*self._passed_over(), *(self._gone(hole, len(useless & lost)) if hole else ())),
        )

    def _reach(self, stored: Stored | None, number: int, marker: Marker | None) -> int:
        """Below which offset slab `number` is good: to the marker's start if the marker means this very record."""
        named = marker.covers.get(number) if marker else None
        if stored is None:
            return marker.start if marker and named is None else 0
        return marker.start if marker and stored.cover == named else stored.cover

    @property
    def _marker(self) -> Marker | None:
        content = self._newest.get(MARKER_KEY, (0, None))[1]
        return content if isinstance(content, Marker) else None

    @property
    def _count(self) -> int:
        """How many slabs the checkpoint has: the marker says it, without one the newest slab."""
        if self._marker is not None:
            return self._marker.slabs
        return max(self._newest.values(), key=lambda entry: entry[0])[1].slabs

    def _slabs_of_checkpoint(self) -> dict[int, Stored]:
        """The slabs that count: those of the marker's number of slabs, and not below its base."""
        marker, count = self._marker, self._count
        base = marker.base if marker else 0
        return {
            content.number: Stored(offset, content.checkpoint, content.cover, content.states)
            for offset, content in self._newest.values()
            if isinstance(content, Slab) and content.slabs == count and offset >= base
        }

    def _claims(self) -> list[int]:
        """The offsets up to which the checkpoint speaks of the readings."""
        if not self._newest:
            return []
        covers = [stored.cover for stored in self._slabs_of_checkpoint().values()]
        return covers if self._marker is None else [self._marker.start, *covers]

    def _opening(self, positions: Positions) -> Plan:
        """Nothing is known: a marker without slabs has to say where the series began, before anything is read."""
        committed, warnings = positions.committed, self._passed_over()
        start = positions.opening if committed is None else positions.earliest
        if committed is not None:
            warnings += (f"offset {committed} is committed but there is no checkpoint: reading again from {start}",)
        return Plan(
            slabs=self.slabs,
            floors=(start,) * self.slabs,
            stored={},
            publish_from=start if committed is None else committed,
            earliest=positions.earliest,
            state_end=self._end,
            opening=encode(Marker(self.slabs, 0, start, self._end, {})),
            warnings=warnings,
        )

    def _of_another_log(self, positions: Positions) -> Plan:
        """The readings end before what the checkpoint claims: the topic was made anew, or has lost its end."""
        warning = f"the readings end at offset {positions.end}, before what was recorded of them: all series start anew"
        fresh = self._opening(replace(positions, committed=None))
        return replace(fresh, recommit=positions.committed is not None, warnings=(warning, *fresh.warnings))

    def _passed_over(self) -> tuple[str, ...]:
        if not self._unreadable:
            return ()
        return (
            f"unreadable records of the state, passed over: {len(self._unreadable)}, such as {self._unreadable[0]}",
        )

    def _gone(self, hole: tuple[int, int], slabs: int) -> tuple[str, ...]:
        return (
            f"the log begins at offset {hole[1]}, the checkpoint needs it from {hole[0]}: {slabs} of {self._count} "
            "slabs of series warm up again; let the readings topic keep its readings longer",
        )
