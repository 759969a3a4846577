"""Hundreds of lives of a partition in seconds; and without any one of the cures, some of them go wrong."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

import pytest

from stream_app.checkpoint import Checkpointer
from stream_app.progress import Chunk, Progress
from stream_app.recovery import Plan, Positions, Recovery, Stored
from stream_app.slabs import Marker
from tests.stream_app.broker import Reading, WrongError
from tests.stream_app.owner import Owner, Parts
from tests.stream_app.simulation import Simulation

SEEDS = 500
ENOUGH = 1000  # seeds among which each missing cure must show


@pytest.mark.parametrize("first", range(0, SEEDS, 50))
def test_every_flag_is_there_and_exact(first: int) -> None:
    """Whatever owners, zombies, crashes, compaction and retention do, each reading is flagged by its exact window."""
    for seed in range(first, first + 50):
        try:
            Simulation(seed).run()
        except Exception as error:
            error.add_note(f"found by Simulation({seed}).run()")
            raise


class TrustsTheMarker(Recovery):
    """Every slab is taken to be good up to the marker's start, whatever it covers itself."""

    def _reach(self, stored: Stored | None, number: int, marker: Marker | None) -> int:
        return marker.start if marker else super()._reach(stored, number, marker)


class StartsAtTheCommittedOffset(Recovery):
    """Reads from the committed offset, as Faust does by itself, though the state is older."""

    def plan(self, positions: Positions) -> Plan:
        plan = super().plan(positions)
        return replace(plan, floors=(plan.publish_from,) * plan.slabs)


class PublishesFromTheStart(Recovery):
    """What is read once more is published once more."""

    def plan(self, positions: Positions) -> Plan:
        plan = super().plan(positions)
        return replace(plan, publish_from=plan.start)


class StartsAnewWithoutACommit(Recovery):
    """A marker without a committed offset does not say where to publish from."""

    def plan(self, positions: Positions) -> Plan:
        plan = super().plan(positions)
        return plan if positions.committed is not None else replace(plan, publish_from=positions.opening)


class IgnoresTheHole(Recovery):
    """A slab from before readings that the log has lost is used, as if nothing was between."""

    def _continuing(self, positions: Positions) -> Plan:
        plan = super()._continuing(replace(positions, earliest=0))
        floors = tuple(max(floor, positions.earliest) for floor in plan.floors)
        return replace(plan, floors=floors, earliest=positions.earliest)


class TakesAnyLogForItsOwn(Recovery):
    """A checkpoint counts, though the readings end before what it says of them."""

    def plan(self, positions: Positions) -> Plan:
        return super().plan(replace(positions, end=sys.maxsize))


class KeepsTheOldMarker(Recovery):
    """In another log all starts anew, but no marker puts the old checkpoint out of the way."""

    def _of_another_log(self, positions: Positions) -> Plan:
        return replace(super()._of_another_log(positions), opening=None)


class KeepsTheOldCommit(Owner):
    """In another log all starts anew, but what was committed of the old one stays."""

    def recommit(self, plan: Plan) -> None:
        self.quiet = plan.publish_from


class ForgetsTheFloors(Progress[Reading]):
    """Readings that a restored slab contains are applied again."""

    def holds(self, offset: int, dataset: str, series: str) -> bool:
        return False


class DoesNotTrim(Progress[Reading]):
    """A fetch that begins below the expected offset is taken whole."""

    def _trim(self, records: Sequence[Reading]) -> Sequence[Reading]:
        return records


class DoesNotSeekBack(Progress[Reading]):
    """A fetch from too far ahead is taken for what follows a hole."""

    def _is_doubtful(self, first: int) -> bool:
        return False


class DoesNotSplit(Progress[Reading]):
    """A chunk that begins below the committed offset is not published, to its end."""

    def _split(self, records: Sequence[Reading]) -> list[Sequence[Reading]]:
        return [records]


class AcknowledgesOffsets(Progress[Reading]):
    """An ack stands for its offset, whichever generation's chunk it was."""

    def confirm(self, chunk: Chunk[Reading]) -> None:
        super().confirm(chunk)
        self._confirmed = max(self._confirmed, chunk.end)


class AppliesInAnyOrder(Progress[Reading]):
    """A chunk that does not follow the one before is applied all the same."""

    @contextmanager
    def applying(self, chunk: Chunk[Reading]) -> Iterator[None]:
        yield
        self.applied = chunk.end


class WritesBeforeFlagsAreConfirmed(Checkpointer):
    """Slabs are written as soon as they are copied."""

    def ready(self, progress: Progress[Reading]) -> bool:
        return self._copy is not None and not self._copy.sent


class TakesDuringReplay(Checkpointer):
    """A checkpoint is taken while some slabs hold more than what is applied; and always of all, else it is rare."""

    def _may_take(self, progress: Progress[Reading]) -> bool:
        return progress.applied > self._last

    def _unwritten_for_long(self) -> set[int]:
        return set(self._written)


class BaseTooHigh(Checkpointer):
    """The marker's base is where the newest slab stands, not the oldest that is needed."""

    def _base(self) -> int:
        return max((written.offset for written in self._written.values()), default=self._state_end)


class TouchesOnlyWhatItKeeps(Owner):
    """Readings of a dataset without a release leave its old slabs as they are."""

    def touch(self, checkpointer: Checkpointer, reading: Reading, passed_over: bool) -> None:
        if not passed_over:
            super().touch(checkpointer, reading, passed_over)


class NoFirstMarker(Owner):
    """The first owner begins without writing down where."""

    def open(self, plan: Plan) -> None:
        pass


class MarksBeforeSlabsAreConfirmed(Owner):
    """The marker goes out with its slabs, at the offsets they should get."""

    def write(self) -> None:
        before = len(self.state_wire)
        super().write()
        sent = self.state_wire[before:]
        if sent and sent[0][1] is not None:
            end = self.broker.state_end
            self.state_wire.append((sent[0][0], None, sent[0][0].marker([end + n for n in range(len(sent))])))

    def mark(self, sender: Checkpointer) -> None:
        pass


class KeepsItsStateWhenRevoked(Owner):
    """What it had before the rebalance stays beneath what it restores."""

    def start(self, committed: int | None) -> None:
        self.state.clear = lambda: None  # type: ignore[method-assign]
        super().start(committed)


class IgnoresAnotherRebalance(Owner):
    """A plan made under one generation is carried out under the next."""

    def may_go_on(self, generation: int | None) -> bool:
        return self.generation is not None


WITHOUT = {
    "cover against marker": Parts(recovery=TrustsTheMarker),
    "read offset apart from committed": Parts(recovery=StartsAtTheCommittedOffset),
    "silence below the committed offset": Parts(recovery=PublishesFromTheStart),
    "marker without a commit": Parts(recovery=StartsAnewWithoutACommit),
    "skip below a slab's cover": Parts(progress=ForgetsTheFloors),
    "trim": Parts(progress=DoesNotTrim),
    "in-flight fetch guard": Parts(progress=DoesNotSeekBack),
    "split at the committed offset": Parts(progress=DoesNotSplit),
    "ack by chunk": Parts(progress=AcknowledgesOffsets),
    "hold until confirmed": Parts(checkpointer=WritesBeforeFlagsAreConfirmed),
    "no checkpoint during replay": Parts(checkpointer=TakesDuringReplay),
    "base": Parts(checkpointer=BaseTooHigh),
    "lost": Parts(recovery=IgnoresTheHole),
    "another log": Parts(recovery=TakesAnyLogForItsOwn),
    "marker of another log": Parts(recovery=KeepsTheOldMarker),
    "commit of another log": Parts(owner=KeepsTheOldCommit),
    "order of chunks": Parts(progress=AppliesInAnyOrder),
    "passed over": Parts(owner=TouchesOnlyWhatItKeeps),
    "first marker": Parts(owner=NoFirstMarker),
    "marker after its slabs": Parts(owner=MarksBeforeSlabsAreConfirmed),
    "state dropped on revocation": Parts(owner=KeepsItsStateWhenRevoked),
    "rebalance again": Parts(owner=IgnoresAnotherRebalance),
}


@pytest.mark.parametrize("cure", WITHOUT)
def test_without_cure(cure: str) -> None:
    """Each cure is needed: without it, some life of the partition loses, repeats or falsifies a flag."""
    for seed in range(ENOUGH):
        try:
            Simulation(seed, WITHOUT[cure]).run()
        except WrongError:
            return
    pytest.fail(f"{ENOUGH} seeds went well without {cure!r}: is it needed, or does the simulation not reach it?")
