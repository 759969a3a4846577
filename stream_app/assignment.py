"""The partitions that this worker has: opened after a rebalance, fed with fetches, given up as a whole."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence, Set
from functools import partial
from time import monotonic
from typing import NamedTuple, Protocol

from aiokafka.structs import TopicPartition

from schemas.errors import TidewatchError
from stream_app.batches import Record
from stream_app.checkpoint import Checkpointer
from stream_app.lane import Equipment, Lane
from stream_app.outgoing import Message, as_records
from stream_app.partition import Outcome, PartitionState
from stream_app.progress import Admission, Chunk, Progress
from stream_app.recovery import Plan, Positions, Recovery
from stream_app.turn import Waiting, Work, play

log = logging.getLogger(__name__)

ROOM_CHUNKS = 4  # so many whole chunks may be in flight before more is fetched
SETTLE_SECONDS = 3.0  # on leaving; longer would hold the group up


class Superseded(Exception):
    """The group moved on while partitions were being opened: what was loaded is of no use."""


class RecoveryTimeout(TidewatchError):
    """The state could not be loaded in time."""


class LogChanged(TidewatchError):
    """What is to be read next is gone from the log: only a new start can say what that means for the series."""


class LogPosition(NamedTuple):
    """Where a partition's log and its group stand."""

    earliest: int
    end: int
    committed: int | None


class Opening(NamedTuple):
    """From where to read a partition, and what is committed of it; or, with `recommit`, is to be before reading."""

    start: int
    committed: int
    recommit: bool


class StateLog(Protocol):
    """Reads checkpoints."""

    async def recover(self, partitions: Sequence[TopicPartition], slabs: int) -> dict[TopicPartition, Recovery]:
        """What the state topics say of these partitions of readings topics."""


class Limits(NamedTuple):
    """What bounds an assignment."""

    chunk_records: int
    slabs: int
    recovery_timeout_seconds: float


Locate = Callable[[Sequence[TopicPartition]], Awaitable[Mapping[TopicPartition, LogPosition]]]


class Assignment:
    """All partitions are assigned at once and revoked at once, so there is one assignment at a time."""

    def __init__(
        self,
        equipment: Equipment,
        state_log: StateLog,
        new_state: Callable[[TopicPartition], PartitionState],
        limits: Limits,
    ) -> None:
        self.has_room = asyncio.Event()
        self.has_room.set()
        self.ready = False  # partitions are assigned and their state is loaded
        self.partitions: dict[TopicPartition, Lane] = {}
        self.chunk_records = limits.chunk_records
        self._equipment = equipment
        self._state_log = state_log
        self._new_state = new_state
        self._limits = limits
        self._epoch = 0  # grows when partitions are given up: what began before it is of no use
        self._waiting = Waiting(limits.chunk_records)
        self._stirred = asyncio.Event()  # something waits for its turn
        self._committed_at = monotonic()

    # -- opening

    async def open(
        self, tps: Sequence[TopicPartition], generation: int, locate: Locate
    ) -> dict[TopicPartition, Opening]:
        """Load the state of all partitions and say where to read on.

        Raises Superseded if partitions are given up meanwhile, RecoveryTimeout if it takes too long.
        """
        self.drop()
        epoch, started = self._epoch, monotonic()
        try:
            async with asyncio.timeout(self._limits.recovery_timeout_seconds):
                plans = await self._plans(tps, locate)
                lanes = await asyncio.gather(*(self._restore(tp, plans[tp], generation, epoch) for tp in tps))
        except TimeoutError:
            raise RecoveryTimeout(
                f"the state of {len(tps)} partitions was not loaded within "
                f"{self._limits.recovery_timeout_seconds:g} s; see that the brokers are well or raise "
                "state.recovery_timeout_seconds"
            ) from None
        self._check(epoch)
        self.partitions = {tp: make() for tp, make in zip(tps, lanes, strict=True)}
        self.ready = True
        self._committed_at = monotonic()
        log.info("%d partitions assigned, state of %d series loaded in %.2f s", *self._told(monotonic() - started))
        return {tp: _opening(lane.progress.plan) for tp, lane in self.partitions.items()}

    def _told(self, seconds: float) -> tuple[int, int, float]:
        states = [lane.state for lane in self.partitions.values()]
        return len(states), sum(len(names) for state in states for names in state.names().values()), seconds

    async def _plans(self, tps: Sequence[TopicPartition], locate: Locate) -> dict[TopicPartition, Plan]:
        recoveries = await self._state_log.recover(tps, self._limits.slabs)
        positions = await locate(tps)
        return {tp: recoveries[tp].plan(_positions(positions[tp])) for tp in tps}

    async def _restore(self, tp: TopicPartition, plan: Plan, generation: int, epoch: int) -> Callable[[], Lane]:
        self._check(epoch)
        state = self._new_state(tp)
        plan = await self._equipment.scorer.run(partial(plan.restore, state))
        for warning in plan.warnings:
            log.warning("%s/%d: %s", tp.topic, tp.partition, warning)
        for dataset, series in state.dropped.items():
            log.warning(
                "%s/%d: dataset '%s' has no release: %d of its series are dropped and will have to warm up again",
                *(*tp, dataset, series),
            )
        if plan.opening is not None:
            opening = as_records([Message(plan.opening.key, plan.opening.value)])
            await self._equipment.publisher.send(self._equipment.routes.state(tp.topic), tp.partition, opening)
        progress: Progress[Record] = Progress(plan, generation)
        checkpointer = Checkpointer(plan, state, self._limits.slabs)
        return partial(Lane, tp, progress, checkpointer, state, self._equipment, self._confirmed)

    def _check(self, epoch: int) -> None:
        if epoch != self._epoch:
            raise Superseded

    # -- at work

    def admit(self, tp: TopicPartition, records: Sequence[Record], generation: int) -> Admission[Record]:
        """Judge a fetch; what is let in has to be taken in the same order."""
        lane = self.partitions.get(tp)
        if lane is None or not self.ready:
            return Admission()
        if self._is_caught_up:
            self._committed_at = monotonic()
        admission = lane.progress.admit(records, generation)
        if admission.hole is not None:
            log.info("%s/%d: the log has no offsets %d to %d", tp.topic, tp.partition, *admission.hole)
        lane.in_flight += sum(len(chunk.records) for chunk in admission.chunks)
        self._fetched(lane, len(admission.chunks))
        return admission

    async def agrees(self, tp: TopicPartition, admission: Admission[Record], locate: Locate) -> bool:
        """Whether the log bears an admission out; if readings were lost the worker stops, and says why."""
        if admission.hole is None and not admission.behind:
            return True
        look = self._equipment.spawn(self._look(self.partitions[tp], admission, locate))
        await asyncio.wait([look])
        return not look.cancelled() and look.exception() is None

    async def _look(self, lane: Lane, admission: Admission[Record], locate: Locate) -> None:
        """After a hole, or a fetch of what was let in before; neither is rare where producers use transactions."""
        needed = lane.progress.expected if admission.hole is None else admission.hole[0]
        found = (await locate([lane.tp]))[lane.tp]
        if self.partitions.get(lane.tp) is lane and not found.earliest <= needed <= found.end:
            raise LogChanged(
                f"{lane.tp.topic}/{lane.tp.partition} has offsets {found.earliest} to {found.end} and is to be read on "
                f"from {needed}: its readings were deleted before they were read, or the topic was made anew; "
                "start the worker again, let the topic keep its readings longer"
            )

    def work(self, tp: TopicPartition, chunk: Chunk[Record]) -> Work:
        """The chunk with its lane, to be taken."""
        return Work(self.partitions[tp], chunk)

    def take(self, work: Work) -> None:
        """Let a chunk wait for its turn; what is left over from before a rebalance is dropped without a word."""
        if self._is_ours(work):
            self._waiting.add(work)
            self._stirred.set()

    async def play_forever(self) -> None:
        """Score what waits, turn by turn."""
        while True:
            await self._stirred.wait()
            turn = self._waiting.next_turn() if self.ready else []
            if turn:
                await self._play(turn)
            else:
                self._stirred.clear()  # until a chunk comes, or one is confirmed and so its lane has room again

    async def _play(self, turn: Sequence[Work]) -> None:
        for work in turn:
            work.lane.begin()
            self._fetched(work.lane, -1)
        outcomes, seconds = await self._equipment.scorer.run(partial(self._change, turn))
        self._equipment.metrics.observe_model(seconds)
        for (lane, chunk), outcome in zip(turn, outcomes, strict=True):
            lane.finish(chunk, outcome)

    def _change(self, turn: Sequence[Work]) -> tuple[list[Outcome], float]:
        outcomes, seconds = play(turn)
        for work, outcome in zip(turn, outcomes, strict=True):
            work.lane.touch(outcome)
        self._equipment.drift.take_in()
        self._equipment.after_chunk()
        return outcomes, seconds

    def _is_ours(self, work: Work) -> bool:
        return self.ready and self.partitions.get(work.lane.tp) is work.lane

    def _confirmed(self) -> None:
        self._stirred.set()
        self._see_to_room()

    def _fetched(self, lane: Lane, change: int) -> None:
        lane.waiting += change
        self._see_to_room()

    def _see_to_room(self) -> None:
        """What a lane without room has in flight does not count: one that can not publish must not stop the others."""
        lanes = self.partitions.values()
        in_flight = sum(lane.in_flight for lane in lanes if lane.has_room)
        if in_flight < ROOM_CHUNKS * self.chunk_records and any(lane.waiting == 0 for lane in lanes):
            self.has_room.set()
        else:
            self.has_room.clear()

    def hungry(self, tps: Set[TopicPartition]) -> set[TopicPartition]:
        """Those of which nothing waits for its turn: while one does, what comes in adds up to a larger chunk."""
        return {tp for tp in tps if tp not in self.partitions or self.partitions[tp].waiting == 0}

    async def checkpoint(self) -> None:
        """Take a checkpoint of every partition for which it is time."""
        for lane in list(self.partitions.values()):
            await lane.checkpoint()

    # -- what may be committed

    def committable(self, tp: TopicPartition) -> int | None:
        """The offset below which all is published."""
        lane = self.partitions.get(tp)
        return lane.progress.confirmed if lane is not None else None

    def committed(self, offsets: Mapping[TopicPartition, int]) -> None:
        """These offsets are committed."""
        self._committed_at = monotonic()
        for tp, offset in offsets.items():
            if tp in self.partitions:
                self.partitions[tp].committed = offset

    @property
    def commit_age(self) -> float:
        """Seconds since the last commit, or since there is something to commit; 0 while there is not."""
        return 0.0 if self._is_caught_up else monotonic() - self._committed_at

    @property
    def _is_caught_up(self) -> bool:
        return all(lane.progress.expected <= lane.committed for lane in self.partitions.values())

    # -- giving up

    def close(self) -> None:
        """Let nothing in any more; what is in flight goes on."""
        self.ready = False
        self._epoch += 1

    async def settle(self) -> None:
        """Wait, not too long, until all that is in flight is confirmed."""
        waiting = [lane.idle.wait() for lane in self.partitions.values()]
        try:
            async with asyncio.timeout(SETTLE_SECONDS):
                await asyncio.gather(*waiting)
        except TimeoutError:
            log.warning("leaving with chunks in flight: their readings are read again")

    def drop(self) -> None:
        """Forget all partitions; confirmations that come late go nowhere."""
        self.close()
        for lane in self.partitions.values():
            lane.cancel()
        self.partitions = {}
        self._waiting.clear()
        self.has_room.set()


def _opening(plan: Plan) -> Opening:
    return Opening(plan.start, plan.publish_from, plan.recommit)


def _positions(found: LogPosition) -> Positions:
    return Positions(found.earliest, found.end, found.committed, opening=found.earliest)
