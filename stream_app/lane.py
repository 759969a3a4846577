"""One partition at work: its chunks are scored one after the other, published in order, confirmed, checkpointed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from time import perf_counter
from typing import Any, TypeVar

from aiokafka.structs import TopicPartition

from monitoring.metrics import CheckpointRecord, WorkerMetrics
from stream_app.batches import Record
from stream_app.checkpoint import Checkpointer
from stream_app.drift_watch import DriftWatch
from stream_app.outgoing import Message, as_records, without_value
from stream_app.partition import Outcome, PartitionState
from stream_app.progress import Chunk, Progress
from stream_app.publisher import Publisher, TooLarge
from stream_app.record_batch import Records
from stream_app.routes import Routes

log = logging.getLogger(__name__)

AHEAD = 3  # chunks of a partition that may be scored before the first of them is confirmed

T = TypeVar("T")


class Scorer:
    """The one thread in which everything is computed, so that the event loop is free and no state needs a lock."""

    def __init__(self) -> None:
        self._executor = ThreadPoolExecutor(1, "scoring")

    async def run(self, work: Callable[[], T]) -> T:
        """Do this after all that was asked for before."""
        return await asyncio.get_running_loop().run_in_executor(self._executor, work)

    def stop(self) -> None:
        """Begin nothing new."""
        self._executor.shutdown(wait=False, cancel_futures=True)


@dataclass(frozen=True)
class Equipment:
    """What all partitions of a worker share."""

    scorer: Scorer
    publisher: Publisher
    routes: Routes
    metrics: WorkerMetrics
    drift: DriftWatch
    after_chunk: Callable[[], None]  # in the scoring thread: keeps the memory bounded
    spawn: Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]]  # a task whose failure stops the worker


class Lane:
    """A partition under one generation, from chunk to confirmation."""

    def __init__(
        self,
        tp: TopicPartition,
        progress: Progress[Record],
        checkpointer: Checkpointer,
        state: PartitionState,
        equipment: Equipment,
        on_confirmed: Callable[[], None],
    ) -> None:
        """`on_confirmed` is called when a chunk is done with."""
        self.tp = tp
        self.progress = progress
        self.state = state
        self.committed = progress.plan.publish_from  # the group's offset, as far as we know
        self.idle = asyncio.Event()
        self.in_flight = 0  # records let in and not yet confirmed
        self.waiting = 0  # chunks let in whose turn has not come
        self._checkpointer = checkpointer
        self._equipment = equipment
        self._on_confirmed = on_confirmed
        self._copied = (0.0, 0)  # seconds it took to take the last checkpoint, and series in it
        self._taken = 0  # chunks begun and not yet confirmed
        self._scored: asyncio.Queue[tuple[Chunk[Record], Outcome]] = asyncio.Queue()
        self._stirred = asyncio.Event()  # something may have become ready to be written
        self._tasks = [equipment.spawn(self._publish_forever()), equipment.spawn(self._checkpoint_forever())]
        self.idle.set()

    def cancel(self) -> None:
        """Stop at once; what is not confirmed will be read again."""
        for task in self._tasks:
            task.cancel()

    @property
    def has_room(self) -> bool:
        """Another chunk may be scored; not while those before can not be published."""
        return self._taken < AHEAD

    def begin(self) -> None:
        """A chunk's turn has come."""
        self._taken += 1
        self.idle.clear()

    def finish(self, chunk: Chunk[Record], outcome: Outcome) -> None:
        """A chunk is scored: hand it on to be published."""
        self._tell(outcome)
        self._scored.put_nowait((chunk, outcome))

    def touch(self, outcome: Outcome) -> None:
        """In the scoring thread: a checkpoint has to hold what a chunk changed."""
        for dataset, series in outcome.touched.items():
            self._checkpointer.touch(dataset, series, 0)
        self._checkpointer.touch("", (), outcome.record.size)

    def _tell(self, outcome: Outcome) -> None:
        self._equipment.metrics.observe_chunk(outcome.record)
        for dataset, series in outcome.stale.items():
            log.warning(
                "all readings of %d series of dataset '%s' are older than what was seen of them (%s%s): was the same "
                "file sent twice? `tidewatch produce --shift-to-now` gives them new times",
                *(len(series), dataset, ", ".join(series[:3]), ", ..." if len(series) > 3 else ""),
            )

    # -- publishing

    async def _publish_forever(self) -> None:
        while True:
            chunk, outcome = await self._scored.get()
            started = perf_counter()
            await asyncio.gather(self._send_flags(outcome.flags), self._send_dead_letters(outcome.dead_letters))
            self._equipment.metrics.observe_publishing(perf_counter() - started)
            self._equipment.drift.confirmed(outcome.seen)
            self._confirm(chunk)

    def _confirm(self, chunk: Chunk[Record]) -> None:
        self.progress.confirm(chunk)
        self._taken -= 1
        if not self._taken:
            self.idle.set()
        self.in_flight -= len(chunk.records)
        self._on_confirmed()
        self._stirred.set()

    async def _send_flags(self, flags: Records) -> None:
        routes = self._equipment.routes
        for number, records in routes.grouped(self.tp, routes.anomalies, flags).items():
            await self._equipment.publisher.send(routes.anomalies, number, records)

    async def _send_dead_letters(self, letters: Sequence[Message]) -> None:
        send, topic = self._equipment.publisher.send, self._equipment.routes.dead_letters
        for number, records in self._grouped(letters).items():
            try:
                await send(topic, number, records)
            except TooLarge as error:
                log.warning("%s; its values are left out of the dead letters", error)  # a bad record stops nothing
                await send(topic, number, self._grouped([*map(without_value, letters)])[number])

    def _grouped(self, letters: Sequence[Message]) -> Mapping[int, Records]:
        routes = self._equipment.routes
        return routes.grouped(self.tp, routes.dead_letters, as_records(letters))

    # -- checkpoints

    async def checkpoint(self) -> None:
        """Take a checkpoint if it is time for one; it is written when the flags below it are confirmed."""
        if await self._equipment.scorer.run(self._copy):
            self._stirred.set()

    def _copy(self) -> bool:
        started, copied = perf_counter(), self.state.copied
        taken = self._checkpointer.take(self.progress)
        if taken:
            self._copied = (perf_counter() - started, self.state.copied - copied)
        return taken

    async def _checkpoint_forever(self) -> None:
        while True:
            await self._stirred.wait()
            self._stirred.clear()
            if self._checkpointer.ready(self.progress):
                await self._write(await self._equipment.scorer.run(self._checkpointer.slabs))

    async def _write(self, slabs: Sequence[Any]) -> None:
        started = perf_counter()
        offsets = await self._send_state([Message(slab.key, slab.value) for slab in slabs])
        marker = self._checkpointer.marker(offsets)
        await self._send_state([Message(marker.key, marker.value)])
        self._checkpointer.finish()
        size = len(marker.value) + sum(len(slab.value) for slab in slabs)
        seconds, series = self._copied
        self._equipment.metrics.observe_checkpoint(CheckpointRecord(seconds + perf_counter() - started, series, size))

    def _send_state(self, messages: Sequence[Message]) -> Awaitable[list[int]]:
        state = self._equipment.routes.state(self.tp.topic)
        return self._equipment.publisher.send(state, self.tp.partition, as_records(messages))
